"""Runs an exported graph: the answers that its file gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from tondo.adapters.exports.onnx.forms import NULL_SUFFIX
from tondo.adapters.exports.onnx.writer import BOOL, FLOAT64, INT64, STRING
from tondo.core.errors import OutsideError
from tondo.language.values import READERS
from tondo.ports.exporter import GraphAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.ports.exporter import ExportedGraph, GraphInput

_FILLERS: dict[str, Any] = {FLOAT64: math.nan, INT64: 0, BOOL: False, STRING: ""}
"""What stands in an input where the value is null."""
_ERRORS_ONLY = 3


def answers(graph: ExportedGraph, rows: Sequence[Mapping[str, Any]]) -> list[GraphAnswer]:
    """Return what onnxruntime says of rows in the language's own values.

    TD-EXPORT-003 where the installed one cannot run the graph.
    """
    given: dict[str, np.ndarray] = {}
    for each in graph.inputs:
        given |= _columns(each, rows)
    answered = _run(graph, given)
    roles = [each.role for each in graph.outputs]
    found: dict[str, np.ndarray] = dict(zip(roles, answered, strict=True))
    decisions = found["decision"].ravel().tolist() if "decision" in found else [None] * len(rows)
    return [
        GraphAnswer(
            features=[None if math.isnan(each) else each for each in vector],
            score=score,
            decision=decision,
        )
        for vector, score, decision in zip(
            found["features"].tolist(), found["score"].ravel().tolist(), decisions, strict=True
        )
    ]


def _run(graph: ExportedGraph, given: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(graph.data, options, providers=providers)
        found: list[np.ndarray] = session.run([each.name for each in graph.outputs], given)
    except Exception as error:  # a library's edge: what it raises has no common class
        raise OutsideError(
            "TD-EXPORT-003",
            f"onnxruntime {onnxruntime.__version__} cannot run the graph: {error}",
            expected="onnxruntime 1.21 or newer",
            fix="Upgrade it: pip install -U onnxruntime",
        ) from error
    return found


def _columns(read: GraphInput, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return an input's tensor, and that of its nulls where it has one."""
    values = [READERS[read.type](row.get(read.name), read.name) for row in rows]
    filler = _FILLERS[read.tensor]
    kind = object if read.tensor == STRING else read.tensor
    data = np.array([filler if each is None else each for each in values], dtype=kind)
    found = {read.name: data.reshape(-1, 1)}
    if read.tensor != FLOAT64:
        nulls = np.array([each is None for each in values], dtype=np.bool_)
        found[read.name + NULL_SUFFIX] = nulls.reshape(-1, 1)
    return found
