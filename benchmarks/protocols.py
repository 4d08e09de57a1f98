"""What each wire shape costs: time in the handler, from a body to its answer, no socket.

Run: python benchmarks/protocols.py
Every shape goes the same scoring path with the same model (200 trees, 30 columns), nothing is
logged. The floor is the model alone on vectors that are ready. Answers are checked beforehand.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving.forest import COLUMNS, make_forest

from table import tell
from tondo.faces.scorer.bootstrap import Settings, make_service
from tondo.faces.scorer.grpc.handler import ROUTE, call_of
from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.faces.scorer.protocols import binary, invocations, sagemaker
from tondo.faces.scorer.protocols.carried import Sent

SIZES = (1, 64)
ROUNDS, SECONDS = 7, 0.15


def named(rows):
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def tensors(rows):
    columns = np.array(rows).T.tolist()
    return [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": values}
        for name, values in zip(COLUMNS, columns, strict=True)
    ]


def in_bytes(rows, **asked):
    inputs, behind = tensors(rows), b""
    for tensor in inputs:
        data = binary.pack_scores(tensor.pop("data"))
        tensor["parameters"] = {"binary_data_size": len(data)}
        behind += data
    head = json.dumps({"inputs": inputs, **asked}).encode()
    return Sent.of(head + behind, {binary.HEADER: str(len(head))})


def message(rows):
    request = MESSAGES["ModelInferRequest"](model_name="forest")
    for tensor in tensors(rows):
        request.inputs.add(name=tensor["name"], datatype="FP64", shape=tensor["shape"])
        request.raw_input_contents.append(binary.pack_scores(tensor["data"]))
    return call_of(request.SerializeToString(), {})


def text(value):
    return json.dumps(value).encode()


def csv(rows):
    lines = "\n".join(",".join(map(repr, row)) for row in rows)
    return Sent.of(lines.encode(), {"content-type": "text/csv"})


SHAPES = {
    "native rows": ("/v1/deployments/forest/score", lambda rows: text({"rows": named(rows)})),
    "V2, JSON": ("/v2/models/forest/infer", lambda rows: text({"inputs": tensors(rows)})),
    "V2, bytes in, JSON out": ("/v2/models/forest/infer", in_bytes),
    "V2, bytes both ways": (
        "/v2/models/forest/infer",
        lambda rows: in_bytes(rows, parameters={"binary_data_output": True}),
    ),
    "V2, gRPC message": (ROUTE.format(name="forest", version=""), message),
    "TensorFlow, instances": (
        "/v1/models/forest:predict",
        lambda rows: text({"instances": named(rows)}),
    ),
    "SageMaker, CSV": (sagemaker.ROUTE.format(name="forest", version=""), csv),
    "MLflow, dataframe_split": (
        invocations.ROUTE.format(name="forest", version=""),
        lambda rows: text({"dataframe_split": {"columns": COLUMNS, "data": rows}}),
    ),
}


def scores_in(payload):
    """The scores of an answer of any shape, in whatever place."""
    if isinstance(payload, bytes) and payload[:1] not in b"{-0123456789":
        response = MESSAGES["ModelInferResponse"].FromString(payload)
        return binary.values("score", "FP64", response.raw_output_contents[0])
    headers = getattr(payload, "headers", {})
    if binary.HEADER in headers:
        return binary.values("score", "FP64", bytes(payload[int(headers[binary.HEADER]) :]))
    if headers.get("content-type") == "text/csv":
        return [float(each) for each in payload.split()]
    answer = json.loads(payload)
    if "outputs" in answer:
        return answer["outputs"][0]["data"]
    return [each["score"] if isinstance(each, dict) else each for each in answer["predictions"]]


def microseconds(call, argument):
    """Mean time of one call, over a fixed time."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        call(argument)
        calls += 1
    return (time.perf_counter() - start) / calls * 1e6


def main() -> None:
    """Measure in interleaved rounds and print medians."""
    with tempfile.TemporaryDirectory() as folder:
        make_forest(Path(folder))
        told = json.loads((Path(folder) / "rows.json").read_text())
        service = make_service(Settings(packages=Path(folder), grpc=True))
        service.source.changed()
        service.load()
        table = service.require_table()
        model = next(iter(table.path_of("forest").servings.values())).model
        measured = {}
        for size in SIZES:
            rows, scores = told["rows"][:size], told["scores"][:size]
            packed = [np.array(row, "<f8").tobytes() for row in rows]
            calls = {"the model alone": (model.score_packed_table, packed)}
            for name, (url, body_of) in SHAPES.items():
                body, route = body_of(rows), table.routes[url.encode()]
                status, payload = route.answer(body)
                assert (status, scores_in(payload)) == (200, scores), name
                calls[name] = (route.answer, body)
            runs = [{each: microseconds(*calls[each]) for each in calls} for _ in range(ROUNDS)]
            for name in calls:
                measured[name, size] = statistics.median(run[name] for run in runs)
    names = dict.fromkeys(name for name, _ in measured)
    tell(
        ["shape", *(f"{size} row{'s' * (size > 1)}, us" for size in SIZES), "a row of 64, us"],
        [
            [
                name,
                *(f"{measured[name, size]:.1f}" for size in SIZES),
                f"{measured[name, SIZES[-1]] / SIZES[-1]:.2f}",
            ]
            for name in names
        ],
    )


if __name__ == "__main__":
    main()
