"""Readers of single files; the only place that knows what a file looks like inside."""

from __future__ import annotations

import contextlib
import csv as csv_text
import io
import json
import re
from codecs import BOM_UTF8
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from tondo.core.errors import DataError, DefinitionError, near
from tondo.stages.data.arrow_types import EXACT_INTEGER, arrow_type, check_names
from tondo.stages.data.csv_faults import (
    delimiter_sign,
    no_text,
    refuse_faults,
    refuse_other_separator,
    scan,
)
from tondo.stages.data.packed import EXPANDED_MB, MOST_TIMES, unpacked, unreadable
from tondo.stages.data.text_columns import infer_text, infer_time, parse_text, without_nulls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

_CSV = "CSV in UTF-8 with a header row and equally many cells in each row"
# A row longer than this is no row of a table.
_LONGEST_ROW_BYTES = 128 << 20
_BUFFER_BYTES = 1 << 20
_KEY = re.compile(rb'"\s*:')


def read_csv(
    path: Path,
    *,
    declared: Mapping[str, str],
    null_values: Sequence[str],
    zone: str | None,
    where: str,
    limit_mb: int | None = None,
    delimiter: str | None = None,
) -> pa.Table:
    """Read a CSV with a header (also .gz, or alone in a .zip); `declared` types win.

    `delimiter` as a source says it. Errors: TD-DATA-003, -004, -005, -006, -010, -040, -041,
    -042, -045, -046.
    """
    import pyarrow as pa

    sign = "\t" if ".tsv" in path.name else ","
    if delimiter is not None:
        sign = delimiter_sign(delimiter, where=where)
    text = _read_text_table(path, where, delimiter=sign, limit_mb=limit_mb)
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


def _read_text_table(path: Path, where: str, *, delimiter: str, limit_mb: int | None) -> pa.Table:
    """Return every column as text, empty cells as empty text."""
    import pyarrow as pa

    with _opened(path, where, limit_mb=limit_mb) as file:
        found = scan(file, delimiter)
        refuse_faults(file, found, delimiter=delimiter, where=where)
        names = _header(file, delimiter, where)
        refuse_other_separator(names, where, delimiter=delimiter)
        check_names(names, where)
        try:
            return _parsed(file, names, delimiter=delimiter, quoted=found.quoted)
        except (pa.ArrowInvalid, OSError) as error:
            if "straddl" in str(error):
                return _with_long_rows(file, names, delimiter=delimiter, where=where)
            if "Empty CSV file" in str(error):
                # A header alone that no line break ends is a table without rows.
                return pa.table({name: pa.array([], pa.string()) for name in names})
            raise no_text(file, where) or unreadable(where, str(error), expected=_CSV) from None


def _parsed(
    file: BinaryIO,
    names: list[str],
    *,
    delimiter: str,
    quoted: bool,
    block_bytes: int | None = None,
) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    file.seek(0)
    return csv.read_csv(
        file,
        read_options=csv.ReadOptions(block_size=block_bytes),
        # Without a quote there is no newline in a value, and blocks are cut in parallel.
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted),
        # All as text, so that no column's type is guessed from its first rows.
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _with_long_rows(file: BinaryIO, names: list[str], *, delimiter: str, where: str) -> pa.Table:
    """Read rows that are longer than Arrow's blocks (TD-DATA-045 when one is no row)."""
    import pyarrow as pa

    try:
        return _parsed(
            file, names, delimiter=delimiter, quoted=True, block_bytes=_LONGEST_ROW_BYTES
        )
    except pa.ArrowInvalid as error:
        if "straddl" not in str(error):
            raise no_text(file, where) or unreadable(where, str(error), expected=_CSV) from None
        raise DataError(
            "TD-DATA-045",
            f"{where}: a row is longer than {_LONGEST_ROW_BYTES >> 20} MB",
            expected="rows of a table",
            fix="Keep large texts and files beside the table, and their names in it.",
        ) from None


