"""A workspace painted by hand: the verbs' signatures with answers that look like the real ones."""

from __future__ import annotations

import inspect
import math
import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from tondo.core.errors import NotFoundError
from tondo.core.instants import to_micros
from tondo.workspace.operations import OPERATIONS
from tondo.workspace.pages import (
    AlertRow,
    ConsistencyRow,
    DriftRow,
    ExecutionRow,
    LineageNode,
    LineageStage,
    LiveModel,
    LoopCounts,
    MonthPoint,
    Outcome,
    Overview,
    PredictionDetail,
    Promotion,
    StepRow,
    TrafficPoint,
)

STATIC = (0.703, 0.734, 0.723, 0.714, 0.699, 0.666, 0.680, 0.681, 0.705)
LIVE = (0.703, 0.754, 0.765, 0.751, 0.734, 0.734, 0.704, 0.692, 0.712)
ROWS = (28_330, 28_796, 28_243, 29_425, 29_327, 27_574, 28_889, 27_268, 28_135)
PROMOTED = ((4, 1), (4, 24), (5, 22), (6, 19), (7, 21), (8, 20), (9, 18), (10, 20), (11, 21))
ID = "0192f0aa-7c3e-7def-8000-{:012x}"


def micros(month: int, day: int, hour: int = 0) -> int:
    return to_micros(datetime(2013, month, day, hour, tzinfo=UTC))


