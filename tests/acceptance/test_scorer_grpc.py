"""V2 over gRPC, asked by grpcio; the official client stands in test_official_clients."""

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, Scorer, free_port, running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.faces.scorer.bootstrap import load
from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.faces.scorer.protocols.binary import values
from tondo.scoring.frames import decode

ROWS = [ROW, {**ROW, "distance": 5.0}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    return folder


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def ask(folder, log):
    port = free_port()
    with running("--packages", folder, "--log", log, "--grpc-port", port), caller(port) as call:
        yield call


@contextlib.contextmanager
def caller(port, **metadata):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:

        def call(method, request=None, **fields):
            message = MESSAGES[f"{method}Request"](**fields) if request is None else request
            unary = channel.unary_unary(
                f"/inference.GRPCInferenceService/{method}",
                request_serializer=lambda each: (
                    each if isinstance(each, bytes) else each.SerializeToString()
                ),
                response_deserializer=MESSAGES[f"{method}Response"].FromString,
            )
            return unary(message, timeout=20, metadata=tuple(metadata.items()))

        yield call


@pytest.fixture(scope="module")
def expected(folder):
    return load(folder / "late.tondo").predict(ROWS)


def infer_request(rows=ROWS, **fields):
    request = MESSAGES["ModelInferRequest"](model_name="late", **fields)
    for name, datatype, field in (
        ("carrier", "BYTES", "bytes_contents"),
        ("distance", "FP64", "fp64_contents"),
        ("rush", "BOOL", "bool_contents"),
        ("scheduled_at", "BYTES", "bytes_contents"),
        ("tail", "INT64", "int64_contents"),
    ):
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[len(rows)])
        given = [row[name] for row in rows]
        given = [each.encode() for each in given] if datatype == "BYTES" else given
        getattr(tensor.contents, field).extend(given)
    return request


def raw_request(rows=ROWS, **fields):
    request = infer_request(rows, **fields)
    for tensor in request.inputs:
        contents = tensor.contents
        if tensor.datatype == "BYTES":
            each = [len(x).to_bytes(4, "little") + x for x in contents.bytes_contents]
            request.raw_input_contents.append(b"".join(each))
        elif tensor.datatype == "FP64":
            request.raw_input_contents.append(np.array(contents.fp64_contents, "<f8").tobytes())
        elif tensor.datatype == "BOOL":
            request.raw_input_contents.append(bytes(contents.bool_contents))
        else:
            request.raw_input_contents.append(np.array(contents.int64_contents, "<i8").tobytes())
        tensor.ClearField("contents")
    return request


def test_server_and_model_say_that_they_are_there(ask):
    assert ask("ServerLive").live
    assert ask("ServerReady").ready
    assert ask("ModelReady", name="late").ready
    assert ask("ModelReady", name="late", version="1").ready
    assert ask("ServerMetadata").name == "tondo"


def test_metadata_says_what_may_be_sent(ask):
    told = ask("ModelMetadata", name="late")
    assert (told.name, list(told.versions), told.platform) == ("late", ["1"], "tondo_onnx")
    assert {each.name: each.datatype for each in told.inputs}["distance"] == "FP64"
    assert [(each.name, list(each.shape)) for each in told.outputs] == [("score", [-1])]


@pytest.mark.parametrize("version", ["", "1", "live"])
def test_typed_contents_are_answered_by_typed_contents(ask, expected, version):
    told = ask("ModelInfer", infer_request(id="mine", model_version=version))
    assert (told.model_name, told.model_version, told.id) == ("late", "1", "mine")
    assert list(told.outputs[0].contents.fp64_contents) == expected
    assert told.parameters["variant"].string_param == "live"


def test_raw_contents_are_answered_by_raw_contents(ask, expected):
    told = ask("ModelInfer", raw_request())
    (data,) = told.raw_output_contents
    assert values("score", "FP64", data) == expected
    assert (told.outputs[0].datatype, list(told.outputs[0].shape)) == ("FP64", [2])


def test_parameters_are_taken_and_what_was_answered_is_logged(ask, log):
    request = raw_request([ROW], id="logged")
    request.parameters["prediction_ids"].string_param = "mine"
    request.parameters["purpose"].string_param = "trial"
    told = ask("ModelInfer", request)
    assert told.parameters["prediction_ids"].string_param == "mine"
    frames = [decode(each) for _, each in FilesEventLog(log).read("predictions/late")]
    (frame,) = [each for each in frames if each.request_id == "logged"]
    assert (frame.purpose, [row.prediction_id for row in frame.rows]) == ("trial", ["mine"])


