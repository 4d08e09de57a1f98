"""What is compiled for requests that are dealt to variants answers and logs as the path does."""

import json
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from quick_bodies import (
    INPUTS,
    TEXTS,
    OneId,
    counted,
    logged,
    make_contents,
    route_of,
    row_bodies,
    tensors,
    v2_bodies,
    whole,
)
from tondo.faces.scorer.protocols.rows import RowsHandler
from tondo.faces.scorer.protocols.v2 import V2Handler
from tondo.scoring.dealing import chooser
from tondo.scoring.model import load_model
from tondo.scoring.plan import PlannedDeployment, PlannedVariant, Target, bucket_of, choose

ROW = {**scored.ROW, "day": 5}
FEWER = {name: type_ for name, type_ in INPUTS.items() if name not in {"rush", "day"}}
WORDS = {name: INPUTS[name] for name in ("carrier", "distance")}
FEW_TEXTS = {name: TEXTS[name] for name in ("far", "exploding", "ratio")}


def variant(name, weight, version=1):
    return PlannedVariant(
        name=name, weight=weight, model="late", version=version, model_version_id=name, package="0"
    )


LIVE, CANDIDATE, THIRD = variant("live", 0.5), variant("new", 0.4, 2), variant("aside", 0.1, 3)
DEPLOYED = {
    "by id": {},
    "by a key": {"sticky": "carrier"},
    "by a number": {"sticky": "distance", "salt": "x"},
    "by what is no column": {"sticky": "nowhere"},
    "by buckets": {"sticky": "tail", "buckets": [(10, "new"), (9_000, "live"), (10_000, "aside")]},
    "by rules": {
        "sticky": "carrier",
        "targets": [
            Target(values=["AA", ""], variant="new"),
            Target(column="rush", values=[True], variant="aside"),
            Target(column="tail", values=[0, 1, 2], variant="new"),
            Target(column="absent", values=["x"], variant="new"),
        ],
    },
}


def models(*, others):
    """The models of three variants: all read the same columns, or the second reads fewer."""
    full = make_contents(INPUTS, TEXTS, ROW)
    few = make_contents(FEWER, FEW_TEXTS, {name: ROW[name] for name in FEWER}, bias=0.3)
    second = few if others else make_contents(INPUTS, TEXTS, ROW, bias=0.3)
    last = msgspec.structs.replace(full, threshold=None)
    return [load_model(each, scored.LOADERS) for each in (full, second, last)]


def test_a_column_that_was_left_out_is_asked_for_by_the_variant_that_reads_it():
    wide = make_contents(WORDS, {"aa": TEXTS["aa"]}, {name: ROW[name] for name in WORDS})
    narrow = make_contents({"distance": "double"}, {"far": TEXTS["far"]}, {"distance": 1.0})
    loaded = [load_model(each, scored.LOADERS) for each in (wide, narrow)]
    half = [variant("wide", 0.5), variant("narrow", 0.5, 2)]
    dealt = PlannedDeployment(name="late", variants=half, sticky="distance")
    bodies = [
        json.dumps({"rows": [{"distance": float(at), **more}]}).encode()
        for at in range(20)
        for more in ({}, {"carrier": "AA"}, {"carrier": None})
    ]
    quick, quick_log = route_of(RowsHandler, dealt, loaded, quick=True)
    plain, plain_log = route_of(RowsHandler, dealt, loaded, quick=False)
    silent, _ = route_of(RowsHandler, dealt, loaded, quick=True, logs=False)
    for body in bodies:
        answered = plain.answer_all([body])
        assert quick.answer_all([body]) == answered
        assert [status for status, _ in silent.answer_all([body])] == [answered[0][0]]
    assert {status for status, _ in map(quick.answer, bodies)} == {200, 400}
    for body in bodies:
        plain.answer(body)
    assert logged(quick_log) == logged(plain_log)


def deployment(changes):
    return PlannedDeployment(name="late", variants=[LIVE, CANDIDATE, THIRD], **changes)


@pytest.mark.parametrize("others", [False, True], ids=["same columns", "fewer columns"])
@pytest.mark.parametrize(("handler", "bodies"), [(RowsHandler, row_bodies), (V2Handler, v2_bodies)])
@pytest.mark.parametrize("changes", DEPLOYED.values(), ids=list(DEPLOYED))
def test_every_answer_and_frame_is_the_same(handler, bodies, changes, others):
    loaded, ids = models(others=others), OneId()
    quick, quick_log = route_of(handler, deployment(changes), loaded, quick=True, ids=ids)
    plain, plain_log = route_of(handler, deployment(changes), loaded, quick=False, ids=ids)
    assert quick._quick is not None

    @settings(max_examples=80, deadline=None)
    @given(st.lists(bodies, min_size=1, max_size=5), st.uuids())
    def check(batch, id_):
        ids.id = str(id_)
        assert whole(quick.answer_all(batch)) == whole(plain.answer_all(batch))

    check()
    assert logged(quick_log) == logged(plain_log)
    assert counted(quick.metrics) == counted(plain.metrics)


