"""The scorer's further wire shapes; every test runs on the fast path and on the Starlette app."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, running, tensors
from tondo.faces.scorer.bootstrap import load

INFER = "/v2/models/late/infer"
LENGTH = "inference-header-content-length"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    return folder


@pytest.fixture(scope="module", params=WAYS)
def scorer(request, folder):
    with running("--packages", folder, way=request.param) as scorer:
        yield scorer


@pytest.fixture(scope="module")
def expected(folder):
    model = load(folder / "late.tondo")
    return model.predict_table([ROW, {**ROW, "distance": 5.0}])


ROWS = [ROW, {**ROW, "distance": 5.0}]
PACKED = {
    "BYTES": lambda values: b"".join(
        struct.pack("<I", len(each.encode())) + each.encode() for each in values
    ),
    "FP64": lambda values: np.array(values, "<f8").tobytes(),
    "FP32": lambda values: np.array(values, "<f4").tobytes(),
    "INT64": lambda values: np.array(values, "<i8").tobytes(),
    "UINT8": lambda values: np.array(values, "u1").tobytes(),
    "BOOL": lambda values: bytes(map(int, values)),
}


def packed(rows=ROWS, *, change=None, **body):
    """A V2 body in bytes, and the length of its JSON."""
    inputs, behind = tensors(*rows), b""
    for tensor in inputs:
        tensor.update((change or {}).get(tensor["name"], {}))
        data = PACKED[tensor["datatype"]](tensor.pop("data"))
        tensor.setdefault("parameters", {"binary_data_size": len(data)})
        behind += data
    head = json.dumps({"inputs": inputs, **body}).encode()
    return head + behind, len(head)


def infer(scorer, body, length, **headers):
    return scorer.post(INFER, body, headers={LENGTH: str(length), **headers})


def test_v2_takes_values_as_bytes(scorer, expected):
    answer = infer(scorer, *packed())
    assert answer.json["outputs"][0]["data"] == expected


@pytest.mark.parametrize(
    "asked",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "score", "parameters": {"binary_data": True}}]},
    ],
)
def test_v2_gives_scores_as_bytes(scorer, expected, asked):
    answer = scorer.post(INFER, {"inputs": tensors(*ROWS), **asked})
    length = int(answer.headers[LENGTH])
    head = json.loads(answer.body[:length])
    assert head["outputs"] == [
        {
            "name": "score",
            "datatype": "FP64",
            "shape": [2],
            "parameters": {"binary_data_size": 16},
        }
    ]
    assert np.frombuffer(answer.body[length:], "<f8").tolist() == expected
    assert answer.headers["content-type"] == "application/octet-stream"


def test_an_output_that_is_asked_for_as_json_is_json(scorer, expected):
    asked = {
        "parameters": {"binary_data_output": True},
        "outputs": [{"name": "score", "parameters": {"binary_data": False}}],
    }
    answer = scorer.post(INFER, {"inputs": tensors(*ROWS), **asked})
    assert answer.json["outputs"][0]["data"] == expected


@pytest.mark.parametrize(
    "change",
    [
        {"distance": {"datatype": "FP32"}},
        {"distance": {"datatype": "INT64", "data": [1400, 5]}},
        {"tail": {"datatype": "UINT8"}},
    ],
)
def test_v2_takes_other_number_types_as_bytes(scorer, expected, change):
    answer = infer(scorer, *packed(change=change))
    assert answer.json["outputs"][0]["data"] == expected


def test_no_number_in_bytes_is_null(scorer):
    nothing = [{**ROW, "distance": None}]
    plain = scorer.post(INFER, {"inputs": tensors(*nothing)}).json
    change = {"distance": {"data": [float("nan")]}}
    answer = infer(scorer, *packed(nothing, change=change))
    assert answer.json["outputs"] == plain["outputs"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"distance": {"parameters": {"binary_data_size": 15}}}, "TD-SCORE-011"),
        ({"distance": {"parameters": {"binary_data_size": 8}}}, "TD-SCORE-011"),
        ({"tail": {"parameters": {"binary_data_size": 17}}}, "TD-SCORE-011"),
        ({"tail": {"parameters": {"binary_data_size": -1}}}, "TD-SCORE-011"),
        ({"tail": {"parameters": {"binary_data_size": True}}}, "TD-SCORE-011"),
        ({"tail": {"parameters": {}}}, "TD-SCORE-011"),
        ({"distance": {"data": [float("inf"), 1.0]}}, "TD-SCORE-004"),
        ({"distance": {"shape": [3]}}, "TD-SCORE-011"),
        ({"distance": {"shape": []}}, "TD-SCORE-011"),
        ({"distance": {"shape": [-2]}}, "TD-SCORE-011"),
    ],
)
def test_wrong_bytes_are_refused(scorer, change, code):
    answer = infer(scorer, *packed(change=change))
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_half_numbers_are_refused(scorer, datatype):
    head = {"inputs": tensors(ROW)}
    head["inputs"][1] = {
        "name": "distance",
        "shape": [1],
        "datatype": datatype,
        "parameters": {"binary_data_size": 2},
    }
    text = json.dumps(head).encode()
    answer = infer(scorer, text + b"\0\0", len(text))
    assert (answer.status, answer.code) == (400, "TD-SCORE-011")
    assert datatype in answer.message


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "999999", "", "\u00b2"])
def test_a_wrong_length_of_the_json_is_refused(scorer, length):
    body, _ = packed()
    answer = infer(scorer, body, length)
    assert (answer.status, answer.code) == (400, "TD-SCORE-011")


def test_cut_off_texts_are_refused(scorer):
    change = {"carrier": {"datatype": "BYTES", "parameters": {"binary_data_size": 11}}}
    answer = infer(scorer, *packed(change=change))
    assert answer.code == "TD-SCORE-011"


def test_a_request_id_comes_back_and_is_the_requests_id(scorer):
    answer = scorer.post(INFER, {"inputs": tensors(ROW)}, headers={"x-request-id": "mine-1"})
    assert (answer.headers["x-request-id"], answer.json["id"]) == ("mine-1", "mine-1")
    answer = scorer.post(INFER, {}, headers={"x-request-id": "mine-2"})
    assert (answer.status, answer.headers["x-request-id"]) == (400, "mine-2")
    answer = scorer.score(ROW)
    assert "x-request-id" not in answer.headers


def test_a_trace_goes_on_in_the_reply(scorer):
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = scorer.post(INFER, {"inputs": tensors(ROW)}, headers=headers)
    version, same, span, flags = answer.headers["traceparent"].split("-")
    assert (version, same, flags) == ("00", trace, "01")
    assert span != "b7ad6b7169203331"
    answer = scorer.post(INFER, {"inputs": tensors(ROW)}, headers={"traceparent": "00-0-0-0"})
    assert (answer.status, "traceparent" in answer.headers) == (200, False)
