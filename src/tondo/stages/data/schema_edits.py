"""Edits of a schema in one line each: `delay.min=-60`, `origin.domain=[EWR,JFK]`, `max_rows=`."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from tondo.core.errors import CallerError, near
from tondo.stages.data.anomalies import Change
from tondo.stages.data.constraints import ColumnSchema, value_type
from tondo.stages.data.schema import Schema
from tondo.stages.data.time_bounds import TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

# What is said of columns stands behind their names.
_NOT_EDITED = ("schema", "columns")


def parse_edit(text: str, schema: Schema) -> Change:
    """Return the change that `PLACE=VALUE` asks for; an empty value takes the constraint away.

    The place is `COLUMN.CONSTRAINT`, or a key of the schema as a whole such as `max_rows`. Lists
    stand in brackets. Errors: TD-SCHEMA-040 (no such place), -041 (no such value for it).

    >>> schema = Schema(name="t", columns={"delay": ColumnSchema(type="double")})
    >>> str(parse_edit("delay.presence.min_fraction=0.9", schema))
    'columns.delay.presence.min_fraction = 0.9'
    >>> str(parse_edit("delay.not_in=[SERVING]", schema))
    'columns.delay.not_in = ["SERVING"]'
    """
    column = _column_at_start(text, schema)
    above: tuple[str, ...] = () if column is None else ("columns", column)
    kind = Schema if column is None else ColumnSchema
    rest = text if column is None else text[len(column) + 1 :]
    place, mark, value = rest.partition("=")
    if not mark:
        raise CallerError(
            "TD-SCHEMA-040",
            f"'{text}' sets nothing",
            expected="COLUMN.CONSTRAINT=VALUE, such as delay.min=-60",
            edit=text,
        )
    keys = tuple(place.strip().split("."))
    found = _place(keys, kind, text, schema)
    if value.strip():
        ranged = keys in {("min",), ("max",)} and column is not None
        is_time = ranged and value_type(schema.columns[str(column)].type) in TIMES
        type_ = str | None if is_time else found.type
        return Change(path=(*above, *keys), value=_value(value.strip(), type_, text))
    if found.entries is None:
        return Change(path=(*above, *keys), value=found.default)
    kept = {key: each for key, each in found.entries.items() if key != keys[-1]}
    return Change(path=(*above, *keys[:-1]), value=kept)


def edit_of(change: Change) -> str:
    """Return the edit that makes a change of one constraint of a column.

    >>> edit_of(Change(path=("columns", "delay", "min"), value=-60))
    'delay.min=-60'
    """
    shown = "" if change.value is None else msgspec.json.encode(change.value).decode()
    return f"{'.'.join(change.path[1:])}={shown}"


class _Place(NamedTuple):
    type: Any
    default: Any = None
    """The plain value that asks for nothing."""
    entries: dict[str, Any] | None = None
    """What the mapping holds now of which the last key names an entry."""


def _column_at_start(text: str, schema: Schema) -> str | None:
    """Return the longest column name that a dot follows: names may hold dots and signs."""
    named = [each for each in schema.columns if text.startswith(f"{each}.")]
    return max(named, key=len, default=None)


def _place(keys: Sequence[str], kind: type[msgspec.Struct], text: str, schema: Schema) -> _Place:
    found = _Place(kind)
    for depth, key in enumerate(keys):
        type_ = _without_none(found.type)
        if get_origin(type_) is dict:
            # Only the schema itself has mappings, one key deep: severities and domains.
            entries = msgspec.to_builtins(getattr(schema, keys[depth - 1]))
            found = _Place(get_args(type_)[1], None, entries)
            continue
        is_struct = isinstance(type_, type) and issubclass(type_, msgspec.Struct)
        fields = msgspec.structs.fields(type_) if is_struct else ()
        known = {each.encode_name: each for each in fields}
        if key not in known or (depth == 0 and kind is Schema and key in _NOT_EDITED):
            raise _no_place(key, keys[:depth], list(known), text=text, schema=schema)
        found = _Place(known[key].type, _default(known[key]))
    return found


def _no_place(
    key: str, above: Sequence[str], known: list[str], *, text: str, schema: Schema
) -> CallerError:
    of_columns = _column_at_start(text, schema) is not None
    if not of_columns and not above:
        known = [*schema.columns, *(each for each in known if each not in _NOT_EDITED)]
        what = f"'{key}' is no column and no key of the schema of {schema.name}"
    elif not known:
        what = f"'{'.'.join(above)}' has no parts"
    else:
        what = f"'{'.'.join((*above, key))}' is no constraint"
    fix = near(key, known) if known else "Set it as a whole."
    return CallerError(
        "TD-SCHEMA-040",
        f"{text}: {what}",
        expected="COLUMN.CONSTRAINT=VALUE, such as delay.min=-60",
        fix=fix,
        edit=text,
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default)
    made = field.default_factory
    return None if made is msgspec.NODEFAULT else msgspec.to_builtins(made())


def _value(text: str, type_: Any, edit: str) -> Any:
    plain = _without_none(type_)
    given: Any = text
    if get_origin(plain) is tuple:
        given = _listed(text)
    elif plain is not str or text.startswith('"'):
        given = _json(text)
    try:
        return msgspec.to_builtins(msgspec.convert(given, type_, strict=False))
    except msgspec.ValidationError as error:
        raise CallerError(
            "TD-SCHEMA-041",
            f"{edit}: {error}",
            expected="a value of the constraint's own kind, lists in brackets",
            fix=near(text, get_args(plain)) if get_origin(plain) is Literal else "",
            edit=edit,
        ) from None


def _listed(text: str) -> Any:
    """Return the items of `[a, b]`, which may be JSON too.

    >>> _listed("[EWR, JFK]"), _listed('["a,b"]'), _listed("[1]"), _listed("[]")
    (['EWR', 'JFK'], ['a,b'], ['1'], [])
    """
    inside = text.removeprefix("[").removesuffix("]")
    if f"[{inside}]" != text:
        return text
    given = _json(text)
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        return given
    return [each.strip() for each in inside.split(",")]


def _json(text: str) -> Any:
    """Return what a text says in JSON, or the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _without_none(type_: Any) -> Any:
    """Return what stands beside None; `int | float` stays as it is."""
    others = [each for each in get_args(type_) if each is not NoneType]
    return others[0] if NoneType in get_args(type_) and len(others) == 1 else type_
