"""Columns that a declared Python function computes, row by row, in a process of its own.

The function is outside the promise of equality: only Python computes it, and only here, once for
each row of a snapshot. Its process has no environment of ours, is killed when it takes too long,
and can end without harm to anybody.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tondo.core.errors import DataError, DefinitionError, TondoError, near
from tondo.language.values import READERS, finite
from tondo.stages.data import function_worker
from tondo.stages.data.arrow_types import arrow_type, stored_types
from tondo.stages.data.python_step import PythonStep, read_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tondo.stages.data.function_columns import FunctionColumn

PIECE_ROWS = 1_000
"""Rows that are asked for at once; the time limit holds for each such piece."""


def read_functions(
    functions: Mapping[str, FunctionColumn], *, folder: Path | None
) -> dict[str, PythonStep]:
    """Return the text of each function (TD-CLEAN-007 where there is none)."""
    return {name: read_step(each.python, folder=folder) for name, each in functions.items()}


def add_functions(
    table: pa.Table,
    functions: Mapping[str, FunctionColumn],
    steps: Mapping[str, PythonStep],
    *,
    where: str,
) -> pa.Table:
    """Return the table with the functions' columns behind its own.

    :raises DefinitionError: TD-FUNCTION-001 (a column that is not there, or is there already).
    :raises DataError: TD-FUNCTION-002 (it raised), -003 (its answer is of another type), -004 (it
        took too long), -005 (its process ended).
    """
    import pyarrow as pa

    types = stored_types(table)
    for name, column in functions.items():
        _check(name, column, types, where=where)
        with FunctionWorker(name, column, steps[name], types=types) as worker:
            values = [each for rows in _rows(table, column) for each in worker.answers(rows)]
        table = table.append_column(name, pa.array(values, arrow_type(column.type)))
        types[name] = column.type
    return table


def _check(name: str, column: FunctionColumn, types: Mapping[str, str], *, where: str) -> None:
    if name in types:
        raise DefinitionError(
            "TD-FUNCTION-001",
            f"{where}: there is a column '{name}' already",
            fix="Give the function's column another name.",
            column=name,
        )
    for each in column.columns:
        if each not in types:
            raise DefinitionError(
                "TD-FUNCTION-001",
                f"{where}: '{column.python}' takes a column '{each}', which is not there",
                fix=near(each, types),
                column=each,
            )


def _rows(table: pa.Table, column: FunctionColumn) -> Iterator[list[list[Any]]]:
    wanted = table.select(list(column.columns))
    for start in range(0, table.num_rows, PIECE_ROWS):
        piece = wanted.slice(start, PIECE_ROWS)
        columns = [[_present(each) for each in one.to_pylist()] for one in piece.columns]
        count = min(PIECE_ROWS, table.num_rows - start)
        yield [list(row) for row in zip(*columns, strict=True)] if columns else [[]] * count


def _present(value: Any) -> Any:
    """Return a value with NaN as None: null is the only missing value."""
    if isinstance(value, list):
        return [_present(each) for each in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN


class FunctionWorker:
    """One function's process."""

    def __init__(
        self, name: str, column: FunctionColumn, step: PythonStep, *, types: Mapping[str, str]
    ) -> None:
        """Say what is to be run; `types` are those of the table's columns."""
        self.name = name
        self.column = column
        self.step = step
        self.types = [types[each] for each in column.columns]
        self.rows_done = 0
        self._late = False

    def __enter__(self) -> Self:
        """Start the process and load the function."""
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(function_worker.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=tempfile.gettempdir(),
            # No secret of ours is the function's business.
            env={"PATH": os.environ.get("PATH", "")},
        )
        first = {
            "source": self.step.source,
            "function": self.step.function,
            "file": self.step.file,
            "types": self.types,
        }
        try:
            self._asked(first)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def answers(self, rows: Sequence[list[Any]]) -> list[Any]:
        """Return the function's values of some rows, in the language's own values."""
        values = self._asked(rows)["values"]
        read = READERS[self.column.type]
        try:
            found = [finite(read(each, self.name)) for each in values]
        except TondoError as error:
            raise DataError(
                "TD-FUNCTION-003",
                f"{self.step.file}: {self.step.function} answered otherwise: {error.what}",
                expected=f"a {self.column.type} or None for each row",
                fix="Return a value of the declared type, or declare another.",
                column=self.name,
            ) from None
        self.rows_done += len(rows)
        return found

    def _asked(self, value: Any) -> dict[str, Any]:
        """Return the answer to one frame, within the time limit."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = Timer(self.column.seconds, self._kill)
        timer.start()
        try:
            function_worker.write_frame(self._process.stdin, value)
            answer = function_worker.read_frame(self._process.stdout)
        except (OSError, msgspec.DecodeError):
            answer = None
        finally:
            timer.cancel()
        if not isinstance(answer, dict):
            raise self._ended()
        if "error" in answer:
            raise self._raised(answer["error"])
        return answer

    def _kill(self) -> None:
        self._late = True
        self._process.kill()

    def _ended(self) -> DataError:
        where = f"{self.step.file}: {self.step.function}, from row {self.rows_done + 1}"
        if self._late:
            return DataError(
                "TD-FUNCTION-004",
                f"{where}: it took longer than {self.column.seconds:g} seconds",
                expected=f"{PIECE_ROWS:,} rows within that time",
                fix="Make it faster, or raise `seconds:` of the function.",
                column=self.name,
            )
        self._process.kill()
        status = self._process.wait()
        self._said.seek(0)
        said = self._said.read()[-300:].decode("utf-8", "replace").strip()
        return DataError(
            "TD-FUNCTION-005",
            f"{where}: its process ended ({status}){': ' + said if said else ''}",
            expected="a function that returns",
            fix="Run it by hand on these rows.",
            column=self.name,
        )

    def _raised(self, error: Mapping[str, Any]) -> DataError:
        row = f", row {self.rows_done + error['row'] + 1}" if "row" in error else ""
        return DataError(
            "TD-FUNCTION-002",
            f"{self.step.file}:{error['line']}: {self.step.function}{row} raised "
            f"{error['kind']}: {error['message']}",
            expected=f"a {self.column.type} or None for each row",
            fix="Values may be None; run the function by hand on that row.",
            column=self.name,
            line=error["line"],
        )
