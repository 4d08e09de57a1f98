"""TLS, spans, metrics by a strict parser, which deployment /invocations is: the wire's settings."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, Workspace, free_port, running, tensors
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import decode

SCORE = "/v1/deployments/late/score"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    for name in ("late", "forest"):
        (folder / f"{name}.tondo").write_bytes(scored.package(name))
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate for 127.0.0.1 that we made, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("way", WAYS)
def test_everything_is_spoken_over_tls(folder, pair, way):
    certificate, key = pair
    grpc = pytest.importorskip("grpc")
    port = free_port()
    options = ("--tls-cert", certificate, "--tls-key", key, "--grpc-port", port)
    with running("--packages", folder, *options, way=way) as scorer:
        assert scorer.process.address == f"https://127.0.0.1:{scorer.port}"
        trusted = ssl.create_default_context(cafile=certificate)
        request = urllib.request.Request(
            scorer.process.address + SCORE, json.dumps({"rows": [ROW]}).encode()
        )
        with urllib.request.urlopen(request, context=trusted, timeout=20) as response:
            assert json.loads(response.read())["predictions"][0]["decision"] is True
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
            live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
            assert live(b"", timeout=20) == b"\x08\x01"
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{scorer.port}/v2", timeout=20)


def refusal(*arguments):
    command = [sys.executable, "-m", "tondo.faces.scorer", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    return done.stderr


def test_a_certificate_that_cannot_be_used_ends_the_start(folder, pair, tmp_path):
    certificate, _ = pair
    other = tmp_path / "other.pem"
    other.write_text("nothing")
    for options in (
        ("--tls-cert", certificate),
        ("--tls-cert", certificate, "--tls-key", other),
    ):
        assert "TD-SCORER-021" in refusal("--packages", folder, "--port", 0, *options)


def test_a_span_file_that_cannot_be_written_ends_the_start(folder, tmp_path):
    said = refusal("--packages", folder, "--port", 0, "--spans", tmp_path / "gone" / "spans")
    assert "TD-SCORER-023" in said


@pytest.mark.parametrize("way", WAYS)
def test_a_traced_request_leaves_a_span_that_continues_the_trace(folder, tmp_path, way):
    spans = tmp_path / "spans.jsonl"
    with running("--packages", folder, "--spans", spans, way=way) as scorer:
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        answer = scorer.post(SCORE, {"rows": [ROW]}, headers=headers)
        scorer.post(SCORE, {"rows": [{}]}, headers=headers)
        scorer.score(ROW)
        lines = [json.loads(line) for line in spans.read_text().splitlines()]
    assert [each["traceId"] for each in lines] == [TRACE, TRACE]
    span = lines[0]
    assert span["spanId"] == answer.headers["traceparent"].split("-")[2]
    assert (span["parentSpanId"], span["name"]) == ("b7ad6b7169203331", f"POST {SCORE}")
    assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
    codes = [each["attributes"][0]["value"]["intValue"] for each in lines]
    assert codes == ["200", "400"]


@pytest.mark.parametrize("way", WAYS)
def test_a_request_id_and_a_trace_are_in_the_log(folder, tmp_path, way):
    with running("--packages", folder, "--log", tmp_path, way=way) as scorer:
        scorer.post(SCORE, {"rows": [ROW]}, headers={"x-request-id": "mine"})
        trace = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        scorer.post(SCORE, {"rows": [ROW]}, headers=trace)
        answer = scorer.score(ROW)
    frames = [decode(each) for _, each in FilesEventLog(tmp_path).read("predictions/late")]
    own = answer.json["predictions"][0]["id"]
    assert [each.request_id for each in frames] == ["mine", TRACE, own]


def samples(scorer):
    text = scorer.get("/metrics").body.decode()
    return {
        family.name: (family.type, family.samples)
        for family in text_string_to_metric_families(text)
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_strict_parser_reads_the_metrics_of_every_protocol_and_variant(folder, way):
    with running("--packages", folder, way=way) as scorer:
        scorer.score(ROW, ROW)
        scorer.post("/v2/models/late/infer", {"inputs": tensors(ROW)})
        scorer.post("/v1/models/late:predict", {"instances": [ROW]})
        scorer.post("/endpoints/late/invocations", {"instances": [ROW]})
        scorer.post("/endpoints/late/invocations", {})
        found = samples(scorer)
    assert {kind for kind, _ in found.values()} <= {"counter", "gauge", "histogram"}
    counts = {
        (each.labels["deployment"], each.labels["protocol"], each.labels.get("variant")): each.value
        for each in found["tondo_request_seconds"][1]
        if each.name.endswith("_count") and each.value
    }
    assert {(name, protocol): value for (name, protocol, _), value in counts.items()} == {
        ("late", "rows"): 1,
        ("late", "v2"): 1,
        ("late", "tensorflow"): 1,
        ("late", "sagemaker"): 2,
    }
    buckets = [
        each.value
        for each in found["tondo_request_seconds"][1]
        if each.name.endswith("_bucket")
        and each.labels["protocol"] == "rows"
        and each.labels["deployment"] == "late"
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1


def test_a_name_with_quotes_does_not_break_the_metrics(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.publish(workspace.variant(scored.package(), name='a"b\\c\nd'))
    with running("--root", tmp_path) as scorer:
        scorer.score(ROW)
        assert samples(scorer)["tondo_request_seconds"][1]


@pytest.mark.parametrize("way", WAYS)
def test_invocations_of_several_deployments_must_say_which(two, way):
    body = {"instances": [ROW]}
    with running("--packages", two, way=way) as scorer:
        answer = scorer.post("/invocations", body)
        assert (answer.status, answer.json["message"].partition(":")[0]) == (400, "TD-SCORER-020")
        assert "forest, late" in answer.json["message"]
        for header in ("x-tondo-deployment", "x-amzn-sagemaker-target-model"):
            answer = scorer.post("/invocations", body, headers={header: "late"})
            assert answer.json["metadata"]["deployment"] == "late"
    with running("--packages", two, "--invocations", "forest", way=way) as scorer:
        assert scorer.post("/invocations", body).json["metadata"]["deployment"] == "forest"


@pytest.mark.parametrize("way", WAYS)
def test_a_target_variant_is_answered_by_it(tmp_path, way):
    workspace = Workspace(tmp_path)
    one = workspace.variant(scored.package(), weight=0.5)
    two = workspace.variant(scored.package(bias=1.0), name="new", version=2, weight=0.5, tags=())
    workspace.publish(one, two)
    with running("--root", tmp_path, way=way) as scorer:
        for name in ("live", "new"):
            answer = scorer.post(
                "/endpoints/late/invocations",
                {"instances": [ROW] * 20},
                headers={"x-amzn-sagemaker-target-variant": name},
            )
            assert answer.headers["x-amzn-invoked-production-variant"] == name
            assert answer.json["metadata"]["variant"] == name
        answer = scorer.post("/endpoints/late/invocations", {"instances": [ROW] * 40})
        assert set(answer.headers["x-amzn-invoked-production-variant"].split(",")) == {
            "live",
            "new",
        }
        told = scorer.get("/v1/models/late").json["model_version_status"]
        assert [each["version"] for each in told] == ["1", "2"]


def test_before_a_plan_nothing_is_ready(tmp_path):
    with running("--root", tmp_path) as scorer:
        assert scorer.get("/ping").status == 503
        answer = scorer.post("/endpoints/late/invocations", {"instances": [ROW]})
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (503, "ServiceUnavailable")
        assert scorer.post("/invocations", {"instances": [ROW]}).status == 503
        assert scorer.post("/v1/models/late:predict", {"instances": [ROW]}).status == 503


@pytest.mark.parametrize("url", ["/invocations", "/v1/models/late:predict"])
def test_a_request_of_any_shape_that_has_begun_is_answered_before_the_end(folder, url):
    with running("--packages", folder, "--invocations", "late") as scorer:
        connection = scorer.connect()
        body = json.dumps({"instances": [ROW]}).encode()
        connection.putrequest("POST", url)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders()
        connection.send(body[:10])
        time.sleep(0.2)
        os.kill(scorer.process.pid, signal.SIGTERM)
        time.sleep(0.3)
        connection.send(body[10:])
        assert len(json.loads(connection.getresponse().read())["predictions"]) == 1
        assert scorer.process.stop() == 0


def score_is_a_logarithm(weights, bias=0.0):
    """A graph that has no score for a row whose features have a sum below zero."""
    width, double = len(weights), TensorProto.DOUBLE
    weight = numpy_helper.from_array(np.ones((width, 1)) + bias, "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["sum"]),
        helper.make_node("Log", ["sum"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "logarithm",
        [helper.make_tensor_value_info("x", double, [None, width])],
        [helper.make_tensor_value_info("score", double, [None, 1])],
        [weight],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_fails_is_told_in_the_shape_of_each_server(tmp_path, monkeypatch, way):
    monkeypatch.setattr(scored, "logistic_graph", score_is_a_logarithm)
    (tmp_path / "late.tondo").write_bytes(scored.package())
    bad = {**ROW, "distance": -1e9}
    with running("--packages", tmp_path, way=way) as scorer:
        answer = scorer.post("/endpoints/late/invocations", {"instances": [bad]})
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (424, "ModelError")
        assert answer.json["OriginalStatusCode"] == 500
        assert answer.json["OriginalMessage"].startswith("TD-SCORE-013")
        answer = scorer.post("/invocations", {"instances": [bad]})
        assert (answer.status, answer.json["error_code"]) == (500, "INTERNAL_ERROR")
        for url, body in (
            ("/v1/models/late:predict", {"instances": [bad]}),
            ("/v2/models/late/infer", {"inputs": tensors(bad)}),
        ):
            answer = scorer.post(url, body)
            assert (answer.status, answer.code) == (500, "TD-SCORE-013")
        assert scorer.score(ROW).status == 200


def test_what_is_no_http_leaves_no_line_in_the_scorers_log(folder):
    with running("--packages", folder) as scorer:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", scorer.port), timeout=20) as connection:
                connection.sendall(b"\0\r\n\r\n")
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400 ")
        assert scorer.process.log_tail() == ""
