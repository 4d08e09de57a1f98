"""Rows as callers send them, read into the language's own values; every refusal names the field.

Two ways with one meaning: a typed decoder for the quick path, and `read_mapping`, which explains.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import isfinite
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.core.instants import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tondo.scoring.table_column import TableColumn

_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), lt=2**63 - 1)]
"""Signed 64 bits; the end is left out because JSON Schema bounds must be such numbers too."""

_WIRE_TYPES: Final[dict[str, Any]] = {
    "double": float | None,
    "id": _Whole | None,
    "bool": bool | None,
    "string": str | None,
    "timestamp": _Whole | datetime | None,
    "date": _Whole | date | None,
}
_EXPECTED: Final = {
    "double": "a number or null",
    "id": "a whole number of 64 bits or null",
    "bool": "true, false or null",
    "string": "text or null",
    "timestamp": "RFC 3339 text with a zone, microseconds since 1970 UTC, or null",
    "date": "text such as 2013-04-01, days since 1970, or null",
}
_KINDS: Final = {"instant": ("timestamp",), "day": ("date",)}
"""What a column that tells times from numbers may be read as."""
_WHOLE_OR_NONE: Final = (int, type(None))
_ONE_DAY: Final = EPOCH.date().toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)


class RowInputs:
    """The columns of a request row.

    >>> rows = RowInputs({"distance": "double", "at": "timestamp"})
    >>> rows.read_mapping({"distance": 5, "at": "1970-01-01T00:00:01Z"})
    {'distance': 5.0, 'at': 1000000}
    """

    def __init__(self, types: Mapping[str, str], *, optional: Iterable[str] = ()) -> None:
        self.types = dict(types)
        self.optional = frozenset(optional)
        self._names = tuple(self.types)
        self.wire = {name: _wire_type(type_) for name, type_ in self.types.items()}
        """Column to the type that a typed decoder reads."""
        self.converts = [
            (name, convert)
            for name, type_ in self.types.items()
            if (convert := _converter(type_)) is not None
        ]
        """Columns whose decoded values are not yet the language's own."""
        self._doubles = [name for name, type_ in self.types.items() if type_ == "double"]
        self.struct = self._make_struct()
        self.from_struct = self._compile_from_struct()
        """Return the row of a decoded `struct`; TD-SCORE-002 for a time without a zone."""

    def _compile_from_struct(self) -> Callable[[msgspec.Struct], dict[str, Any]]:
        """Return the shortest function that does what `_from_struct` does."""
        names, values = self._names, msgspec.structs.astuple
        if self.converts or self.optional:
            return self._from_struct
        return lambda value: dict(zip(names, values(value)))  # noqa: B905 - made equal above

    def _from_struct(self, value: msgspec.Struct) -> dict[str, Any]:
        values = self.own_values(msgspec.structs.astuple(value))
        row = dict(zip(self._names, values))  # noqa: B905 - made equal
        if self.optional:
            return {name: each for name, each in row.items() if each is not msgspec.UNSET}
        return row

    def own_values(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return decoded values of all columns, in their order, in the language's own form."""
        if not self.converts:
            return values
        row = dict(zip(self._names, values, strict=True))
        for name, convert in self.converts:
            try:
                row[name] = convert(row[name])
            except ValueError:
                raise self._wrong_type(name, row[name], "") from None
        return tuple(row.values())

    def read_mapping(self, row: Any, *, where: str = "") -> dict[str, Any]:
        """Check one row and return it in own values; TD-SCORE-001 to -004 name the field.

        `where` says which row, for example `rows[3].`.
        """
        if not isinstance(row, dict):
            raise _malformed(f"{where.rstrip('.') or 'the row'} is {_shown(row)}", "an object")
        for name in self._names:
            if name not in row and name not in self.optional:
                raise self._missing(name, row, where)
        return {name: self.read_value(name, value, where=where) for name, value in row.items()}

    def read_own(self, row: Any) -> dict[str, Any] | None:
        """Read as `read_mapping` does, in a fifth of the time; None where anything is wrong.

        None also where a library wraps a value, as NumPy and pandas do.
        """
        try:
            read = self.from_struct(msgspec.convert(row, self.struct))
        except (msgspec.ValidationError, CallerError):
            return None
        return read if self._is_own(read) else None

    def _is_own(self, row: Mapping[str, Any]) -> bool:
        """Return whether numbers are finite floats and times whole, not of some library."""
        for name in self._doubles:
            value = row.get(name)
            if value is not None and (value.__class__ is not float or value - value != 0.0):
                return False
        return all(row.get(name).__class__ in _WHOLE_OR_NONE for name, _ in self.converts)

    def read_columns(self, columns: Mapping[str, TableColumn]) -> list[dict[str, Any]]:
        """Check the columns of a table and return its rows; others than its own are passed over.

        What one row would be refused for is refused with the row's place.
        """
        first: dict[str, Any] = dict.fromkeys(columns)
        for name in self._names:
            if name not in columns and name not in self.optional:
                raise self._missing(name, first, "")
        named = [name for name in self._names if name in columns]
        read = [self._read_column(name, columns[name]) for name in named]
        return [dict(zip(named, row, strict=True)) for row in zip(*read, strict=True)]

    def _read_column(self, name: str, column: TableColumn) -> list[Any]:
        type_ = self.types[name]
        if (item_type(type_) or type_) not in _KINDS.get(column.kind, _WIRE_TYPES):
            present = [each for each in column.values if each is not None]
            if present:
                raise self._wrong_type(name, f"a column of {column.kind}s", "")
        try:
            values = msgspec.convert(column.values, list[self.wire[name]])  # type: ignore[name-defined]
            convert = _converter(type_)
            values = values if convert is None else list(map(convert, values))
        except (msgspec.ValidationError, ValueError):
            values = None
        # A sum tells quickly that no number is infinite; where it is, each is looked at.
        if values is None or (type_ == "double" and not isfinite(sum(filter(None, values)))):
            for place, value in enumerate(column.values):
                self.read_value(name, value, where=f"rows[{place}].")
        assert values is not None
        return values

    def select(self, row: dict[str, Any], *, where: str = "") -> dict[str, Any]:
        """Return this model's columns of a row that was read for several models."""
        for name in self._names:
            if name not in row:
                raise self._missing(name, row, where)
        return {name: row[name] for name in self._names}

    def read_value(self, name: str, value: Any, *, where: str = "") -> Any:
        """Check one column's value."""
        type_ = self.wire.get(name)
        if type_ is None:
            raise CallerError(
                "TD-SCORE-003",
                f"{where}{name} is not an input here",
                expected="only columns of the model: " + ", ".join(sorted(self.types)),
                fix=near(str(name), self.types),
                field=f"{where}{name}",
            )
        try:
            read = msgspec.convert(value, type_)
            convert = _converter(self.types[name])
            read = convert(read) if convert is not None else read
        except (msgspec.ValidationError, ValueError):
            raise self._wrong_type(name, value, where) from None
        if isinstance(read, float) and not isfinite(read):
            raise CallerError(
                "TD-SCORE-004",
                f"{where}{name} is {read!r}",
                expected="a finite number or null",
                fix="Send null where the value is not known.",
                field=f"{where}{name}",
            )
        return read

    def _make_struct(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        for position, name in enumerate(self._names):
            if name in self.optional:
                wire = self.wire[name] | msgspec.UnsetType
                fields.append((f"f{position}", wire, msgspec.UNSET))
            else:
                fields.append((f"f{position}", self.wire[name]))
        return msgspec.defstruct(
            "Row",
            fields,
            kw_only=True,
            gc=False,
            forbid_unknown_fields=True,
            rename={f"f{position}": name for position, name in enumerate(self._names)},
        )

    def _missing(self, name: str, row: dict[str, Any], where: str) -> CallerError:
        unknown = [each for each in row if each not in self.types]
        fix = f"Send null for {name} where the value is not known."
        if unknown:
            fix = f"{near(name, unknown)} {fix}" if "Did" in near(name, unknown) else fix
        if name.startswith("@"):
            return CallerError(
                "TD-SCORE-012",
                f"{where}{name} is missing, and there is no online store to fetch it from",
                expected="the view feature's value in the row",
                fix="Send it in the row, or load the package with an online store.",
                field=f"{where}{name}",
            )
        return CallerError(
            "TD-SCORE-001",
            f"{where}{name} is missing",
            expected=f"{self._expected(name)} in every row",
            fix=fix,
            field=f"{where}{name}",
        )

    def _wrong_type(self, name: str, value: Any, where: str) -> CallerError:
        return CallerError(
            "TD-SCORE-002",
            f"{where}{name} is {_shown(value)}",
            expected=self._expected(name),
            fix="Send the type that the model's schema declares; nothing is cast silently.",
            field=f"{where}{name}",
        )

    def _expected(self, name: str) -> str:
        type_ = self.types[name]
        item = item_type(type_)
        return f"a list, each {_EXPECTED[item]}" if item else _EXPECTED[type_]


def _wire_type(type_: str) -> Any:
    item = item_type(type_)
    return GenericAlias(list, (_WIRE_TYPES[item],)) | None if item else _WIRE_TYPES[type_]


def _converter(type_: str) -> Callable[[Any], Any] | None:
    """Return what turns a decoded value into the language's own, None where it is one."""
    item = item_type(type_)
    if item is not None:
        inner = _converter(item)
        if inner is None:
            return None
        return lambda value: [inner(each) for each in value] if type(value) is list else value
    return {"timestamp": _micros, "date": _days}.get(type_)


def _micros(value: Any) -> Any:
    if type(value) is datetime:
        if value.tzinfo is None:
            raise ValueError(value)
        return (value - EPOCH) // _MICROSECOND
    return value


def _days(value: Any) -> Any:
    return value.toordinal() - _ONE_DAY if type(value) is date else value


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text[:60]}... ({type(value).__name__})" if len(text) > 60 else text


def _malformed(what: str, expected: str) -> CallerError:
    return CallerError("TD-SCORE-005", what, expected=expected)
