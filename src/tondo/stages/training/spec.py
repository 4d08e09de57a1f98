"""The model spec: everything that decides a model, as data."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tondo.core.canonical import digest


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows are held back from training to judge the model."""

    by: Literal["time", "group", "random", "column"] = "time"
    """The newest rows by the spec's time column, whole groups or single rows by a hash, or as a
    column says."""
    validation: str | float = 0.2
    """A share between 0 and 1, by time also a duration such as `14d`."""
    test: str | float | None = None
    """Held back from all but the report, said as `validation` is; by time the newest rows."""
    column: str | None = None
    """By group: rows with one value of it stay together. By column: it names each row's part."""
    seed: int = 7
    """Of the hash; another one draws other rows."""


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one metric must reach; a limit met exactly passes."""

    min: float | None = None
    max: float | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model must compare with the one that serves, on the same rows."""

    metric: Literal["auc", "log_loss", "brier"] = "auc"
    min_difference: float | None = None
    """The measured improvement must be at least this; negative allows a loss."""
    margin: float | None = None
    """Non-inferiority: the improvement's lower 95 % limit must lie above -margin."""


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report must show before its model may be registered for serving."""

    thresholds: dict[str, Limit] = {}
    """Metric of the report to its limit; a metric the report lacks fails."""
    change: Change | None = None
    """Asked of every model but the first."""
    min_rows: int = 100
    """Labelled rows in the report: with fewer, an AUC's interval is wider than +-0.1."""


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model as data; its id is the digest of all of it.

    >>> spec = ModelSpec(model="late", source="flights", label="arr_delay > 15",
    ...     time="scored_at", row_id="flight", features={"d": "distance"}, algorithm="logistic")
    >>> spec.id == msgspec.structs.replace(spec, algorithm="lightgbm").id
    False
    """

    model: str
    task: Literal["binary"] = "binary"
    source: str
    """Dataset whose rows are the spine."""
    label: str
    """Expression over the source's columns: true or 1 is the positive class."""
    time: str
    """Column with the instant of prediction."""
    row_id: str
    """Column that names a row."""
    label_known_at: str | None = None
    """Column with the instant at which the label became known."""
    features: dict[str, str]
    """Feature name to expression, in the order of the model's vector."""
    algorithm: str
    parameters: dict[str, Any] = {}
    """Hyperparameters by the library's own names; what is left out keeps its default."""
    categorical: tuple[str, ...] = ()
    """Features whose numbers are names, such as a vocabulary's indices."""
    split: Split = Split()
    seed: int = 7
    threshold: float | None = None
    """Score at or above which the decision is positive; None for no decision."""
    slices: tuple[str, ...] = ()
    """Columns or features by whose values the report is also given."""
    gate: Gate = Gate()
    owner: str = ""
    description: str = ""

    @property
    def id(self) -> str:
        """Digest of the spec's canonical JSON."""
        return digest(self)


class SpecDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One place in which two specs differ; None where it is absent."""

    path: str
    before: Any
    after: Any


def diff(before: ModelSpec, after: ModelSpec) -> list[SpecDifference]:
    """Return every place where two specs differ, in order of path.

    >>> spec = ModelSpec(model="late", source="flights", label="arr_delay > 15",
    ...     time="scored_at", row_id="flight", features={"d": "distance"}, algorithm="logistic")
    >>> for each in diff(spec, msgspec.structs.replace(spec, algorithm="lightgbm")):
    ...     print(each.path, each.before, "->", each.after)
    algorithm logistic -> lightgbm
    """
    old, new = _flat(msgspec.to_builtins(before)), _flat(msgspec.to_builtins(after))
    return [
        SpecDifference(path=path, before=old.get(path), after=new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {path: value}
    flat: dict[str, Any] = {}
    for key, each in value.items():
        flat |= _flat(each, f"{path}.{key}" if path else key)
    return flat