texts = st.text(max_size=2) | st.sampled_from(["AA", "None", "True", "1"])
values = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.just(msgspec.UNSET)
numbers = st.none() | st.integers(0, 3) | st.just(msgspec.UNSET)
names = st.sampled_from(["live", "new", "aside"])
TYPES = {"text": "string", "number": "double", "whole": "id", "flag": "bool", "list": "list<id>"}
rows = st.tuples(
    *(texts, values, numbers, st.none() | st.booleans()),
    st.none() | st.lists(st.integers(0, 3), max_size=2),
)
columns = st.sampled_from([*TYPES, "nowhere"])
targets = st.builds(
    Target,
    column=st.none() | columns,
    values=st.lists(texts | st.integers(0, 3) | st.booleans() | st.floats(0, 2), max_size=3),
    variant=names,
)
weights = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(any)
buckets = st.lists(st.tuples(st.integers(0, 10_000), names), max_size=4)
deployments = st.builds(
    lambda weights, **changes: PlannedDeployment(
        name="late",
        variants=[
            msgspec.structs.replace(each, weight=weight / sum(weights))
            for each, weight in zip((LIVE, CANDIDATE, THIRD), weights, strict=True)
        ],
        **changes,
    ),
    weights,
    buckets=st.just([]) | buckets.map(sorted) | buckets,
    targets=st.lists(targets, max_size=3),
    salt=st.text(max_size=2),
    sticky=st.none() | columns,
)


@settings(max_examples=400, deadline=None)
@given(deployments, st.lists(rows, min_size=1, max_size=10), st.uuids().map(str))
def test_a_row_by_position_is_dealt_as_the_plan_says(deployed, given_rows, id_):
    compiled = chooser(deployed, TYPES)
    for row in given_rows:
        told = {
            name: value
            for name, value in zip(TYPES, row, strict=True)
            if value is not msgspec.UNSET
        }
        key = id_ if deployed.sticky is None else str(told.get(deployed.sticky))
        assert compiled(id_, row) == choose(deployed, key, told).name


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=5), st.sampled_from([-1, 0, 1]))
def test_the_last_bucket_of_a_variant_is_its_own(key, beyond):
    end = bucket_of(deployment({}), key) + beyond
    dealt = deployment({"sticky": "text", "buckets": [(end, "new"), (10_000, "live")]})
    assert chooser(dealt, TYPES)("id", (key, None, None, None, None)) == choose(dealt, key).name


@pytest.mark.parametrize(
    ("handler", "body"),
    [(RowsHandler, {"rows": [ROW]}), (V2Handler, {"inputs": tensors(ROW, {}, [1])})],
)
@pytest.mark.parametrize("others", [False, True])
def test_dealt_requests_are_answered_by_what_was_compiled(handler, body, others):
    route, _ = route_of(handler, deployment({}), models(others=others), quick=True)
    ((status, _),) = route._quick.answer_all([json.dumps(body).encode()], 0, route.metrics)
    assert status == 200


def test_variants_that_answer_by_name_only_are_left_to_the_path():
    idle = [msgspec.structs.replace(each, weight=0) for each in (LIVE, CANDIDATE, THIRD)]
    named = PlannedDeployment(name="late", variants=idle)
    route, _ = route_of(RowsHandler, named, models(others=False), quick=True)
    assert route._quick is None


class CountedIds:
    """Gives ids that are never the same."""

    def __init__(self):
        self.made = 0

    def make_many(self, now_us, number):
        self.made += number
        return [f"id-{each}" for each in range(self.made - number, self.made)]


@pytest.mark.parametrize("turn", [1, 5])
def test_what_one_variant_cannot_answer_is_not_dealt_to_another(turn):
    loaded = models(others=False)[:2]
    broken = scored.contents(bias=float("nan"), inputs=INPUTS, samples=())
    loaded[1] = load_model(msgspec.structs.replace(broken, samples=[]), scored.LOADERS)
    dealt = PlannedDeployment(name="late", variants=[variant("live", 0.9), variant("new", 0.1, 2)])
    body = json.dumps({"rows": [ROW]}).encode()
    quick, quick_log = route_of(RowsHandler, dealt, loaded, quick=True, ids=CountedIds())
    plain, plain_log = route_of(RowsHandler, dealt, loaded, quick=False, ids=CountedIds())
    turns = range(200 // turn)
    answers = [each for _ in turns for each in quick.answer_all([body] * turn)]
    assert answers == [each for _ in turns for each in plain.answer_all([body] * turn)]
    failed = [status for status, _ in answers if status != 200]
    assert len(failed) == sum(choose(dealt, f"id-{each}").name == "new" for each in range(200))
    assert logged(quick_log) == logged(plain_log)
    assert sum(each.error is not None for each in logged(quick_log)) == len(failed) > 10
