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
    return model.predict([ROW, {**ROW, "distance": 5.0}])


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


def predictions(answer):
    assert answer.status == 200, answer.body
    return answer.json["predictions"]


BY_PLACE = [[row[name] for name in scored.INPUTS] for row in ROWS]


@pytest.mark.parametrize("place", ["", "/versions/1", "/labels/live", "/versions/live"])
def test_tensorflow_predicts_rows_and_columns(scorer, expected, place):
    url = f"/v1/models/late{place}:predict"
    answer = scorer.post(url, {"instances": ROWS, "signature_name": "serving_default"})
    assert predictions(answer) == expected
    columns = {name: [row[name] for row in ROWS] for name in ROW}
    assert scorer.post(url, {"inputs": columns}).json["outputs"] == expected


def test_tensorflow_answers_name_what_produced_them(scorer):
    told = scorer.post("/v1/models/late:predict", {"instances": ROWS}).json["metadata"]
    assert (told["version"], told["variant"], len(told["prediction_ids"])) == (1, "live", 2)


def test_tensorflow_takes_base64_and_not_a_number(scorer, expected):
    row = {**ROW, "carrier": {"b64": "QUE="}}
    assert predictions(scorer.post("/v1/models/late:predict", {"instances": [row]})) == expected[:1]
    nothing = scorer.post("/v1/models/late:predict", {"instances": [{**ROW, "distance": None}]})
    body = json.dumps({"instances": [{**ROW, "distance": float("nan")}]}).encode()
    assert predictions(scorer.post("/v1/models/late:predict", body)) == predictions(nothing)


def test_tensorflow_classifies_examples(scorer, expected):
    examples = [{name: [value] for name, value in row.items() if name != "tail"} for row in ROWS]
    body = {"examples": examples, "context": {"tail": 7}}
    answer = scorer.post("/v1/models/late:classify", body)
    assert answer.json["result"] == [[["0", 1 - each], ["1", each]] for each in expected]


def test_tensorflow_tells_status_and_metadata(scorer):
    for place in ("", "/versions/1", "/labels/live"):
        (version,) = scorer.get(f"/v1/models/late{place}").json["model_version_status"]
        assert (version["version"], version["state"]) == ("1", "AVAILABLE")
        body = scorer.get(f"/v1/models/late{place}/metadata").json
        signature = body["metadata"]["signature_def"]["signature_def"]["serving_default"]
        assert body["model_spec"] == {"name": "late", "signature_name": "", "version": "1"}
        assert signature["inputs"]["distance"]["dtype"] == "DT_DOUBLE"
        assert set(signature["inputs"]) == set(ROW)


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("predict", {}, 400, "TD-SCORE-005"),
        ("predict", {"instances": [], "inputs": {}}, 400, "TD-SCORE-005"),
        ("predict", {"instances": []}, 400, "TD-SCORE-007"),
        ("predict", {"instances": ROW}, 400, "TD-SCORE-005"),
        ("predict", {"instances": [5]}, 400, "TD-SCORE-005"),
        ("predict", {"instances": [{}]}, 400, "TD-SCORE-001"),
        ("predict", {"instances": [{**ROW, "distance": "x"}]}, 400, "TD-SCORE-002"),
        ("predict", {"instances": [{**ROW, "carrier": {"b64": "?"}}]}, 400, "TD-SCORE-005"),
        ("predict", {"instances": [{**ROW, "carrier": {"b64": 5}}]}, 400, "TD-SCORE-005"),
        ("predict", {"inputs": [1]}, 400, "TD-SCORE-005"),
        ("predict", {"inputs": {"distance": [1], "tail": []}}, 400, "TD-SCORE-005"),
        ("predict", {"inputs": {}}, 400, "TD-SCORE-007"),
        ("predict", {"instances": [ROW], "signature_name": "x"}, 400, "TD-SCORE-005"),
        ("predict", {"instances": [ROW], "signature_name": ["x"]}, 400, "TD-SCORE-005"),
        ("predict", b'{"instances": [NaN', 400, "TD-SCORE-005"),
        ("predict", b'{"instances": [Infinity, NaN]}', 400, "TD-SCORE-005"),
        ("predict", b"NaN" + b"[" * 100_000, 400, "TD-SCORE-005"),
        ("classify", {"examples": 5}, 400, "TD-SCORE-005"),
        ("classify", {"examples": [5]}, 400, "TD-SCORE-005"),
        ("classify", {"examples": [{}], "context": 5}, 400, "TD-SCORE-005"),
        ("regress", {"examples": [ROW]}, 400, "TD-SCORE-020"),
        ("explain", {"examples": [ROW]}, 404, "TD-WEB-004"),
    ],
)
def test_wrong_tensorflow_requests_are_refused(scorer, verb, body, status, code):
    answer = scorer.post(f"/v1/models/late:{verb}", body)
    assert (answer.status, answer.code, list(answer.json)) == (status, code, ["error"])


