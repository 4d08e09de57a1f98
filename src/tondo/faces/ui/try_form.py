"""The form that tries a row: its fields by type, and what they send as JSON values."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.columns import item_type
from tondo.workspace.live.explanation import FeatureEffect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.core.errors import TondoError
    from tondo.workspace.live.explanation import Explanation
    from tondo.workspace.live.trying import TryForm

COLUMN = "column-"
"""A field's name is this and the column's name."""

_HINTS = {
    "double": "a number",
    "id": "a whole number",
    "bool": "",
    "string": "text",
    "timestamp": "2013-04-01T00:00:00Z",
    "date": "2013-04-01",
}
_PLACE = re.compile(r"rows\[0\]\.(\w+)")
_MODES = {"double": "decimal", "id": "numeric"}


class TryField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    type: str
    text: str
    """What stands in it."""
    hint: str
    mode: str
    """The keyboard that a phone shows."""
    read_by: list[str]
    wrong: bool
    """Whether the last answer named it."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's effect as a bar from the middle, in per cent of the width."""

    effect: FeatureEffect
    x: float
    width: float
    raises: bool


def fields(
    form: TryForm, typed: Mapping[str, str] | None, error: TondoError | None
) -> list[TryField]:
    """Return the fields with what was typed, else with the sample row's values."""
    named = "" if error is None else str(error.fields.get("field", "")).rpartition(".")[2]
    return [
        TryField(
            name=each.name,
            type=each.type,
            text=_text(each.value) if typed is None else typed.get(COLUMN + each.name, ""),
            hint=_HINTS.get(each.type, "a list, such as [1, 2]"),
            mode=_MODES.get(each.type, "text"),
            read_by=each.read_by,
            wrong=each.name == named,
        )
        for each in form.columns
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def said_of_the_row(what: str) -> str:
    """Return a refusal's words with the columns that it names: the form has but one row.

    >>> said_of_the_row("rows[0].pages is 'many'"), said_of_the_row("no scorer answers")
    ("'pages' is 'many'", 'no scorer answers')
    """
    return _PLACE.sub(r"'\1'", what)


def row_of(form: TryForm, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the row that was typed; an empty field is null.

    What cannot be read as its type is sent as it was typed: the scorer's refusal names the field
    and says what it wants, as it does for every other client.
    """
    return {
        each.name: _value(typed.get(COLUMN + each.name, ""), each.type) for each in form.columns
    }


def _value(text: str, type_: str) -> Any:
    """Return a text as the JSON value of a column's type.

    >>> _value(" 12.5", "double"), _value("true", "bool"), _value("", "string"), _value("7", "id")
    (12.5, True, None, 7)
    >>> _value("[1, 2]", "list<double>"), _value("far", "double")
    ([1, 2], 'far')
    """
    plain = text.strip()
    if not plain:
        return None
    if type_ == "string":
        return text
    if type_ in {"double", "id", "bool"} or item_type(type_) is not None:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(plain)
    return plain


def effect_bars(explanation: Explanation) -> list[Bar]:
    """Return a bar for each feature that did anything, the strongest first."""
    shown = [each for each in explanation.effects if each.effect]
    most = max((abs(each.effect or 0.0) for each in shown), default=1.0)
    bars = []
    for each in shown:
        length = round(abs(each.effect or 0.0) / most * 50, 2)
        raises = (each.effect or 0.0) > 0
        bars.append(
            Bar(
                effect=each,
                x=50.0 if raises else round(50 - length, 2),
                width=length,
                raises=raises,
            )
        )
    return bars
