"""What is compiled for the commonest request answers, logs and refuses as the scoring path does."""

import itertools
import json
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from quick_bodies import (
    counted,
    logged,
    make_contents,
    make_route,
    row_bodies,
    tensors,
    v2_bodies,
    whole,
)
from tondo.faces.scorer.protocols import binary
from tondo.faces.scorer.protocols.carried import Sent
from tondo.faces.scorer.protocols.rows import RowsHandler
from tondo.faces.scorer.protocols.v2 import V2Handler


@pytest.mark.parametrize("threshold", [0.5, None])
@pytest.mark.parametrize(("handler", "bodies"), [(RowsHandler, row_bodies), (V2Handler, v2_bodies)])
def test_every_answer_and_frame_is_the_same(handler, bodies, threshold):
    quick, quick_log = make_route(handler, quick=True, threshold=threshold)
    plain, plain_log = make_route(handler, quick=False, threshold=threshold)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(bodies | st.binary(max_size=20), min_size=1, max_size=4))
    def check(batch):
        assert quick.answer_all(batch) == plain.answer_all(batch)

    check()
    assert logged(quick_log) == logged(plain_log)
    assert counted(quick.metrics) == counted(plain.metrics)


@pytest.mark.parametrize(
    ("handler", "body"),
    [
        (RowsHandler, {"rows": [{**scored.ROW, "day": 5}]}),
        (V2Handler, {"inputs": tensors({**scored.ROW, "day": 5}, {}, [1])}),
    ],
)
def test_the_commonest_request_is_answered_by_what_was_compiled(handler, body):
    route, _ = make_route(handler, quick=True)
    ((status, _),) = route._quick.answer_all([json.dumps(body).encode()], 0, route.metrics)
    assert status == 200


BYTES_BACK = {"parameters": {"binary_data_output": True}}
DOUBLES = {"x": "double", "y": "double", "z": "double"}
SUMS = {"sum": "x + y", "z": "z", "root": "sqrt(x)"}


def binary_body(values, names, size, more, cut, header, besides=None):
    """One tensor of bytes for each name, and the bytes of the values."""
    parameters = {"parameters": {"binary_data_size": size}, **more}
    inputs = [{"name": name, "shape": [1], "datatype": "FP64", **parameters} for name in names]
    head = json.dumps({"inputs": inputs, **(besides or {})}).encode()
    data = struct.pack(f"<{len(values)}d", *values)
    told = {"inference-header-content-length": str(len(head)), **header}
    return Sent.of(head + data[: len(data) - cut], told)


def typed_body(values, shape, besides):
    """A tensor of bytes for each column, of the datatypes that are given with the values."""
    inputs, data = [], b""
    for name, (datatype, value) in zip("xyz", values, strict=True):
        size, sign = binary.FORMATS[datatype]
        parameters = {"binary_data_size": size}
        inputs.append(
            {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}
        )
        data += struct.pack(f"<{sign}", value)
    head = json.dumps({"inputs": inputs, **besides}).encode()
    return Sent.of(head + data, {"inference-header-content-length": str(len(head))})


as_bytes = st.sampled_from([True, True, False, 1, None])
asked = st.fixed_dictionaries(
    {},
    optional={
        "parameters": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "binary_data_output": as_bytes,
                "purpose": st.sampled_from(["live", "trial"]),
                "prediction_ids": st.sampled_from([None, ["a"]]),
                "as_of": st.sampled_from([None, 5]),
            },
        ),
        "outputs": st.none()
        | st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["score", "score", "scores"])},
                optional={
                    "parameters": st.none() | st.fixed_dictionaries({"binary_data": as_bytes}),
                    "data": st.just([1]),
                },
            ),
            max_size=2,
        ),
        "id": st.just("7"),
    },
)
binary_bodies = st.builds(
    binary_body,
    st.lists(st.floats(), min_size=3, max_size=3) | st.lists(st.floats(), max_size=4),
    st.just("xyz") | st.permutations("xyz") | st.sampled_from(["xy", "xyzz", "xyw", "xx"]),
    st.sampled_from([8, 8, 8, 4, "8"]),
    st.just({}) | st.sampled_from([{"data": [1.0]}, {"extra": 1}, {"shape": [1, 1]}]),
    st.sampled_from([0, 0, 0, 1, 8]),
    st.just({})
    | st.sampled_from([{"x-request-id": "7"}, {"inference-header-content-length": "3"}]),
    st.none() | asked,
)
of_a_type = st.one_of(
    st.tuples(st.just("FP64"), st.floats()),
    st.tuples(st.just("FP32"), st.floats(width=32)),
    *(
        st.tuples(
            st.just(f"{'U' * (not signed)}INT{bits}"),
            st.integers(-(2 ** (bits - 1)) * signed, 2 ** (bits - signed) - 1),
        )
        for bits in (8, 16, 32, 64)
        for signed in (False, True)
    ),
)
typed_bodies = st.builds(
    typed_body,
    st.tuples(of_a_type, of_a_type, of_a_type),
    st.sampled_from([[1], [1], [1, 1], [1, 1, 1], [2]]),
    asked,
)