def test_an_unknown_tensorflow_model_or_version_lists_what_there_is(scorer):
    for path, code in (("lat", "TD-PLAN-004"), ("late/versions/9", "TD-PLAN-003")):
        answer = scorer.post(f"/v1/models/{path}:predict", {"instances": [ROW]})
        assert (answer.status, answer.code) == (404, code)
        assert scorer.get(f"/v1/models/{path}").status == 404


INVOKED = ["/invocations", "/endpoints/late/invocations"]


@pytest.mark.parametrize("url", INVOKED)
@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": list(ROW), "data": [list(row.values()) for row in ROWS]}},
        {"dataframe_split": {"index": [0, 1], "data": BY_PLACE}},
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"instances": BY_PLACE, "params": {}},
        {"instances": [{"features": row} for row in BY_PLACE]},
        {"instances": {name: [row[name] for row in ROWS] for name in ROW}},
        {"inputs": {name: [row[name] for row in ROWS] for name in ROW}},
        {"inputs": BY_PLACE},
        {"rows": ROWS},
    ],
)
def test_invocations_take_every_usual_body(scorer, expected, url, body):
    answer = scorer.post(url, body, headers={"content-type": "application/json; charset=utf-8"})
    assert predictions(answer) == expected
    assert answer.json["metadata"]["variant"] == answer.headers["x-tondo-variant"] == "live"


def csv_of(rows):
    lines = [",".join("" if each is None else str(each) for each in row) for row in rows]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("url", INVOKED)
@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("text/csv", BY_PLACE),
        ("text/csv", [list(scored.INPUTS), *BY_PLACE]),
        ("text/csv; header=absent", BY_PLACE),
        ("text/csv; header=present; charset=utf-8", [list(scored.INPUTS), *BY_PLACE]),
    ],
)
def test_invocations_take_csv(scorer, expected, url, kind, lines):
    answer = scorer.post(url, csv_of(lines), headers={"content-type": kind, "accept": "text/csv"})
    assert [float(each) for each in answer.body.split()] == expected
    assert answer.headers["content-type"].startswith("text/csv")


def test_an_empty_field_of_csv_is_null(scorer):
    row = {**ROW, "distance": None}
    body = csv_of([[row[name] for name in scored.INPUTS]])
    answer = scorer.post("/invocations", body, headers={"content-type": "text/csv"})
    assert predictions(answer) == predictions(scorer.post("/invocations", {"rows": [row]}))