def months() -> list[MonthPoint]:
    return [
        MonthPoint(
            month=f"2013-{at + 4:02d}",
            version=at + 1,
            auc=LIVE[at],
            low=LIVE[at] - 0.0078,
            high=LIVE[at] + 0.0078,
            static_auc=STATIC[at],
            static_low=STATIC[at] - 0.008,
            static_high=STATIC[at] + 0.008,
            coverage=0.97 + 0.003 * (at % 5),
            rows=ROWS[at],
            requests=ROWS[at] // 3,
            deployment="late_arrival",
            versions={str(at + 1): ROWS[at] // 3 * 2, str(at + 2): ROWS[at] // 3},
        )
        for at in range(9)
    ]


def traffic() -> list[TrafficPoint]:
    made = random.Random(7)
    found = []
    day = date(2013, 4, 1)
    while day < date(2014, 1, 1):
        version = sum((day.month, day.day) >= each for each in PROMOTED)
        total = int(
            930
            + 60 * math.sin(day.toordinal() / 9)
            - 180 * (day.weekday() == 5)
            + made.gauss(0, 20)
        )
        canary = any((day - date(2013, *each)).days in (-3, -2, -1) for each in PROMOTED[1:])
        share = total // 2 if canary else total
        found.append(
            TrafficPoint(
                day=day.isoformat(), version=version, predictions=share, deployment="late_arrival"
            )
        )
        if canary:
            found.append(
                TrafficPoint(
                    day=day.isoformat(),
                    version=version + 1,
                    predictions=total - share,
                    deployment="late_arrival",
                )
            )
        day += timedelta(days=1)
    return found


def consistency() -> list[ConsistencyRow]:
    equal = {"temperature": 9_998, "speed": 10_000, "log_distance": 10_000}
    return [
        ConsistencyRow(
            feature=name,
            rows=10_000,
            equal=count,
            exact=not name.startswith("log"),
            deployment="late_arrival",
            checked_at_us=micros(12, 31),
        )
        for name, count in equal.items()
    ]


def drift() -> list[DriftRow]:
    values = {
        "late_landings_3h": 0.31,
        "temperature": 0.27,
        "mean_delay_3h": 0.12,
        "visibility": 0.08,
        "wind": 0.06,
        "hour": 0.021,
        "carrier": 0.034,
        "destination": 0.018,
        "distance": 0.009,
        "aircraft_age": 0.012,
    }
    return [
        DriftRow(
            feature=name,
            measure="psi",
            value=value,
            limit=0.2,
            drifted=value > 0.2,
            deployment="late_arrival",
            version=9,
            window="28 days to 31 December 2013",
            rows=25_800,
        )
        for name, value in values.items()
    ]


def alerts() -> list[AlertRow]:
    return [
        AlertRow(
            id=ID.format(1),
            state="open",
            severity="warning",
            kind="drift",
            subject="late_arrival",
            message="temperature has drifted from the training set of version 9: PSI 0.27, limit 0.20.",
            opened_at_us=micros(12, 12),
        ),
        AlertRow(
            id=ID.format(2),
            state="acknowledged",
            severity="critical",
            kind="quality",
            subject="late_arrival",
            message="AUC 0.692 over the trailing 28 days lies more than two standard errors below the accepted 0.731, in two checks running.",
            opened_at_us=micros(11, 14),
            by="retraining policy",
            why="retraining was started",
        ),
        AlertRow(
            id=ID.format(3),
            state="closed",
            severity="warning",
            kind="data",
            subject="flights",
            message="A batch was blocked: column 'dep_delay' is 41 % null, the schema allows 6 %.",
            opened_at_us=micros(4, 1),
            closed_at_us=micros(4, 1, 1),
        ),
    ]


def executions() -> list[ExecutionRow]:
    names = (
        "snapshots",
        "statistics",
        "schema",
        "corrupted batch",
        "views",
        "training set",
        "train",
        "judge",
        "deploy",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "summary",
    )
    seconds = (
        2.1,
        0.8,
        0.1,
        0.3,
        1.9,
        1.4,
        4.2,
        2.3,
        0.6,
        3.1,
        3.3,
        3.2,
        3.4,
        3.3,
        3.0,
        3.2,
        3.1,
        3.1,
        0.9,
    )
    steps = [
        StepRow(name=name, seconds=took, ok=True, reused=name in ("statistics", "schema"))
        for name, took in zip(names, seconds, strict=True)
    ]
    return [
        ExecutionRow(
            id=ID.format(10),
            name="demo",
            state="done",
            started_at_us=micros(4, 1),
            seconds=sum(seconds),
            steps=steps,
            reason="tondo demo",
        ),
        ExecutionRow(
            id=ID.format(11),
            name="retrain late_arrival",
            state="done",
            started_at_us=micros(11, 14),
            seconds=5.4,
            reason="AUC 0.692 below 0.731 by more than two standard errors, twice",
            steps=[
                StepRow(name="training set", seconds=1.3, ok=True),
                StepRow(name="train", seconds=2.4, ok=True),
                StepRow(name="judge", seconds=0.9, ok=True),
                StepRow(name="canary", seconds=0.8, ok=True),
            ],
        ),
        ExecutionRow(
            id=ID.format(12),
            name="retrain late_arrival",
            state="failed",
            started_at_us=micros(6, 2),
            seconds=1.9,
            reason="monthly",
            steps=[
                StepRow(name="training set", seconds=1.3, ok=True, reused=True),
                StepRow(
                    name="train",
                    seconds=0.6,
                    ok=False,
                    error="TD-TRAIN-004: the label has one value only in the validation rows.",
                ),
            ],
        ),
    ]


def full_overview() -> Overview:
    return Overview(
        project="flights",
        now_us=micros(12, 31, 23),
        loop=LoopCounts(
            snapshots=14,
            features=21,
            runs=11,
            reports=20,
            deployments=9,
            predictions=260_987,
            outcomes=248_702,
            retrainings=8,
        ),
        models=[
            LiveModel(
                deployment="late_arrival",
                name="late_arrival",
                version=9,
                version_id=ID.format(99),
                since_us=micros(11, 21),
                tags=["live"],
                accepted_auc=0.731,
                low=0.718,
                high=0.744,
                algorithm="lightgbm",
                trained_rows=281_442,
                why="Its canary held: better by 0.012 on the last 14 labelled days, refitted on all history.",
            ),
        ],
        months=months(),
        promotions=[
            Promotion(
                deployment="late_arrival",
                version=at + 1,
                at_us=micros(*each),
                why="monthly" if at else "first version",
            )
            for at, each in enumerate(PROMOTED)
        ],
        traffic=traffic(),
        drift=drift(),
        consistency=consistency(),
        alerts=alerts(),
        executions=executions(),
        notes=[
            "From May to November the model left alone fell by 0.053. A model retrained each month fell by 0.062 over the same months, so most of the fall is season: autumn delays are harder to foresee, not forgotten.",
            "A canary of three days tells errors, latency and the distribution of scores apart; at that size it cannot decide on AUC.",
        ],
        predictions=[ID.format(1001), ID.format(1002)],
        addresses={"web": "http://127.0.0.1:8460", "scorer": "http://127.0.0.1:8461"},
        curl='curl -s http://127.0.0.1:8461/v1/deployments/late_arrival/score -H \'Content-Type: application/json\' -d \'{"rows":[{"carrier":"UA","origin":"EWR","dest":"IAH","tailnum":"N14228"}]}\'',
    )


def empty_overview() -> Overview:
    return Overview(project="a-new-project", now_us=micros(1, 1))


def long_overview() -> Overview:
    """Long names, two deployments, a canary under way, months without outcomes."""
    name = "the_quite_long_name_of_a_model_that_predicts_late_arrivals_2013"
    full = full_overview()
    model = full.models[0]
    return msgspec.structs.replace(
        full,
        project="a_project_whose_name_is_really_rather_long_for_a_page",
        models=[
            msgspec.structs.replace(
                model,
                name=name,
                weight=0.5,
                tags=["live", "audited-by-operations", "second-quarter"],
            ),
            msgspec.structs.replace(
                model,
                name=name,
                version=10,
                weight=0.5,
                tags=["candidate"],
                accepted_auc=None,
                low=None,
                high=None,
            ),
            msgspec.structs.replace(
                model, deployment="cancelled", name="cancelled", version=2, accepted_auc=0.8112
            ),
        ],
        months=[
            *full.months[:4],
            MonthPoint(
                month="2013-08",
                version=5,
                auc=None,
                static_auc=0.7,
                rows=20,
                deployment="late_arrival",
            ),
        ],
        alerts=[
            msgspec.structs.replace(
                full.alerts[1], subject=name, message=full.alerts[1].message * 3
            )
        ],
    )


def detail(prediction_id: str) -> PredictionDetail:
    known = full_overview().predictions
    if prediction_id not in known:
        raise NotFoundError(
            "TD-MONITOR-001",
            f"no prediction '{prediction_id}'",
            fix="Look at the ids in the answers of the scorer.",
        )
    snapshot = "af1349b9f5f9a1a6dff7a3c1f1c0e8b2a4b1e0d3c5f6a7b8c9d0e1f2a3b4c5d6"
    return PredictionDetail(
        id=prediction_id,
        deployment="late_arrival",
        model="late_arrival",
        version=9,
        model_version_id=ID.format(99),
        variant="live",
        at_us=micros(12, 24, 15),
        as_of_us=micros(12, 24, 15),
        score=0.6412,
        threshold=0.5,
        decision=True,
        label_name="arr_delay > 15",
        latency_us=312,
        outcome=Outcome(
            label=True, event_time_us=micros(12, 24, 21), recorded_at_us=micros(12, 24, 21)
        ),
        inputs={
            "carrier": "UA",
            "origin": "EWR",
            "dest": "IAH",
            "tailnum": "N14228",
            "distance": 1400.0,
            "scheduled_at": "2013-12-24T17:00:00Z",
            "scheduled_minutes": 227.0,
        },
        vector={
            "wind": 18.4123,
            "late3h": 22.75,
            "dow": 2.0,
            "hour": 12.0,
            "speed": 370.04,
            "carrier": 2.0,
            "plane_age": None,
        },
        stages=[
            LineageStage(
                role="answered by",
                nodes=[
                    LineageNode(
                        kind="deployment",
                        id=ID.format(50),
                        title="late_arrival",
                        detail="100 % to version 9",
                        at_us=micros(11, 21),
                    )
                ],
            ),
            LineageStage(
                role="which serves",
                nodes=[
                    LineageNode(
                        kind="model_version",
                        id=ID.format(99),
                        title="late_arrival version 9",
                        detail="refit of version 8's winner on all history",
                        at_us=micros(11, 20),
                        facts={"AUC accepted": 0.731, "tag": "live"},
                    )
                ],
            ),
            LineageStage(
                role="made by",
                nodes=[
                    LineageNode(
                        kind="run",
                        id=ID.format(42),
                        title="lightgbm, 200 trees",
                        at_us=micros(11, 20),
                        facts={"rows": 281442, "seed": 7, "seconds": 2.41},
                    )
                ],
            ),
            LineageStage(
                role="trained on",
                nodes=[
                    LineageNode(
                        kind="training_set",
                        id=snapshot[::-1],
                        title="late_arrival to 20 November 2013",
                        facts={"rows": 281442, "features": 21},
                    )
                ],
            ),
            LineageStage(
                role="built from",
                nodes=[
                    LineageNode(
                        kind="snapshot", id=snapshot, title="flights@main", facts={"rows": 294033}
                    ),
                    LineageNode(
                        kind="snapshot",
                        id=snapshot[3:],
                        title="landings@main",
                        facts={"rows": 286120},
                    ),
                    LineageNode(
                        kind="snapshot",
                        id=snapshot[5:],
                        title="weather@main",
                        facts={"rows": 23310},
                    ),
                    LineageNode(
                        kind="snapshot", id=snapshot[7:], title="planes@main", facts={"rows": 3322}
                    ),
                ],
            ),
            LineageStage(
                role="committed as",
                nodes=[
                    LineageNode(
                        kind="commit",
                        id=ID.format(7),
                        title="flights, November",
                        detail="by tondo demo",
                        at_us=micros(11, 20),
                    )
                ],
            ),
            LineageStage(
                role="whose rows said",
                nodes=[
                    LineageNode(
                        kind="rows",
                        id="landings:EWR",
                        title="37 of landings, origin EWR",
                        detail="rows of the 3h before",
                        facts={
                            "row 1": {
                                "flight_id": "UA257-EWR",
                                "landed_at": "2013-12-24T14:44:00Z",
                                "arr_delay": -15.0,
                            },
                            "row 2": {
                                "flight_id": "DL419-EWR",
                                "landed_at": "2013-12-24T14:37:00Z",
                                "arr_delay": 26.0,
                            },
                        },
                    ),
                    LineageNode(kind="rows", id="weather:EWR", title="0 of weather, origin EWR"),
                ],
            ),
        ],
    )


class Group:
    """The verbs of one stage."""


class PaintedWorkspace:
    """A workspace that answers from paint; `asked` keeps what was asked of it."""

    def __init__(self, overview: Overview | None = None) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        for each in OPERATIONS:
            group, _, verb = each.method.partition(".")
            if not hasattr(self, group):
                setattr(self, group, Group())
            setattr(getattr(self, group), verb, self._verb(each.name, each.http[1]))
        painted = overview or full_overview()

        def show_overview() -> Overview:
            return painted

        def show_prediction(prediction_id: str) -> PredictionDetail:
            return detail(prediction_id)

        self.flow.overview = show_overview
        self.monitoring.prediction = show_prediction

    def _verb(self, name: str, path: str) -> Any:
        """Return a verb whose signature has the path's names, one keyword and a body."""
        names = re.findall(r"{(\w+)}", path)

        def verb(**arguments: Any) -> dict[str, Any]:
            self.asked.append((name, arguments))
            return {"operation": name, **arguments}

        keyword = inspect.Parameter.KEYWORD_ONLY
        place = inspect.Parameter.POSITIONAL_OR_KEYWORD
        verb.__signature__ = inspect.Signature(
            [
                *(inspect.Parameter(each, place, annotation=str) for each in names),
                inspect.Parameter("limit", keyword, default=20, annotation=int),
                inspect.Parameter("keys", keyword, default=None, annotation=list[str] | None),
                inspect.Parameter("row", keyword, default=None, annotation=dict[str, Any] | None),
            ]
        )
        verb.__annotations__ = dict.fromkeys(names, str) | {
            "limit": int,
            "keys": list[str] | None,
            "row": dict[str, Any] | None,
            "return": dict[str, Any],
        }
        return verb
