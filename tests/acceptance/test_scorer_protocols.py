"""The scorer's wire shapes; every test runs on the fast path and on the Starlette app."""

import http.client
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, running, tensors
from tondo.faces.scorer.bootstrap import load

INFER = "/v2/models/late/infer"
SCORE = "/v1/deployments/late/score"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    (folder / "forest.tondo").write_bytes(scored.package("forest", runtime="lightgbm"))
    return folder


@pytest.fixture(scope="module", params=WAYS)
def scorer(request, folder):
    with running("--packages", folder, way=request.param) as scorer:
        yield scorer


@pytest.fixture(scope="module")
def expected(folder):
    return load(folder / "late.tondo").predict(ROW)


def test_rows_are_scored_like_in_library_mode(scorer, folder):
    rows = [{**ROW, "distance": each / 7} for each in range(20)]
    for name in ("late", "forest"):
        answer = scorer.score(*rows, name=name)
        assert answer.status == 200
        scores = [each["score"] for each in answer.json["predictions"]]
        assert scores == load(folder / f"{name}.tondo").predict(rows)


def test_an_answer_names_what_produced_it(scorer):
    body = scorer.score().json
    assert (body["model"], body["version"], body["variant"], body["log_mode"]) == (
        "late",
        1,
        "live",
        "off",
    )
    assert body["model_version_id"].startswith("package-")
    assert body["predictions"][0]["decision"] is True


def test_as_of_ids_and_purpose_are_taken(scorer):
    answer = scorer.score(
        ROW, ROW, as_of="2013-04-01T00:00:00+02:00", ids=["a", "b"], purpose="trial"
    )
    assert answer.json["as_of"] == "2013-03-31T22:00:00Z"
    assert [each["id"] for each in answer.json["predictions"]] == ["a", "b"]


def test_v2_gives_the_same_scores(scorer, expected):
    answer = scorer.post(INFER, {"id": "mine", "inputs": tensors(ROW, {**ROW, "distance": 5})})
    assert answer.status == 200
    assert (answer.json["id"], answer.json["model_version"]) == ("mine", "1")
    (output,) = answer.json["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("score", "FP64", [2])
    assert output["data"][0] == expected


def test_v2_parameters(scorer):
    parameters = {"as_of": 5, "prediction_ids": ["x"], "purpose": "trial"}
    answer = scorer.post(INFER, {"inputs": tensors(ROW), "parameters": parameters}).json[
        "parameters"
    ]
    assert (answer["as_of_us"], answer["prediction_ids"]) == (5, ["x"])
    assert (answer["variant"], answer["log_mode"], answer["decisions"]) == ("live", "off", [True])


@pytest.mark.parametrize(
    "change",
    [
        {"datatype": "INT64", "data": [1400]},
        {"datatype": "FP32", "data": [1400]},
        {"shape": [1, 1], "data": [[1400.0]]},
        {"parameters": {"content_type": "np"}},
    ],
)
def test_v2_takes_the_usual_spellings_of_a_number(scorer, expected, change):
    inputs = tensors(ROW)
    inputs[1].update(change)
    assert scorer.post(INFER, {"inputs": inputs}).json["outputs"][0]["data"] == [expected]


def test_v2_takes_timestamps_in_microseconds(scorer, expected):
    inputs = tensors({**ROW, "scheduled_at": scored.ROW["scheduled_at"]})
    inputs[3]["datatype"] = "INT64"
    assert scorer.post(INFER, {"inputs": inputs}).json["outputs"][0]["data"] == [expected]


def test_metadata_says_what_may_be_sent(scorer):
    body = scorer.get("/v2/models/late").json
    assert {each["name"]: each["datatype"] for each in body["inputs"]} == {
        "carrier": "BYTES",
        "distance": "FP64",
        "rush": "BOOL",
        "scheduled_at": "BYTES",
        "tail": "INT64",
    }
    assert (body["name"], body["versions"], body["platform"]) == ("late", ["1"], "tondo_onnx")


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/late/ready",
        "/v2/models/late/versions/1",
        "/v2/models/late/versions/1/ready",
    ],
)
def test_health_and_readiness(scorer, path):
    assert scorer.get(path).status == 200


@pytest.mark.parametrize("version", ["1", "live"])
def test_versions_are_reached_by_number_and_name(scorer, version, expected):
    answer = scorer.post(f"/v2/models/late/versions/{version}/infer", {"inputs": tensors(ROW)})
    assert answer.json["outputs"][0]["data"] == [expected]
    answer = scorer.post(f"/v1/deployments/late/versions/{version}/score", {"rows": [ROW]})
    assert answer.json["predictions"][0]["score"] == expected


