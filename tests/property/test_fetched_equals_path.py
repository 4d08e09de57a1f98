"""What is compiled for requests with features to read answers and logs as the path does."""

import json
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from quick_bodies import NOW, counted, logged, route_of, whole
from tondo.adapters.online.memory.store import MemoryStore
from tondo.faces.scorer.protocols.rows import RowsHandler
from tondo.faces.scorer.protocols.v2 import V2Handler
from tondo.language.tree import Column
from tondo.scoring.layout import ViewLayout
from tondo.scoring.model import load_model
from tondo.scoring.online import lookup_key, pack_lookup
from tondo.scoring.plan import PlannedDeployment, PlannedVariant

HOUR_US = 3_600_000_000
WEATHER = ViewLayout(
    view="weather",
    version="0a1b2c3d",
    kind="lookup",
    entity="place",
    key="place",
    key_type="string",
    features={"wind": "double", "gusts": "id", "storm": "bool"},
    freshness_us=HOUR_US,
    ttl_us=2 * HOUR_US,
)
FLEET = msgspec.structs.replace(
    WEATHER,
    view="fleet",
    entity="tail",
    key="tail",
    key_type="id",
    features={"size": "double"},
    ttl_us=None,
)
FEATURES = {
    "wind": ("@weather.wind[origin]", "weather", "wind", "origin"),
    "gusts": ("@weather.gusts[origin]", "weather", "gusts", "origin"),
    "there": ("@weather.wind[goal]", "weather", "wind", "goal"),
    "storm": ("@weather.storm[goal]", "weather", "storm", "goal"),
    "size": ("@fleet.size[tail]", "fleet", "size", "tail"),
}
TYPES = {"gusts": "id", "storm": "bool"}
SENT = {"origin": "string", "goal": "string", "tail": "id", "distance": "double"}
ROW = {"origin": "JFK", "goal": "LGA", "tail": 1, "distance": 3.0}
PLACES = {"JFK": 0.5, "LGA": 1.5, "EWR": 2.5, "late": -1.0, "damaged": 1.0}


def contents(names, **changes):
    """A model of one sent column and some view features."""
    read = [FEATURES[name] for name in names]
    inputs = {"distance": "double", **{key: SENT[key] for *_, key in read}}
    features = {name: Column(FEATURES[name][0], TYPES.get(name, "double")) for name in names}
    found = {each[0]: 1.0 for each in read} | {
        FEATURES[name][0]: value for name, value in (("gusts", 1), ("storm", True))
    }
    return scored.contents(
        inputs=inputs,
        features={"distance": Column("distance", "double"), **features},
        views={
            each.view: each for each in (WEATHER, FLEET) if each.view in {v for _, v, *_ in read}
        },
        view_features=read,
        samples=[{**{key: ROW[key] for key in inputs}, **found}],
        **changes,
    )


def filled_store():
    store = MemoryStore()
    for place, hours in PLACES.items():
        at_us = NOW - int(hours * HOUR_US)
        for earlier_us in (0, 5 * HOUR_US):
            key = lookup_key(WEATHER, place, at_us - earlier_us)
            values = {"wind": hours + earlier_us, "gusts": 7, "storm": hours > 1}
            store.put_many([(key, pack_lookup(WEATHER, at_us - earlier_us, values))])
    store.put_many([(lookup_key(WEATHER, "damaged", NOW), b"\x93")])
    for tail in (1, 2):
        values = pack_lookup(FLEET, NOW - tail, {"size": None if tail == 2 else 4.0})
        store.put_many([(lookup_key(FLEET, tail, NOW - tail), values)])
    return store


def variants(*names):
    return [
        PlannedVariant(
            name=name,
            weight=1 / len(names),
            model="late",
            version=at,
            model_version_id=name,
            package="0",
        )
        for at, name in enumerate(names)
    ]


ALL, FEW = tuple(FEATURES), ("wind", "size")
MODELS = {
    "one": [contents(ALL)],
    "two that read the same": [contents(ALL), contents(ALL, bias=0.3)],
    "two that read otherwise": [contents(ALL), contents(FEW, bias=0.3)],
    "one reads nothing": [contents(FEW), contents((), bias=0.3)],
}
STORE = filled_store()


def make_route(handler, models, *, quick):
    deployment = PlannedDeployment(
        name="late", variants=variants(*("live", "new")[: len(models)]), sticky="distance"
    )
    loaded = [load_model(each, scored.LOADERS) for each in models]
    return route_of(handler, deployment, loaded, quick=quick, online=STORE)


wild = st.sampled_from([None, 1, "x", 2.0, [], True])
places = st.none() | st.sampled_from([*PLACES, "JFK", "LGA", "", "nowhere"])
row = st.fixed_dictionaries(
    {
        "origin": places,
        "goal": places,
        "tail": st.none() | st.integers(0, 3),
        "distance": st.none() | st.floats(0, 9),
    }
)
spoilt = st.tuples(row, st.sampled_from([*SENT, "@fleet.size[tail]"]), wild).map(
    lambda each: {**each[0], each[1]: each[2]}
)
lacking = st.tuples(row, st.sampled_from(list(SENT))).map(
    lambda each: {name: value for name, value in each[0].items() if name != each[1]}
)
rows = row | row | spoilt | lacking


def own_columns(models):
    """Columns that may be sent, in their order, with one that may not."""
    return [*dict.fromkeys(name for each in models for name in each.inputs), "@fleet.size[tail]"]


def row_body(row):
    return json.dumps({"rows": [row]}).encode()


def v2_body(row):
    types = {"origin": "BYTES", "goal": "BYTES", "tail": "INT64"}
    return json.dumps(
        {
            "inputs": [
                {"name": name, "shape": [1], "datatype": types.get(name, "FP64"), "data": [value]}
                for name, value in row.items()
            ]
        }
    ).encode()


@pytest.mark.parametrize(("handler", "body_of"), [(RowsHandler, row_body), (V2Handler, v2_body)])
@pytest.mark.parametrize("models", MODELS.values(), ids=list(MODELS))
def test_every_answer_and_frame_is_the_same(handler, body_of, models):
    quick, quick_log = make_route(handler, models, quick=True)
    plain, plain_log = make_route(handler, models, quick=False)
    own = own_columns(models)
    usual = body_of({name: ROW[name] for name in own if name in ROW})
    ((status, _),) = quick._quick.answer_all([usual], 0, quick.metrics)
    assert status == 200
    plain.answer_all([usual])

    @settings(max_examples=150, deadline=None)
    @given(st.lists(rows, min_size=1, max_size=5))
    def check(batch):
        bodies = [body_of({name: each[name] for name in own if name in each}) for each in batch]
        assert whole(quick.answer_all(bodies)) == whole(plain.answer_all(bodies))

    check()
    assert logged(quick_log) == logged(plain_log)
    assert counted(quick.metrics) == counted(plain.metrics)
