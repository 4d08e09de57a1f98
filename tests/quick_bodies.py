"""Bodies of one row, sound and spoilt, and routes that answer them with and without what is compiled."""

import json

import msgspec
from hypothesis import strategies as st

import scored
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.faces.scorer.metrics import FIRST_BUCKET, PREDICTIONS, RouteMetrics
from tondo.faces.scorer.protocols.carried import reply_headers
from tondo.faces.scorer.route import Route
from tondo.scoring.frames import decode
from tondo.scoring.model import load_model
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import PlannedDeployment, PlannedVariant
from tondo.scoring.serving import Serving, shared_inputs

NOW = 1_700_000_000_123_456
INPUTS = {**scored.INPUTS, "day": "date"}
TEXTS = {
    **scored.TEXTS,
    "ratio": "distance / cast(tail as double)",
    "exploding": "exp(distance)",
    "texts": "length(carrier)",
    "plain": "distance",
    "month": "month(day)",
}


class OneId:
    """Gives one id again and again: both ways make another number of them."""

    def __init__(self):
        self.id = "01900000-0000-7000-8000-000000000000"

    def make_many(self, now_us, number):
        return [self.id] * number


def make_contents(inputs, texts, sample, **changes):
    return scored.contents(
        inputs=inputs, features=scored.trees_of(texts, inputs), samples=[sample], **changes
    )


def make_route(handler_class, *, quick, threshold=0.5, log_mode="written", contents=None):
    contents = contents or make_contents(INPUTS, TEXTS, {**scored.ROW, "day": 5})
    contents = msgspec.structs.replace(contents, threshold=threshold)
    variant = PlannedVariant(
        name="100%", weight=1.0, model="late", version=3, model_version_id="id-3", package="0"
    )
    deployment = PlannedDeployment(name="late", variants=[variant], log_mode=log_mode)
    return route_of(handler_class, deployment, [load_model(contents, scored.LOADERS)], quick=quick)


def route_of(handler_class, deployment, models, *, quick, ids=None, online=None, logs=True):
    """A route, with what is compiled or without, and the log of its frames."""
    servings = [
        Serving(variant, model, online=online)
        for variant, model in zip(deployment.variants, models, strict=True)
    ]
    log = MemoryEventLog()
    path = ScoringPath(
        deployment,
        servings,
        inputs=shared_inputs(servings, "late"),
        clock=ManualClock(NOW),
        ids=ids or OneId(),
        appender=log.appender("predictions/late", "w", durability="written") if logs else None,
    )
    route = Route(handler_class(path), RouteMetrics())
    if not quick:
        route._quick = None
    return route, log


def logged(log):
    frames = [decode(payload) for _, payload in log.read("predictions/late")]
    return sorted(
        (msgspec.structs.replace(each, latency_us=0) for each in frames),
        key=lambda frame: msgspec.json.encode(frame, order="sorted"),
    )


wild = st.one_of(
    *(st.none(), st.booleans(), st.text(max_size=3), st.floats(allow_nan=False)),
    *(st.integers(), st.just([]), st.just("2013-04-01T00:00:00")),
)
days = st.dates().map(str) | st.integers(-(10**6), 10**6)
times = st.datetimes().map(lambda each: each.isoformat() + "Z") | st.integers(-(2**50), 2**50)
COLUMNS = {
    "carrier": st.none() | st.text(max_size=4) | st.just("AA"),
    "distance": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    "rush": st.none() | st.booleans(),
    "scheduled_at": st.none() | times,
    "tail": st.none() | st.integers(-(2**63), 2**63 - 1),
    "day": st.none() | days,
}
sound = st.fixed_dictionaries(COLUMNS)
spoilt = st.tuples(sound, st.sampled_from([*COLUMNS, "more"]), wild).map(
    lambda each: {**each[0], each[1]: each[2]}
)
lacking = st.tuples(sound, st.sampled_from(list(COLUMNS))).map(
    lambda each: {name: value for name, value in each[0].items() if name != each[1]}
)
a_row = sound | spoilt | lacking
besides = st.just({}) | st.fixed_dictionaries(
    {}, optional={"ids": st.just(["a"]), "purpose": st.just("trial"), "as_of": st.just(5)}
)
row_bodies = st.tuples(st.lists(a_row, max_size=3) | a_row.map(lambda row: [row]), besides).map(
    lambda each: json.dumps({"rows": each[0], **each[1]}).encode()
)
NATURAL = {"double": "FP64", "id": "INT64", "bool": "BOOL"}


def tensors(row, datatypes, shape):
    return [
        {
            "name": name,
            "shape": shape,
            "datatype": datatypes.get(name) or NATURAL.get(INPUTS.get(name), "BYTES"),
            "data": [value],
        }
        for name, value in row.items()
    ]


def ordered(tensors, order):
    """Tensors in another order of their names, or as they are."""
    return (
        tensors
        if order is None
        else sorted(tensors, key=lambda each: [*order, "more"].index(each["name"]))
    )


v2_bodies = st.builds(
    lambda row, datatypes, shape, more, order: json.dumps(
        {"inputs": ordered(tensors(row, datatypes, shape), order), **more}
    ).encode(),
    a_row,
    st.just({})
    | st.dictionaries(
        st.sampled_from(list(COLUMNS)), st.sampled_from(["INT8", "FP16", "BYTES", "UINT64", "x"])
    ),
    st.just([1]) | st.sampled_from([[1, 1], [2], [], [1.0]]),
    st.just({}) | st.sampled_from([{"id": "7"}, {"outputs": [{"name": "score"}]}, {"x": 1}]),
    st.none() | st.permutations(list(COLUMNS)),
)


def counted(metrics):
    return {
        name: (
            {status: cell[0] for status, cell in each.statuses.items()},
            each.cells[PREDICTIONS],
            sum(each.cells[FIRST_BUCKET:]),
        )
        for name, each in metrics.variants.items()
    }


def whole(replies):
    """Replies with the headers of their payloads."""
    return [(status, payload, reply_headers(payload)) for status, payload in replies]