def test_tensors_as_bytes_are_answered_the_same():
    contents = make_contents(DOUBLES, SUMS, {"x": 1.0, "y": 2.0, "z": 3.0})
    quick, quick_log = make_route(V2Handler, quick=True, contents=contents)
    plain, plain_log = make_route(V2Handler, quick=False, contents=contents)
    usual = binary_body([1.0, 2.0, 3.0], "xyz", 8, {}, 0, {})
    assert quick.takes(usual)
    back = binary_body([1.0, 2.0, 3.0], "xyz", 8, {}, 0, {}, BYTES_BACK)
    bodies = st.one_of(
        binary_bodies, typed_bodies, st.binary(max_size=20), *map(st.just, [usual, back])
    )

    @settings(max_examples=600, deadline=None)
    @given(st.lists(bodies, min_size=1, max_size=4))
    def check(batch):
        assert whole(quick.answer_all(batch)) == whole(plain.answer_all(batch))

    check()
    assert logged(quick_log) == logged(plain_log)
    assert counted(quick.metrics) == counted(plain.metrics)


ASKS = [
    BYTES_BACK,
    {"outputs": [{"name": "score", "parameters": {"binary_data": True}}]},
    {"outputs": [{"name": "score", "parameters": {"binary_data": False}}]},
    {**BYTES_BACK, "outputs": [{"name": "score"}]},
    {**BYTES_BACK, "outputs": [{"name": "score", "parameters": {"binary_data": False}}]},
    {"outputs": [{"name": "score", "parameters": {"binary_data": each}} for each in (True, False)]},
]


@pytest.mark.parametrize("asks", ASKS, ids=str)
def test_bytes_back_are_written_by_what_was_compiled(asks):
    contents = make_contents(DOUBLES, SUMS, {"x": 1.0, "y": 2.0, "z": 3.0})
    route, _ = make_route(V2Handler, quick=True, contents=contents)
    plain, _ = make_route(V2Handler, quick=False, contents=contents)
    values = [("FP64", 1.0), ("FP32", 2.0), ("INT64", 3)]
    body = typed_body(values, [1, 1], asks)
    assert route.takes(body)
    assert whole(route.answer_all([body])) == whole(plain.answer_all([body]))


@pytest.mark.parametrize("changes", [{"log_mode": "sampled"}])
def test_what_samples_its_log_is_not_compiled(changes):
    route, _ = make_route(RowsHandler, quick=True, **changes)
    assert route._quick is None


def test_tensors_in_an_order_of_their_own_are_read_by_what_was_compiled():
    route, _ = make_route(V2Handler, quick=True)
    own = tensors({**scored.ROW, "day": 5}, {}, [1])
    for order in (own, own[::-1], own[2:] + own[:2], own):
        assert route.takes(json.dumps({"inputs": order}).encode())
    assert not route.takes(json.dumps({"inputs": [*own, own[0]]}).encode())


def test_whoever_sends_ever_another_order_is_left_to_the_path():
    route, _ = make_route(V2Handler, quick=True)
    own = tensors({**scored.ROW, "day": 5}, {}, [1])
    orders = itertools.islice(itertools.permutations(own), 40)
    taken = [route.takes(json.dumps({"inputs": order}).encode()) for order in orders]
    assert taken == [True] * 16 + [False] * 24
    assert route.takes(json.dumps({"inputs": own}).encode())


def test_bytes_in_an_order_of_their_own_are_read_by_what_was_compiled():
    contents = make_contents(DOUBLES, SUMS, {"x": 1.0, "y": 2.0, "z": 3.0})
    route, _ = make_route(V2Handler, quick=True, contents=contents)
    assert route._quick.read([binary_body([1.0, 2.0, 3.0], "zyx", 8, {}, 0, {})])[0] == ((3, 2, 1),)
    assert not route.takes(binary_body([1.0, 2.0, 3.0], "xyy", 8, {}, 0, {}))
