"""Whatever is sent to the gRPC port: an answer, or a status with a code; never INTERNAL."""

import sys
from pathlib import Path

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, free_port, running
from tondo.faces.scorer.grpc.messages import MESSAGES

METHODS = ["ModelInfer", "ModelReady", "ModelMetadata", "ServerLive", "ServerMetadata"]
EXAMPLES = [80, pytest.param(5_000, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    port = free_port()
    with (
        running("--packages", folder, "--grpc-port", port),
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel


def status_of(channel, method, data):
    call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
    try:
        call(data, timeout=600)  # what hangs is found, a busy machine is not
    except grpc.RpcError as error:
        assert error.details().startswith("TD-"), error
        return error.code().name
    return "OK"


def good():
    request = MESSAGES["ModelInferRequest"](model_name="late")
    for name, value in ROW.items():
        tensor = request.inputs.add(name=name, shape=[1])
        if isinstance(value, bool):
            tensor.datatype = "BOOL"
            tensor.contents.bool_contents.append(value)
        elif isinstance(value, str):
            tensor.datatype = "BYTES"
            tensor.contents.bytes_contents.append(value.encode())
        else:
            tensor.datatype = "FP64" if isinstance(value, float) else "INT64"
            field = "fp64_contents" if isinstance(value, float) else "int64_contents"
            getattr(tensor.contents, field).append(value)
    return request


parameters = st.sampled_from(["as_of", "prediction_ids", "purpose", "binary_data_output", "x"])


@st.composite
def messages(draw):
    """A good message in which some things are others."""
    request = good()
    for _ in range(draw(st.integers(0, 4))):
        tensor = request.inputs[draw(st.integers(0, len(request.inputs) - 1))]
        change = draw(st.integers(0, 8))
        if change == 0:
            tensor.datatype = draw(st.sampled_from(["FP64", "FP32", "INT8", "BYTES", "BF16", ""]))
        elif change == 1:
            tensor.shape[:] = draw(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3))
        elif change == 2:
            tensor.contents.fp64_contents.extend(draw(st.lists(st.floats(), max_size=3)))
        elif change == 3:
            tensor.contents.bytes_contents.extend(draw(st.lists(st.binary(), max_size=3)))
        elif change == 4:
            request.raw_input_contents.extend(draw(st.lists(st.binary(max_size=9), max_size=6)))
        elif change == 5:
            tensor.name = draw(
                st.sampled_from(["tail", "distance", "", "\0"]) | st.text(max_size=3)
            )
        elif change == 6:
            parameter = request.parameters[draw(parameters)]
            parameter.string_param = draw(st.text(max_size=4))
        elif change == 7:
            request.parameters[draw(parameters)].int64_param = draw(st.integers(-9, 9))
        else:
            request.model_version = draw(st.sampled_from(["1", "live", "9", "/", "é"]))
    return request.SerializeToString()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_messages_with_other_things_in_them(channel, examples):
    @settings(max_examples=examples, deadline=None)
    @given(messages())
    def check(data):
        assert status_of(channel, "ModelInfer", data) in {"OK", "INVALID_ARGUMENT", "NOT_FOUND"}

    check()
    assert status_of(channel, "ModelInfer", good().SerializeToString()) == "OK"


@pytest.mark.parametrize("examples", EXAMPLES)
def test_other_bytes(channel, examples):
    whole = good().SerializeToString()

    @settings(max_examples=examples, deadline=None)
    @given(
        st.sampled_from(METHODS),
        st.binary(max_size=60)
        | st.tuples(st.integers(0, len(whole)), st.integers(0, 9), st.binary(max_size=9)).map(
            lambda each: whole[: each[0]] + each[2] + whole[each[0] + each[1] :]
        ),
    )
    def check(method, data):
        assert status_of(channel, method, data) in {"OK", "INVALID_ARGUMENT", "NOT_FOUND"}

    check()
