"""What the pages show, as values; the same values are the JSON at a page's address in the API.

Instants are microseconds since 1970 UTC (`*_us`); months are `2013-04`, days `2013-04-01`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class LiveModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model version that answers requests now."""

    deployment: str
    name: str
    version: int
    version_id: str
    since_us: int
    tags: list[str] = []
    weight: float = 1.0
    """Share of traffic, 0 to 1; below 1 while a canary runs."""
    accepted_auc: float | None = None
    """AUC that the gate accepted, on rows the model was not trained on."""
    low: float | None = None
    """Lower end of the 95 % interval of `accepted_auc`."""
    high: float | None = None
    algorithm: str = ""
    trained_rows: int | None = None
    why: str = ""
    """Why it was brought live."""


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A version came live."""

    deployment: str
    version: int
    at_us: int
    why: str = ""


class MonthPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One month of live quality, beside the first model left alone."""

    month: str
    version: int
    """The version that answered most of the month's requests."""
    auc: float | None
    """AUC of what was answered live, null without both outcomes."""
    low: float | None = None
    high: float | None = None
    static_auc: float | None = None
    """AUC of the first live model on the same rows, never retrained."""
    static_low: float | None = None
    static_high: float | None = None
    coverage: float | None = None
    """Share of predictions whose outcome is known, 0 to 1."""
    rows: int = 0
    requests: int = 0
    deployment: str = ""
    versions: dict[str, int] = {}
    """Rows answered by each version, when several did."""
    labelled: int | None = None
    """Rows with a score and a known outcome; null where only coverage was kept."""
    is_open: bool = False
    """True while the month runs or its outcomes still come: its figures are so far."""


class TrafficPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions of one day by one version."""

    day: str
    version: int
    predictions: int
    deployment: str = ""


class DriftRow(msgspec.Struct, frozen=True, kw_only=True):
    """One feature against the training set of the live version."""

    feature: str
    measure: str
    """`psi` or `js`, its noise floor already taken off."""
    value: float
    limit: float
    drifted: bool
    deployment: str = ""
    version: int = 0
    window: str = ""
    """The time looked at, in words: `28 days to 2013-12-31`."""
    rows: int = 0


class ConsistencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: how many logged values equal those computed again from the data."""

    feature: str
    rows: int
    equal: int
    exact: bool
    """Whether every bit counts; else values may differ as engines' last places do."""
    deployment: str
    checked_at_us: int

    @property
    def share(self) -> float:
        """The exact-match rate."""
        return self.equal / self.rows if self.rows else 1.0


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert and where it stands."""

    id: str
    state: Literal["open", "acknowledged", "closed"]
    kind: str
    subject: str
    message: str
    opened_at_us: int
    closed_at_us: int | None = None
    severity: Literal["info", "warning", "critical"] = "warning"
    by: str = ""
    why: str = ""


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an execution."""

    name: str
    seconds: float
    ok: bool | None
    """Null while it runs."""
    reused: bool = False
    error: str | None = None


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An execution with its steps in order."""

    id: str
    name: str
    state: Literal["running", "done", "failed", "stopped"]
    started_at_us: int
    seconds: float
    steps: list[StepRow] = []
    reason: str = ""
    """What started it: a person, the demo, a policy's words."""


class LoopCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is at each station of the loop, for the ring at the top."""

    snapshots: int = 0
    features: int = 0
    runs: int = 0
    reports: int = 0
    deployments: int = 0
    predictions: int = 0
    outcomes: int = 0
    retrainings: int = 0


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The first page."""

    project: str
    now_us: int
    """The machine's clock, or the project's own newest instant where that is far from it."""
    machine_us: int | None = None
    """The machine's clock, when `now_us` is not it."""
    loop: LoopCounts = LoopCounts()
    models: list[LiveModel] = []
    months: list[MonthPoint] = []
    promotions: list[Promotion] = []
    traffic: list[TrafficPoint] = []
    drift: list[DriftRow] = []
    consistency: list[ConsistencyRow] = []
    """Of the last look, the least consistent feature of each deployment first."""
    alerts: list[AlertRow] = []
    executions: list[ExecutionRow] = []
    notes: list[str] = []
    """Sentences that keep the charts honest, such as how much of a fall is season."""
    predictions: list[str] = []
    """A few ids whose lineage is worth opening, the newest first."""
    addresses: dict[str, str] = {}
    """Where web and scorer answer."""
    curl: str = ""
    """A line to copy that asks the live model."""


class LineageNode(msgspec.Struct, frozen=True, kw_only=True):
    """One station between a prediction and its source rows."""

    kind: str
    """`deployment`, `model_version`, `run`, `training_set`, `snapshot`, `commit`, ..."""
    id: str
    title: str
    detail: str = ""
    at_us: int | None = None
    facts: dict[str, Any] = {}
    """A few plain values worth showing: rows, AUC, seed."""


class LineageStage(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes at one distance on the way up, shown side by side."""

    role: str
    """How the stage before depends on it: `answered by`, `trained by`, `read from`."""
    nodes: list[LineageNode] = []


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What really happened to a prediction's row."""

    label: Any
    event_time_us: int
    recorded_at_us: int


class PredictionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction, what went in, what came true, and the way back to the source rows."""

    id: str
    deployment: str
    model: str
    version: int
    model_version_id: str
    variant: str
    at_us: int
    as_of_us: int
    score: float | None
    threshold: float | None = None
    decision: bool | None = None
    label_name: str = ""
    """The label's expression, for example `arr_delay > 15`."""
    purpose: str = "live"
    latency_us: int | None = None
    outcome: Outcome | None = None
    inputs: dict[str, Any] = {}
    """The row as it was sent."""
    looked_up: dict[str, Any] = {}
    """What was read for it from feature views, as of `as_of_us`: `@view.feature[key]`."""
    vector: dict[str, float | None] = {}
    """The features as the model saw them, in its order."""
    stages: list[LineageStage] = []