def _header(file: BinaryIO, delimiter: str, where: str) -> list[str]:
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        # Arrow leaves out lines without a cell, before the header too.
        return next(row for row in csv_text.reader(lines, delimiter=delimiter) if row)
    except StopIteration:
        raise unreadable(where, "it is empty: there is no header", expected=_CSV) from None
    except csv_text.Error as error:
        raise unreadable(where, f"no header: {error}", expected=_CSV) from None
    except UnicodeDecodeError as error:
        raise no_text(file, where) or unreadable(where, str(error), expected=_CSV) from None
    finally:
        # Else the wrapper would close the file when it goes.
        lines.detach()


def _opened(path: Path, where: str, *, limit_mb: int | None) -> BinaryIO:
    """Return a text file's bytes to be read in blocks; what is packed is unpacked first."""
    if path.suffix.lower() in {".zip", ".gz"}:
        return io.BytesIO(unpacked(path, where, limit_mb=limit_mb))
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(where, str(error), expected="a whole, readable file") from None


def read_parquet(path: Path, where: str, *, limit_mb: int | None = None) -> pa.Table:
    """Read a Parquet file as it is, its checksums and text checked (TD-DATA-003, -042)."""
    with readable_parquet(path, where, limit_mb=limit_mb) as file:
        table = file.read()
        # Text that is no UTF-8 would stop the engine later, without a word of the file.
        table.validate(full=True)
        return table


@contextlib.contextmanager
def readable_parquet(path: Path, where: str, *, limit_mb: int | None) -> Iterator[Any]:
    """Yield an open Parquet file with columns; what stops reading it is TD-DATA-003 or -042."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Not as a data set: a path such as month=1/x.parquet must not add columns. What is not
        # asked for is not held: a row group may be the whole file.
        with parquet.ParquetFile(
            path, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER_BYTES
        ) as file:
            _refuse_expansion(file.metadata, path.stat().st_size, where, limit_mb=limit_mb)
            if not file.schema_arrow.names:
                raise unreadable(where, "it has no column", expected="at least one column")
            yield file
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise unreadable(where, said, expected="a whole Parquet file") from None


def _refuse_expansion(found: Any, packed: int, where: str, *, limit_mb: int | None) -> None:
    """Refuse a small file that says it holds more cells than memory (TD-DATA-042)."""
    # A run of one value takes a few bytes however long it is; in memory each takes eight.
    size = 8 * found.num_rows * found.num_columns
    limit = EXPANDED_MB if limit_mb is None else limit_mb
    if size <= limit << 20 or size <= packed * MOST_TIMES:
        return
    raise DataError(
        "TD-DATA-042",
        f"{where}: its {packed:,} bytes unpack to {found.num_rows:,} rows, more than "
        f"{limit:,} MB (`expanded_mb`)",
        expected="a file that memory can hold",
        fix="If it is meant, say how much: `expanded_mb:` in the source.",
    )


def read_json_lines(
    path: Path, *, declared: Collection[str], where: str, limit_mb: int | None = None
) -> pa.Table:
    """Read one JSON object a line; a key that a line lacks is missing there.

    Numbers become `double` and text stays text, except columns whose every value is an ISO date
    or time. Errors: TD-DATA-003 and -044 name the line, TD-DATA-007 a nested object, -042.
    """
    import pyarrow as pa

    with _opened(path, where, limit_mb=limit_mb) as file:
        rows = _json_rows(file.read().removeprefix(BOM_UTF8), where)
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(names, where)
    if not names:
        raise unreadable(where, "there is no row in it", expected="one JSON object a line")
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
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise no_text(io.BytesIO(data), where) or unreadable(
                where, f"line {number}: {error}", expected="one JSON object a line"
            ) from None
        except RecursionError:
            raise unreadable(
                where, f"line {number}: it is nested too deeply", expected="flat JSON objects"
            ) from None
        if len(_KEY.findall(line)) != len(row):
            _refuse_repeated_keys(line, where, number=number)
        rows.append(row)
    return rows


def _refuse_repeated_keys(line: bytes, where: str, *, number: int) -> None:
    """Refuse an object in which a key stands twice: a reader would drop a value (TD-DATA-044)."""

    def checked(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(
                "TD-DATA-044",
                f"{where}, line {number}: the key '{twice}' stands twice",
                expected="each key once in an object",
                fix="Write one of the two values.",
                line=number,
            )

    json.loads(line, object_pairs_hook=checked)


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
