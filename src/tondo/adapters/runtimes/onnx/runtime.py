"""ONNX graphs of float64: one input of rows x features, one output of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.core.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXTERNAL_LOCATION = b"\x0a\x08location"
"""How a graph names a file outside itself (key of ONNX external data); never followed."""

_OUTPUT_SHAPES = ("tensor(double)", "tensor(float)")


class OnnxRuntime:
    """One session.

    A matrix product may add in another order for one row than for many, and the answers would
    differ in the last bit. So a table is run row by row, at 10 microseconds each, unless the
    graph was made so that its rows cannot touch each other (`whole_tables`).
    """

    few_rows = 1

    def __init__(self, session: Any, *, whole_tables: bool = False) -> None:
        self._whole_tables = whole_tables
        self._run = session.run
        self._input: str = session.get_inputs()[0].name
        self._outputs: list[str] = [session.get_outputs()[0].name]

    def predict_row(self, vector: Sequence[float]) -> float:
        """Return the score of one row."""
        row = np.array([vector], dtype=np.float64)
        return float(self._run(self._outputs, {self._input: row})[0].item())

    def predict_packed(self, data: bytes) -> float:
        """Return the score of one row given as float64 values."""
        row = np.frombuffer(data, dtype=np.float64).reshape(1, -1)
        return float(self._run(self._outputs, {self._input: row})[0].item())

    def predict_table(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a matrix, bit-equal to `predict_row`."""
        run, name, outputs = self._run, self._input, self._outputs
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        if self._whole_tables and len(rows):
            whole: np.ndarray = run(outputs, {name: rows})[0]
            return whole.reshape(-1)
        scores = np.empty(len(matrix), dtype=np.float64)
        for position in range(len(rows)):
            scores[position] = run(outputs, {name: rows[position : position + 1]})[0].item()
        return scores

    def predict_aside(self, matrix: np.ndarray) -> np.ndarray:
        """Return what `predict_table` does: a session may be run by several threads at once."""
        return self.predict_table(matrix)

    def close(self) -> None:
        """Let the session go."""
        self._run = _closed


def _closed(*_: Any) -> Any:
    raise DataError("TD-RUNTIME-004", "the model was closed", fix="Load it again.")


class OnnxLoader:
    """Loads a package's single ONNX file; the base install has what it needs."""

    name = "onnx"
    extra: str | None = None

    def load(self, files: Mapping[str, bytes], options: Mapping[str, Any]) -> OnnxRuntime:
        """Open a session; TD-RUNTIME-002 when the graph is damaged or of another shape."""
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError.of("scorer", "an ONNX model") from None
        data = _single_file(files)
        if _EXTERNAL_LOCATION in data:
            raise _unusable("it points at files outside the package")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.inter_op_num_threads = 1
        settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        settings.log_severity_level = 4  # it raises what it logs
        try:
            session = onnxruntime.InferenceSession(
                data, settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - its errors share no base but Exception
            raise _unusable(str(error)) from None
        _check_shape(session)
        return OnnxRuntime(session, whole_tables=options.get("whole_tables") is True)


def _single_file(files: Mapping[str, bytes]) -> bytes:
    if len(files) != 1:
        raise _unusable(f"it has {len(files)} files: {', '.join(sorted(files)) or 'none'}")
    return next(iter(files.values()))


def _check_shape(session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(double)" or len(inputs[0].shape) != 2:
        found = ", ".join(f"{each.name}: {each.type}{each.shape}" for each in inputs)
        raise _unusable(f"its inputs are {found}")
    if not outputs or outputs[0].type not in _OUTPUT_SHAPES:
        raise _unusable("its first output is not a tensor of numbers")


def _unusable(why: str) -> DataError:
    return DataError(
        "TD-RUNTIME-002",
        f"the ONNX model cannot be used: {why}",
        expected="one graph with one tensor(double) input, rows x features, and scores first",
        fix="Train the model again; the package holds another kind of graph, or a damaged one.",
    )
