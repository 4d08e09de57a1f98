"""Readers of single files; the only place that knows what a file looks like inside."""

from __future__ import annotations

import csv as csv_text
import gzip
import io
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, DefinitionError, near
from tondo.stages.data.arrow_types import EXACT_INTEGER, arrow_type, check_names
from tondo.stages.data.text_columns import infer_text, infer_time, parse_text, without_nulls

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

_CSV = "CSV in UTF-8 with a header row and equally many cells in each row"


def read_csv(
    path: Path,
    *,
    declared: Mapping[str, str],
    null_values: Sequence[str],
    zone: str | None,
    where: str,
) -> pa.Table:
    """Read a CSV with a header (also .gz, or alone in a .zip); `declared` types win.

    Errors: TD-DATA-003, -004, -005, -006, -010.
    """
    import pyarrow as pa

    text = _read_text_table(path, where)
    for name in declared:
        if name not in text.column_names:
            raise DefinitionError(
                "TD-DATA-006",
                f"{where}: the declared column '{name}' is not in the header",
                fix=near(name, text.column_names),
                column=name,
            )

    def typed(name: str) -> pa.ChunkedArray:
        column = text.column(name)
        if name not in declared:
            return infer_text(column, null_values, name=name, zone=zone, where=where)
        values = without_nulls(column, ["", *null_values])
        if declared[name] == "string":
            return values
        return parse_text(values, declared[name], name=name, zone=zone, where=where)

    # Arrow computes outside the interpreter's lock, a column a thread.
    with ThreadPoolExecutor() as pool:
        columns = dict(zip(text.column_names, pool.map(typed, text.column_names), strict=True))
    return pa.table(columns)


def _read_text_table(path: Path, where: str) -> pa.Table:
    """Return every column as text, empty cells as empty text."""
    import pyarrow as pa
    from pyarrow import csv

    data = _bytes_of(path, where)
    delimiter = "\t" if ".tsv" in path.name else ","
    names = _header(data, delimiter, where)
    check_names(names, where)
    try:
        return csv.read_csv(
            io.BytesIO(data),
            # Without a quote there is no newline in a value, and blocks are read in parallel.
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
            # All as text, so that no column's type is guessed from its first rows.
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(where, str(error), expected=_CSV) from None


def _header(data: bytes, delimiter: str, where: str) -> list[str]:
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    try:
        return next(csv_text.reader(lines, delimiter=delimiter))
    except (StopIteration, UnicodeDecodeError, csv_text.Error) as error:
        raise _unreadable(where, f"no header: {error}", expected=_CSV) from None


def _bytes_of(path: Path, where: str) -> bytes:
    try:
        if path.suffix == ".zip":
            return _only_member(path, where)
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise _unreadable(where, str(error), expected="a whole, readable file") from None


def _only_member(path: Path, where: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        # Archives made on a Mac carry resource forks beside the files.
        files = [
            each.filename
            for each in archive.infolist()
            if not each.is_dir() and not each.filename.startswith("__MACOSX/")
        ]
        if len(files) != 1:
            raise _unreadable(
                where,
                f"the archive holds {len(files)} files: {', '.join(files[:5])}",
                expected="exactly one file in the archive",
            )
        return archive.read(files[0])


def read_parquet(path: Path, where: str) -> pa.Table:
    """Read a Parquet file as it is (TD-DATA-003)."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Not as a data set: a path such as month=1/x.parquet must not add columns.
        return parquet.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(where, str(error), expected="a whole Parquet file") from None


def read_json_lines(path: Path, *, declared: Collection[str], where: str) -> pa.Table:
    """Read one JSON object a line; a key that a line lacks is missing there.

    Numbers become `double` and text stays text, except columns whose every value is an ISO date
    or time. Errors: TD-DATA-003 names the line, TD-DATA-007 a nested object.
    """
    import pyarrow as pa

    rows = _json_rows(_bytes_of(path, where), where)
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(names, where)
    if not names:
        raise _unreadable(where, "there is no row in it", expected="one JSON object a line")
    columns = {name: _json_column([row.get(name) for row in rows], name, where) for name in names}
    for name, column in columns.items():
        if name not in declared and column.type == pa.string():
            columns[name] = infer_time(column)
    return pa.table(columns)


def _json_rows(data: bytes, where: str) -> list[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    rows = []
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _unreadable(
                where, f"line {number}: {error}", expected="one JSON object a line"
            ) from None
    return rows


def _json_column(values: list[Any], name: str, where: str) -> pa.ChunkedArray:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and any(abs(value) > EXACT_INTEGER for value in values if value is not None):
        found = "id"
    elif kinds <= {int, float}:
        found = "double"
    elif kinds <= {bool}:
        found = "bool"
    elif kinds <= {list}:
        found = _list_type(values)
    else:
        found = "string"
    try:
        return pa.chunked_array([pa.array(values, arrow_type(found))])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        spelled = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(
            "TD-DATA-007",
            f"{where}: column '{name}' mixes {spelled}: {error}",
            expected="values of one type: numbers, text, booleans, or lists of one of them",
            fix="Write one type in every line; take nested objects apart.",
            column=name,
        ) from None


def _list_type(values: list[list[Any]]) -> str:
    kinds = {type(item) for value in values for item in value or () if item is not None}
    if kinds <= {bool} and kinds:
        return "list<bool>"
    return "list<double>" if kinds <= {int, float} else "list<string>"


def _unreadable(where: str, what: str, *, expected: str) -> DataError:
    return DataError(
        "TD-DATA-003",
        f"{where} cannot be read: {what}",
        expected=expected,
        fix="Correct or fetch the file again; nothing of it was kept.",
    )