def without(name):
    return {key: value for key, value in ROW.items() if key != name}


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (without("distance"), "TD-SCORE-001", "rows[1].distance is missing"),
        ({**ROW, "distance": "far"}, "TD-SCORE-002", "rows[1].distance is 'far'"),
        ({**ROW, "tail": 7.5}, "TD-SCORE-002", "rows[1].tail"),
        ({**ROW, "scheduled_at": "2013-04-01T10:00:00"}, "TD-SCORE-002", "scheduled_at"),
        ({**ROW, "distanc": 1}, "TD-SCORE-003", "Did you mean 'distance'"),
        ("row", "TD-SCORE-005", "rows[1] is 'row'"),
    ],
)
def test_a_wrong_row_is_refused_and_the_field_named(scorer, row, code, words):
    answer = scorer.score(ROW, row)
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "TD-SCORE-005"),
        (b"{", "TD-SCORE-005"),
        (b"[]", "TD-SCORE-005"),
        (b"\xff\xfe", "TD-SCORE-005"),
        (b"[" * 100_000, "TD-SCORE-005"),
        (b'{"rows": [{"distance": NaN}]}', "TD-SCORE-005"),
        (b'{"rows": [{"distance": 1e999}]}', "TD-SCORE-005"),
        (b'{"rows": {}}', "TD-SCORE-005"),
        (b'{"row": []}', "TD-SCORE-005"),
        (b'{"rows": []}', "TD-SCORE-007"),
    ],
)
def test_a_body_of_another_shape_is_refused(scorer, body, code):
    answer = scorer.post(SCORE, body)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"as_of": "yesterday"}, "TD-SCORE-005"),
        ({"as_of": "2013-04-01T00:00:00"}, "TD-CORE-003"),
        ({"as_of": -5}, "TD-SCORE-006"),
        ({"ids": ["a", "b"]}, "TD-SCORE-008"),
        ({"ids": [5]}, "TD-SCORE-005"),
        ({"purpose": ""}, "TD-SCORE-009"),
        ({"purpose": 5}, "TD-SCORE-005"),
        ({"surplus": 1}, "TD-SCORE-005"),
    ],
)
def test_wrong_request_fields_are_refused(scorer, fields, code):
    answer = scorer.score(ROW, **fields)
    assert (answer.status, answer.code) == (400, code)


def test_more_than_a_thousand_rows_are_refused(scorer):
    assert scorer.score(*[ROW] * 1001).code == "TD-SCORE-007"


def edited(change, at=1):
    inputs = tensors(ROW)
    inputs[at].update(change)
    return {"inputs": inputs}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (edited({"datatype": "BYTES"}), "TD-SCORE-011"),
        (edited({"datatype": "FP65"}), "TD-SCORE-011"),
        (edited({"shape": [2]}), "TD-SCORE-011"),
        (edited({"data": []}), "TD-SCORE-011"),
        (edited({"data": ["x"]}), "TD-SCORE-002"),
        (edited({"name": "distanc"}), "TD-SCORE-003"),
        (edited({"name": "carrier", "datatype": "BYTES", "data": ["AA"]}), "TD-SCORE-011"),
        ({"inputs": tensors(ROW)[:-1]}, "TD-SCORE-001"),
        ({"inputs": []}, "TD-SCORE-011"),
        ({"inputs": tensors(ROW), "outputs": [{"name": "scor"}]}, "TD-SCORE-011"),
        ({"inputs": tensors(ROW), "parameters": {"asof": 5}}, "TD-SCORE-011"),
        ({"surplus": 1}, "TD-SCORE-011"),
        (b"{", "TD-SCORE-005"),
    ],
)
def test_wrong_v2_requests_are_refused_in_the_protocols_shape(scorer, body, code):
    answer = scorer.post(INFER, body)
    assert (answer.status, answer.code) == (400, code)
    assert list(answer.json) == ["error"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/deployments/lat/score", 404, "TD-PLAN-004"),
        ("/v1/deployments/late/versions/9/score", 404, "TD-PLAN-003"),
        ("/v2/models/lat/infer", 404, "TD-PLAN-004"),
        ("/v2/models/late/versions/9/infer", 404, "TD-PLAN-003"),
        ("/v2/nothing", 404, "TD-WEB-004"),
        ("/v2/models/late", 405, "TD-WEB-005"),
    ],
)
def test_unknown_addresses_list_what_there_is(scorer, path, status, code):
    answer = scorer.post(path, {})
    assert (answer.status, answer.code) == (status, code)


