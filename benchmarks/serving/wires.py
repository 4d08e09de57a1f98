"""How each server is asked for one row, and where its score stands in the answer."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.serving import views
from benchmarks.serving.forest import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Wire:
    """How a server is asked for one row, and where its score stands in the answer."""

    path: str
    body: Callable[[int, list[float]], Any]
    score: Callable[[Any], float]
    more: tuple[tuple[str, str], ...] = ()
    """Headers besides the content type."""

    def bodies(self, rows: list[list[float]]) -> list[bytes]:
        made = [self.body(place, row) for place, row in enumerate(rows)]
        return [each if isinstance(each, bytes) else json.dumps(each).encode() for each in made]

    @property
    def headers(self) -> dict[str, str]:
        return {"content-type": "application/json", **dict(self.more)}


def _rows(_: int, row: list[float]) -> Any:
    return {"rows": [dict(zip(COLUMNS, row, strict=True))]}


def _columns(_: int, row: list[float]) -> Any:
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": "FP64", "data": [each]}
            for name, each in dict(zip(COLUMNS, row, strict=True)).items()
        ]
    }


_BINARY_HEAD = json.dumps(
    {
        "inputs": [
            {
                "name": name,
                "shape": [1],
                "datatype": "FP64",
                "parameters": {"binary_data_size": 8},
            }
            for name in COLUMNS
        ]
    }
).encode()


def _binary(_: int, row: list[float]) -> Any:
    return _BINARY_HEAD + struct.pack(f"<{len(row)}d", *row)


def _one_tensor(_: int, row: list[float]) -> Any:
    return {"inputs": [{"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": row}]}


def _split(_: int, row: list[float]) -> Any:
    return {"dataframe_split": {"columns": COLUMNS, "data": [row]}}


def _first_prediction(answer: Any) -> float:
    found = answer["predictions"][0]
    return float(found["score"] if isinstance(found, dict) else found)


def _first_output(answer: Any) -> float:
    return float(answer["outputs"][0]["data"][0])


WIRES = {
    "rows": Wire("/v1/deployments/forest/score", _rows, _first_prediction),
    "v2": Wire("/v2/models/forest/infer", _columns, _first_output),
    "binary": Wire(
        "/v2/models/forest/infer",
        _binary,
        _first_output,
        (("inference-header-content-length", str(len(_BINARY_HEAD))),),
    ),
    "plain-rows": Wire("/score", _rows, _first_prediction),
    "one-tensor": Wire("/v2/models/forest/infer", _one_tensor, _first_output),
    "views": Wire("/v1/deployments/forest/score", views.body, _first_prediction),
    "split": Wire("/invocations", _split, _first_prediction),
}
