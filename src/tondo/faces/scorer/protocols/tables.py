"""Rows as other shapes send them: by name, by place, by column, as CSV. One reader checks them all.

`inputs` are a path's columns; `where` begins the name of a field in errors, for example
`instances`.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
from typing import TYPE_CHECKING, Any

from tondo.faces.scorer.protocols.bodies import decode_any, malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.request import Row


def decode_object(body: bytes) -> dict[str, Any]:
    """Return a body's JSON object. `NaN`, which clients in Python write for null, is null."""
    value = decode_any(_without_nan(body) if b"NaN" in body else body)
    if not isinstance(value, dict):
        raise malformed("the body is not an object", expected="a JSON object")
    return value


def _without_nan(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body, parse_constant=_constant)).encode()
    except (ValueError, RecursionError):
        return body  # not even so: it is refused with its own words


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(name)


def rows_of(inputs: RowInputs, given: Any, where: str) -> list[Row]:
    """Return rows of a list: objects by name, lists by place, bare values of the only column."""
    if not isinstance(given, list):
        raise malformed(f"{where} is not a list", expected="a list, one item a row")
    return [_row(inputs, each, f"{where}[{at}].") for at, each in enumerate(given)]


def _row(inputs: RowInputs, given: Any, where: str) -> Row:
    if isinstance(given, dict):
        if list(given) == ["features"] and "features" not in inputs.types:
            return _row(inputs, given["features"], where)
        if list(given) != ["b64"]:
            return _named(inputs, given, where)
    if isinstance(given, list):
        return by_place(inputs, None, given, where)
    return by_place(inputs, None, [given], where)


def by_place(
    inputs: RowInputs, columns: Sequence[str] | None, values: Sequence[Any], where: str
) -> Row:
    """Return the row of values in the order of `columns`, None: the model's inputs."""
    names = tuple(inputs.types) if columns is None else columns
    if len(values) != len(names):
        raise malformed(
            f"{where.rstrip('.')} has {len(values)} values",
            expected=f"{len(names)}, in this order: " + ", ".join(names),
            fix="Name the columns where the order is not certain.",
        )
    return _named(inputs, dict(zip(names, values, strict=True)), where)


def _named(inputs: RowInputs, given: dict[str, Any], where: str) -> Row:
    """Return the row of values by name; the slow way says what is wrong, and reads base64."""
    read = inputs.read_own(given)
    if read is not None:
        return read
    row = {name: _value(value, f"{where}{name}") for name, value in given.items()}
    return inputs.read_mapping(row, where=where)


def rows_of_columns(inputs: RowInputs, given: Any, where: str) -> list[Row]:
    """Return rows of an object of columns, or of the list of the only column."""
    if isinstance(given, list) and len(inputs.types) == 1:
        given = {next(iter(inputs.types)): given}
    if not isinstance(given, dict) or not all(type(each) is list for each in given.values()):
        raise malformed(
            f"{where} is no object of lists", expected='columns: {"name": [value, ...], ...}'
        )
    sizes = {name: len(each) for name, each in given.items()}
    if len(set(sizes.values())) > 1:
        raise malformed(f"{where} has columns of different lengths: {sizes}"[:300])
    return [
        _row(inputs, dict(zip(given, each, strict=True)), f"{where}[{at}].")
        for at, each in enumerate(zip(*given.values(), strict=True))
    ]


def rows_of_split(inputs: RowInputs, given: Any, where: str) -> list[Row]:
    """Return rows of `{"columns": [...], "data": [[...]]}`, as pandas' `orient="split"` writes."""
    if not isinstance(given, dict) or not set(given) <= {"columns", "data", "index"}:
        raise malformed(f"{where} is of another shape", expected='{"columns": [], "data": [[]]}')
    columns, data = given.get("columns"), given.get("data")
    if not isinstance(data, list) or not all(type(each) is list for each in data):
        raise malformed(f"{where}.data is no list of lists", expected="a list a row")
    if columns is not None and not (
        isinstance(columns, list)
        and all(type(each) is str for each in columns)
        and len(set(columns)) == len(columns)
    ):
        raise malformed(f"{where}.columns is no list of distinct texts", expected="column names")
    return [by_place(inputs, columns, each, f"{where}.data[{at}].") for at, each in enumerate(data)]


def rows_of_csv(inputs: RowInputs, body: bytes, header: str | None) -> list[Row]:
    """Return rows of CSV (RFC 4180); `header` is present, absent, or None: seen from its names.

    An empty field is null; without a header the order is that of the model's inputs.
    """
    try:
        lines = list(csv.reader(io.StringIO(body.decode()), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise malformed(f"the CSV cannot be read: {error}", expected="RFC 4180, UTF-8") from None
    lines = [line for line in lines if line]
    columns: list[str] | None = None
    if lines and (header == "present" or (header is None and set(lines[0]) <= set(inputs.types))):
        columns = lines.pop(0)
        if len(set(columns)) != len(columns):
            raise malformed("a column stands in the header twice", expected="distinct names")
    names = tuple(inputs.types) if columns is None else tuple(columns)
    return [_csv_row(inputs, names, line, at) for at, line in enumerate(lines)]


def _csv_row(inputs: RowInputs, names: Sequence[str], line: Sequence[str], at: int) -> Row:
    if len(line) != len(names):
        return by_place(inputs, names, line, f"row {at}: ")
    values = [_field(inputs.types.get(name), text) for name, text in zip(names, line, strict=True)]
    return by_place(inputs, names, values, f"row {at}: ")


def _field(type_: str | None, text: str) -> Any:
    """Return a field's value as JSON would carry it; what it is not stays text, and is refused."""
    if text == "":
        return None
    if type_ == "bool":
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    if type_ in {"double", "id", "timestamp", "date"}:
        return _number(text, float if type_ == "double" else int)
    return text


def _number(text: str, read: type[float | int]) -> Any:
    """Return a number, `nan` as null; what is none stays text. Python's `1_000` is none here."""
    try:
        value = read(text)
    except ValueError:
        return text
    if "_" in text:
        return text
    return None if value != value else value  # noqa: PLR0124 - NaN


def _value(value: Any, where: str) -> Any:
    """Return a value, `{"b64": ...}` as the text that it is."""
    if not isinstance(value, dict) or list(value) != ["b64"]:
        return value
    try:
        return base64.b64decode(value["b64"], validate=True).decode()
    except (binascii.Error, ValueError, TypeError):
        raise malformed(f"{where} is no base64 of UTF-8", expected='{"b64": "..."}') from None