def refused(call, *arguments, **fields):
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments, **fields)
    return error.value.code().name, error.value.details().partition(":")[0]


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (lambda each: setattr(each, "model_name", "lat"), "NOT_FOUND", "TD-PLAN-004"),
        (lambda each: setattr(each, "model_version", "9"), "NOT_FOUND", "TD-PLAN-003"),
        (lambda each: each.ClearField("inputs"), "INVALID_ARGUMENT", "TD-SCORE-011"),
        (lambda each: each.inputs.pop(), "INVALID_ARGUMENT", "TD-SCORE-001"),
        (lambda each: each.inputs[1].ClearField("contents"), "INVALID_ARGUMENT", "TD-SCORE-011"),
        (
            lambda each: setattr(each.inputs[1], "datatype", "FP16"),
            "INVALID_ARGUMENT",
            "TD-SCORE-011",
        ),
        (
            lambda each: setattr(each.inputs[1], "datatype", "BYTES"),
            "INVALID_ARGUMENT",
            "TD-SCORE-011",
        ),
        (lambda each: each.inputs[1].shape.append(7), "INVALID_ARGUMENT", "TD-SCORE-011"),
        (lambda each: each.outputs.add(name="scor"), "INVALID_ARGUMENT", "TD-SCORE-011"),
        (lambda each: each.raw_input_contents.append(b""), "INVALID_ARGUMENT", "TD-SCORE-011"),
        (lambda each: each.parameters["x"], "INVALID_ARGUMENT", "TD-SCORE-011"),
        (lambda each: each.parameters["purpose"], "INVALID_ARGUMENT", "TD-SCORE-005"),
        (
            lambda each: each.inputs[0].contents.bytes_contents.__setitem__(0, b"\xff"),
            "INVALID_ARGUMENT",
            "TD-SCORE-011",
        ),
    ],
)
def test_wrong_messages_are_refused_by_a_status_with_a_code(ask, spoil, status, code):
    request = infer_request()
    spoil(request)
    assert refused(ask, "ModelInfer", request) == (status, code)


def test_bytes_that_are_no_message_are_refused(ask):
    for method in ("ModelInfer", "ModelReady"):
        assert refused(ask, method, b"\xff\xff\xff") == ("INVALID_ARGUMENT", "TD-SCORE-005")


def test_a_message_in_bytes_by_hand_is_read(ask):
    """Field numbers from the specification: 1 model_name, 5 inputs; in these 1, 2, 3, 5."""
    tensor = b"\x0a\x08distance\x12\x04FP64\x1a\x01\x01\x2a\x02\x32\x00"
    message = b"\x0a\x04late\x2a" + bytes([len(tensor)]) + tensor
    with pytest.raises(grpc.RpcError, match="'distance' has 0 values; expected 1") as error:
        ask("ModelInfer", message)
    assert error.value.code().name == "INVALID_ARGUMENT"


def test_a_token_is_demanded(folder, tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef")
    port = free_port()
    options = ("--packages", folder, "--token-file", tmp_path / "token", "--grpc-port", port)
    with running(*options):
        with caller(port) as call:
            assert refused(call, "ServerLive") == ("UNAUTHENTICATED", "TD-WEB-003")
        with caller(port, authorization="Bearer 0123456789abcdef") as call:
            assert call("ServerLive").live


def test_workers_share_the_port(folder):
    port = free_port()
    with running("--packages", folder, "--workers", 2, "--grpc-port", port):
        for _ in range(10):
            with caller(port) as call:
                assert call("ModelReady", name="late").ready


def test_a_port_that_is_taken_is_named(folder):
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Exception, match=f"TD-SCORER-001.*{port}"):
            Scorer("--packages", folder, "--grpc-port", port)


def test_what_is_told_over_http_is_told_over_grpc(ask, log, folder):
    port = free_port()
    with running("--packages", folder, "--grpc-port", port) as scorer, caller(port) as call:
        call("ModelInfer", infer_request())
        counters = scorer.get("/v1/status").json["counters"]
        assert counters["late/grpc"]["predictions"] == 2
        assert json.loads(scorer.get("/v2").body)["name"] == "tondo"


@pytest.mark.parametrize("library", ["grpc", "google.protobuf"])
def test_without_the_extra_the_start_says_what_to_install(folder, library):
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from tondo.faces.scorer.start import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--packages", folder, "--port", "0", "--grpc-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "pip install 'tondo[grpc]'" in done.stderr