def test_several_requests_share_a_connection(scorer, expected):
    connection = scorer.connect()
    for body in ({"rows": [ROW]}, {"rows": [{}]}, {"rows": [ROW]}):
        connection.request("POST", SCORE, json.dumps(body))
        response = connection.getresponse()
        data = json.loads(response.read())
    assert data["predictions"][0]["score"] == expected
    connection.request("GET", "/v2/health/live")
    assert connection.getresponse().read() == b'{"live":true}'


def test_pipelined_requests_are_answered_in_order(scorer):
    connection = scorer.connect()
    connection.connect()
    asked = b""
    for number in range(3):
        body = json.dumps({"rows": [ROW], "ids": [f"p{number}"]}).encode()
        asked += b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (
            SCORE.encode(),
            len(body),
            body,
        )
        asked += b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
    connection.sock.sendall(asked)
    stream = connection.sock.makefile("rb")
    seen = []
    for _ in range(6):
        assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
        headers = http.client.parse_headers(stream)
        body = json.loads(stream.read(int(headers["content-length"])))
        seen.append(body["predictions"][0]["id"] if "predictions" in body else "live")
    assert seen == ["p0", "live", "p1", "live", "p2", "live"]


def test_a_body_sent_in_pieces_and_in_chunks(scorer, expected):
    connection = scorer.connect()
    body = json.dumps({"rows": [ROW]}).encode()
    connection.request("POST", SCORE, iter([body[:10], body[10:]]), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["predictions"][0]["score"] == expected
    connection.putrequest("POST", SCORE)
    connection.putheader("content-length", str(len(body)))
    connection.endheaders()
    for at in range(0, len(body), 20):
        connection.send(body[at : at + 20])
    assert json.loads(connection.getresponse().read())["predictions"][0]["score"] == expected


@pytest.mark.parametrize("size", [9 << 20, 12 << 20, 24 << 20])
@pytest.mark.parametrize("headers", [{}, {"connection": "close"}])
def test_a_body_too_large_is_refused_without_being_kept(scorer, size, headers):
    answer = scorer.post(SCORE, b" " * size, headers=headers)
    assert (answer.status, answer.code) == (413, "TD-SCORE-010")


def test_a_body_in_another_encoding_is_refused_when_it_has_come(scorer):
    answer = scorer.post(SCORE, b" " * (4 << 20), headers={"content-encoding": "gzip"})
    assert (answer.status, answer.code) == (415, "TD-SCORE-021")


def test_who_asks_before_sending_too_much_is_told_at_once(scorer):
    connection = scorer.connect()
    connection.putrequest("POST", SCORE)
    connection.putheader("content-length", str(1 << 40))
    connection.putheader("expect", "100-continue")
    connection.endheaders()
    answer = connection.getresponse()  # skips a 100 before it
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_a_body_without_an_end_is_cut_off(scorer):
    connection = scorer.connect()
    connection.putrequest("POST", SCORE)
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    with pytest.raises(ConnectionError):
        for _ in range(2_000):
            connection.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def test_another_sites_page_is_refused(scorer):
    answer = scorer.post(SCORE, {"rows": [ROW]}, headers={"origin": "http://evil.example"})
    assert (answer.status, answer.code) == (403, "TD-WEB-002")
    answer = scorer.post(SCORE, {"rows": [ROW]}, headers={"host": "evil.example"})
    assert (answer.status, answer.code) == (421, "TD-WEB-001")


def test_status_and_metrics_count(scorer):
    before = scorer.get("/v1/status").json["counters"]["late/rows"]
    scorer.score(ROW, ROW)
    scorer.score({})
    after = scorer.get("/v1/status").json["counters"]["late/rows"]
    assert {name: after[name] - before[name] for name in after} == {
        "requests": 2,
        "predictions": 2,
        "shed": 0,
        "errors": 1,
    }
    text = scorer.get("/metrics").body.decode()
    labels = 'deployment="late",protocol="rows",variant="live"'
    assert f"tondo_predictions_total{{{labels}}} {after['predictions']}" in text
    assert 'le="+Inf"' in text


def test_replies_carry_type_length_and_date(scorer):
    headers = scorer.score().headers
    assert headers["content-type"] == "application/json"
    assert headers["date"].endswith("GMT")
