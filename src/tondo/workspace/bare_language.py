"""The feature language on bare files and tables: check, list and evaluate with no project."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError, NotFoundError, near
from tondo.language.alone import ExpressionFacts, describe
from tondo.language.expressions import checked_columns, read_expressions
from tondo.language.listing import ListedFunction, list_functions
from tondo.workspace.bare import arrow_of
from tondo.workspace.bootstrap import bare_evaluator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tondo.stages.data.bare_files import BareFile

MOST_TEXT_MB = 64
"""A larger file of expressions is none."""


def check_expression(text: str, columns: Mapping[str, str]) -> ExpressionFacts:
    """Return the type of an expression over columns and what it reads.

    :param columns: column name to column type.
    :raises DefinitionError: TD-LANG-001 to 007 with a caret, TD-CORE-005 for no type.
    """
    return describe(text, checked_columns(columns))


def language_functions() -> list[ListedFunction]:
    """Return every function of the feature language."""
    return list_functions()


def evaluate(
    data: Any,
    expressions: Mapping[str, str] | str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    engine: str = "duckdb",
) -> pa.Table:
    """Return a column per expression over a file or a table, rows in their order.

    :param data: the path of a Parquet, CSV or JSON-lines file, or a table that Arrow understands.
    :param expressions: name to expression, or the path of a file of them.
    :param columns: column types where others than the file's are meant, such as `{"id": "id"}`.
    :param engine: `duckdb`, `spark`, `rows` (as served) or `interpret` (the specification).
    :raises DefinitionError: TD-LANG-001 to 006, -013, -040 to -042 and TD-DATA-006.
    :raises DataError: TD-DATA-003 and following when the data cannot be read.
    :raises NotFoundError: TD-DATA-002 when a file is not there.
    :raises CallerError: TD-SPARK-004 for another engine.
    """
    import pyarrow as pa

    with _evaluated(data, expressions, columns or {}, engine) as (schema, pieces):
        return pa.concat_tables([schema.empty_table(), *pieces])


def evaluate_to(
    out: Path,
    data: Any,
    expressions: Mapping[str, str] | str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    engine: str = "duckdb",
) -> int:
    """Write what `evaluate` returns to a Parquet file, whole or not at all; return its rows.

    :raises CallerError: TD-LANG-044 when `out` cannot be written or is one of the inputs.
    """
    from pyarrow import parquet

    _refuse_input(out, data, expressions)
    rows = 0
    with (
        _evaluated(data, expressions, columns or {}, engine) as (schema, pieces),
        _fresh(out) as path,
        parquet.ParquetWriter(path, schema) as writer,
    ):
        for piece in pieces:
            writer.write_table(piece)
            rows += piece.num_rows
    return rows


@contextmanager
def _evaluated(
    data: Any,
    expressions: Mapping[str, str] | str | Path,
    columns: Mapping[str, str],
    engine: str,
) -> Iterator[tuple[pa.Schema, Iterator[pa.Table]]]:
    from tondo.stages.features import table_evaluation

    texts = _texts(expressions)
    with bare_evaluator(engine) as evaluator:
        file = _opened(data, checked_columns(columns))
        trees = table_evaluation.check_expressions(texts, file)
        schema = table_evaluation.answer_schema(trees)
        yield schema, table_evaluation.evaluate_file(trees, file, evaluator=evaluator)


def _opened(data: Any, columns: Mapping[str, str]) -> BareFile:
    from tondo.stages.data.bare_files import open_file, open_table

    if isinstance(data, str | Path):
        return open_file(Path(data), columns)
    return open_table(arrow_of(data), columns)


def _texts(expressions: Mapping[str, str] | str | Path) -> dict[str, str]:
    if not isinstance(expressions, str | Path):
        return dict(expressions)
    path = Path(expressions)
    try:
        if path.stat().st_size > MOST_TEXT_MB << 20:
            raise _no_expressions(path, f"it is larger than {MOST_TEXT_MB} MB")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise NotFoundError(
            "TD-DATA-002", f"there is no file {path}", fix=near(path.name, names)
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _no_expressions(path, str(error)) from None
    return read_expressions(text)


def _no_expressions(path: Path, why: str) -> CallerError:
    return CallerError(
        "TD-LANG-041",
        f"the expressions cannot be read from {path}: {why}",
        expected="a text file in UTF-8: `name = expression` a line, or a JSON object",
    )


def _refuse_input(out: Path, *inputs: Any) -> None:
    for each in inputs:
        if isinstance(each, str | Path) and _same_file(out, Path(each)):
            raise _not_written(out, "it is one of the files that are read")


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


@contextmanager
def _fresh(out: Path) -> Iterator[Path]:
    """Give a temporary name beside `out`, which takes its place when all went well."""
    target = Path(os.path.realpath(out))
    if target.exists() and not target.is_file():
        raise _not_written(out, "it is no file")
    path = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        path.touch(exist_ok=False)
        yield path
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.replace(target)
    except OSError as error:
        raise _not_written(out, error.strerror or str(error)) from None
    finally:
        path.unlink(missing_ok=True)


def _not_written(out: Path, why: str) -> CallerError:
    return CallerError(
        "TD-LANG-044",
        f"{out} cannot be written: {why}",
        expected="the name of a new Parquet file, or of an old one to be replaced",
        fix="Name another file with --out.",
        path=str(out),
    )
