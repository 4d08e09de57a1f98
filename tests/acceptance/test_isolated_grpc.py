"""V2 over gRPC for an isolated deployment: what one that is not answers, byte by byte."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, Workspace, free_port, running, tensors
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.scoring.frames import decode
from tondo.scoring.plan import PlannedDeployment

PATIENCE_S = 60
TOKEN = "a-token-of-some-length"
CHANGING = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}")
_FIELDS = {"BYTES": "bytes_contents", "FP64": "fp64_contents", "BOOL": "bool_contents"}


def without_time(data):
    answer = MESSAGES["ModelInferResponse"].FromString(data)
    assert answer.parameters.pop("as_of_us").int64_param > 0
    return answer.SerializeToString(deterministic=True)


class Site:
    """A scorer with one model twice, and a channel to it."""

    def __init__(self, root, *options):
        self.workspace = Workspace(root)
        variant = self.workspace.variant(scored.package())
        self.workspace.publish_all(
            PlannedDeployment(name="near", variants=[variant]),
            PlannedDeployment(name="away", variants=[variant], isolate="process"),
        )
        (root / "token").write_text(TOKEN)
        self.port = free_port()
        self.options = ("--root", root, "--grpc-port", self.port, *options)

    def __enter__(self):
        self._running = running(*self.options)
        self.scorer = self._running.__enter__()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.until(lambda: self.ask("ModelReady", name="away")[0] == "OK")
        return self

    def __exit__(self, *_):
        self._channel.close()
        self._running.__exit__(*_)

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def ask(self, method, request=None, metadata=(("authorization", f"Bearer {TOKEN}"),), **fields):
        """Return status, bytes or text, and trailing metadata."""
        message = MESSAGES[f"{method}Request"](**fields) if request is None else request
        data = message if isinstance(message, bytes) else message.SerializeToString()
        unary = self._channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
        try:
            return "OK", unary(data, timeout=PATIENCE_S, metadata=metadata), ()
        except grpc.RpcError as error:
            trailing = tuple((each.key, each.value) for each in error.trailing_metadata() or ())
            return error.code().name, error.details().encode(), trailing

    def both(self, method, request=None, **named):
        """Ask both, and return the one answer that they give."""
        found = []
        for name in ("near", "away"):
            field = {"ModelInfer": "model_name"}.get(method, "name")
            if request is None:
                status, data, trailing = self.ask(method, **{field: name}, **named)
            else:
                setattr(request, field, name)
                status, data, trailing = self.ask(method, request, **named)
            if (status, method) == ("OK", "ModelInfer"):
                data = without_time(data)
            found.append((status, CHANGING.sub(b"#", data).replace(b"away", b"near"), trailing))
        assert found[0] == found[1]
        return status, data


@pytest.fixture(scope="module", params=[(), ("--workers", "2")], ids=["one", "workers"])
def site(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("isolated")
    with Site(root, "--token-file", root / "token", *request.param) as site:
        yield site


def infer_request(rows=(ROW,), **fields):
    request = MESSAGES["ModelInferRequest"](**fields)
    for each in tensors(*rows):
        tensor = request.inputs.add(
            name=each["name"], datatype=each["datatype"], shape=each["shape"]
        )
        data = [x.encode() if isinstance(x, str) else x for x in each["data"]]
        getattr(tensor.contents, _FIELDS.get(each["datatype"], "int64_contents")).extend(data)
    return request


@pytest.mark.parametrize("version", ["", "1", "live"])
def test_scores_are_the_same(site, version):
    request = infer_request([ROW, ROW], model_version=version, id="mine")
    status, data = site.both("ModelInfer", request)
    told = MESSAGES["ModelInferResponse"].FromString(data)
    assert (status, told.model_name, told.id) == ("OK", "away", "mine")
    assert len(told.outputs[0].contents.fp64_contents) == 2


@pytest.mark.parametrize("method", ["ModelReady", "ModelMetadata"])
@pytest.mark.parametrize("version", ["", "1", "9"])
def test_what_is_told_of_a_model_is_the_same(site, method, version):
    status, _ = site.both(method, version=version)
    assert status == ("NOT_FOUND" if version == "9" else "OK")


def spoil(request):
    request.inputs[0].datatype = "FP16"


def strip(request):
    del request.inputs[:]


def misdirect(request):
    request.model_version = "9"


@pytest.mark.parametrize(
    ("change", "expected"),
    [(spoil, "INVALID_ARGUMENT"), (strip, "INVALID_ARGUMENT"), (misdirect, "NOT_FOUND")],
)
def test_refusals_are_the_same(site, change, expected):
    request = infer_request()
    change(request)
    status, text = site.both("ModelInfer", request)
    assert (status, text[:3]) == (expected, b"TD-")


def test_the_token_is_demanded_here(site):
    status, text = site.both("ModelInfer", infer_request(), metadata=())
    assert (status, text[:10]) == ("UNAUTHENTICATED", b"TD-WEB-003")


def test_a_request_id_is_logged_by_the_process(site):
    metadata = (("authorization", f"Bearer {TOKEN}"), ("x-request-id", "traced"))
    status, _ = site.both("ModelInfer", infer_request(), metadata=metadata)
    assert status == "OK"
    frames = FilesEventLog(site.workspace.root / "eventlog").read("predictions/away")
    assert "traced" in {decode(each).request_id for _, each in frames}


def test_a_process_that_is_killed_is_unavailable_and_comes_back(site):
    told = site.scorer.ask("GET", "/v1/status", headers={"authorization": f"Bearer {TOKEN}"}).json
    os.kill(told["processes"]["isolated"]["away"]["pid"], signal.SIGKILL)
    found = []

    def refused():
        found[:] = site.ask("ModelInfer", infer_request(model_name="away"))
        return found[0] != "OK"

    site.until(refused)
    status, text, trailing = found
    assert (status, text[:13], trailing) == (
        "UNAVAILABLE",
        b"TD-SCORER-013",
        (("retry-after", "1"),),
    )
    assert site.ask("ModelInfer", infer_request(model_name="near"))[0] == "OK"
    site.until(lambda: site.ask("ModelInfer", infer_request(model_name="away"))[0] == "OK")
