"""The same row in every shape: one score, one vector in the log, counted under its own protocol."""

import json
import sys
from pathlib import Path

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, Workspace, free_port, running, tensors
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.faces.scorer.bootstrap import load
from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.scoring.frames import decode

CSV = ",".join(str(ROW[name]) for name in scored.INPUTS).encode()
JSON = "application/json"
REQUESTS = {
    "rows": ("/v1/deployments/late/score", {"rows": [ROW]}, JSON),
    "v2": ("/v2/models/late/infer", {"inputs": tensors(ROW)}, JSON),
    "tensorflow": ("/v1/models/late:predict", {"instances": [ROW]}, JSON),
    "sagemaker": ("/endpoints/late/invocations", CSV, "text/csv"),
    "mlflow": ("/invocations", {"dataframe_records": [ROW]}, JSON),
}


def over_grpc(port):
    request = MESSAGES["ModelInferRequest"](model_name="late", id="grpc")
    fields = {"BYTES": "bytes_contents", "FP64": "fp64_contents", "BOOL": "bool_contents"}
    for each in tensors(ROW):
        tensor = request.inputs.add(name=each["name"], datatype=each["datatype"], shape=[1])
        data = [x.encode() if isinstance(x, str) else x for x in each["data"]]
        getattr(tensor.contents, fields.get(each["datatype"], "int64_contents")).extend(data)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        call(request.SerializeToString(), timeout=20)


@pytest.mark.parametrize("way", WAYS)
def test_every_shape_goes_the_one_scoring_path(tmp_path, way):
    (tmp_path / "late.tondo").write_bytes(scored.package())
    port = free_port()
    options = ("--packages", tmp_path, "--log", tmp_path / "log", "--grpc-port", port)
    with running(*options, way=way) as scorer:
        for protocol, (url, body, kind) in REQUESTS.items():
            headers = {"content-type": kind, "x-request-id": protocol}
            assert scorer.post(url, body, headers=headers).status == 200
        over_grpc(port)
        counters = scorer.get("/v1/status").json["counters"]
    frames = [decode(each) for _, each in FilesEventLog(tmp_path / "log").read("predictions/late")]
    rows = {frame.request_id: frame.rows[0] for frame in frames}
    assert sorted(rows) == sorted([*REQUESTS, "grpc"])
    assert {each.score for each in rows.values()} == {load(tmp_path / "late.tondo").predict(ROW)}
    assert len({each.vector for each in rows.values()}) == 1
    assert len({json.dumps(each.inputs, sort_keys=True) for each in rows.values()}) == 1
    assert {name: each["predictions"] for name, each in counters.items() if each["requests"]} == {
        f"late/{protocol}": 1 for protocol in rows
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_tag_moves_and_a_number_and_an_id_still_reach_the_old_version(tmp_path, way):
    workspace = Workspace(tmp_path)
    first, second = scored.package(), scored.package(bias=1.0)
    workspace.publish(workspace.variant(first))
    with running("--root", tmp_path, way=way) as scorer:

        def versions(*references):
            answers = [
                scorer.post(f"/v1/models/late/labels/{each}:predict", {"instances": [ROW]})
                for each in references
            ]
            return [each.json["metadata"]["version"] for each in answers]

        assert versions("live", "1", "id-1") == [1, 1, 1]
        old = workspace.variant(first, name="v1", weight=0.0, tags=())
        workspace.publish(workspace.variant(second, version=2), addressable=[old])
        while scorer.get("/v1/status").json["plan"] != 2:
            pass
        assert versions("live", "2", "1", "id-1") == [2, 2, 1, 1]
        unknown = scorer.post("/v1/models/late/labels/3:predict", {"instances": [ROW]})
        assert (unknown.status, unknown.code) == (404, "TD-PLAN-003")