def test_invocations_take_json_lines(scorer, expected):
    body = b"\n".join(json.dumps(each).encode() for each in [ROWS[0], {"features": BY_PLACE[1]}])
    kind = "application/jsonlines"
    answer = scorer.post("/endpoints/late/invocations", body, headers={"content-type": kind})
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert lines == [{"predictions": each} for each in expected]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({}, {}, 400, "TD-SCORE-005"),
        ([], {}, 400, "TD-SCORE-005"),
        (b"{", {}, 400, "TD-SCORE-005"),
        ({"instances": [ROW], "inputs": [ROW]}, {}, 400, "TD-SCORE-005"),
        ({"instances": [ROW], "params": {"x": 1}}, {}, 400, "TD-SCORE-005"),
        ({"instances": [[1, 2]]}, {}, 400, "TD-SCORE-005"),
        ({"instances": [{"features": 5}]}, {}, 400, "TD-SCORE-005"),
        ({"instances": [ROW] * 1001}, {}, 400, "TD-SCORE-007"),
        ({"dataframe_split": []}, {}, 400, "TD-SCORE-005"),
        ({"dataframe_split": {"data": [5]}}, {}, 400, "TD-SCORE-005"),
        ({"dataframe_split": {"columns": [1], "data": [[1]]}}, {}, 400, "TD-SCORE-005"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, {}, 400, "TD-SCORE-005"),
        (b"1,2", {"content-type": "text/csv"}, 400, "TD-SCORE-005"),
        (b'"', {"content-type": "text/csv"}, 400, "TD-SCORE-005"),
        (b"\xff", {"content-type": "text/csv"}, 400, "TD-SCORE-005"),
        (b"", {"content-type": "text/csv"}, 400, "TD-SCORE-007"),
        (b"tail,tail\n1,2", {"content-type": "text/csv"}, 400, "TD-SCORE-005"),
        (csv_of([["AA", "far", "true", 0, 7]]), {"content-type": "text/csv"}, 400, "TD-SCORE-002"),
        (b"{}\n{", {"content-type": "application/jsonlines"}, 400, "TD-SCORE-005"),
        (b"x", {"content-type": "application/x-recordio-protobuf"}, 415, "TD-SCORE-021"),
        ({"rows": [ROW]}, {"accept": "image/png"}, 415, "TD-SCORE-021"),
        ({"rows": [ROW]}, {"content-encoding": "gzip"}, 415, "TD-SCORE-021"),
    ],
)
@pytest.mark.parametrize("url", INVOKED)
def test_wrong_invocations_are_refused_in_the_shape_of_their_server(
    scorer, url, body, headers, status, code
):
    answer = scorer.post(url, body, headers={"content-type": "application/json", **headers})
    assert answer.status == status
    assert answer.json["message"].startswith(code)
    if url == "/invocations":
        assert answer.json["error_code"] == "BAD_REQUEST"
    else:
        assert answer.headers["x-amzn-errortype"] == "ValidationError"


def test_sagemakers_headers_are_taken_and_answered(scorer, expected):
    headers = {
        "content-type": "text/csv",
        "x-amzn-sagemaker-target-variant": "live",
        "x-amzn-sagemaker-inference-id": "mine",
        "x-amzn-sagemaker-custom-attributes": "a=b",
        "authorization": "AWS4-HMAC-SHA256 Credential=x",
    }
    answer = scorer.post("/endpoints/late/invocations", csv_of(BY_PLACE), headers=headers)
    assert [float(each) for each in answer.body.split()] == expected
    assert answer.headers["x-amzn-invoked-production-variant"] == "live"
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "a=b"
    assert answer.headers["x-amzn-requestid"] == "mine-0"
    answer = scorer.post(
        "/endpoints/late/invocations",
        {"instances": [ROW]},
        headers={"x-amzn-sagemaker-inference-id": "mine", "content-type": "application/json"},
    )
    assert answer.json["metadata"]["prediction_ids"] == ["mine"]


@pytest.mark.parametrize(
    ("url", "headers", "status", "code"),
    [
        ("/endpoints/lat/invocations", {}, 404, "TD-PLAN-004"),
        ("/endpoints/late/invocations", {"target-variant": "other"}, 404, "TD-PLAN-003"),
        ("/endpoints/late/invocations", {"target-model": "x"}, 400, "TD-SCORER-022"),
        ("/endpoints/late/invocations", {"inference-component": "x"}, 400, "TD-SCORER-022"),
        ("/endpoints/late/invocations", {"inference-id": "x" * 200}, 400, "TD-SCORE-008"),
    ],
)
def test_what_an_endpoint_does_not_have_is_refused(scorer, url, headers, status, code):
    headers = {f"x-amzn-sagemaker-{name}": value for name, value in headers.items()}
    answer = scorer.post(url, {"instances": [ROW]}, headers=headers)
    assert (answer.status, answer.json["message"].partition(":")[0]) == (status, code)
    assert answer.headers["x-amzn-errortype"] == "ValidationError"


def test_pings_and_version(scorer):
    for path in ("/ping", "/health"):
        answer = scorer.get(path)
        assert (answer.status, answer.body) == (200, b"")
    assert scorer.get("/version").body.count(b".") >= 1
