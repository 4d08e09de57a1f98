"""What a value of the language is in a graph: one or two columns, by its type.

| type | columns |
| --- | --- |
| double | the number, NaN where null |
| bool | whether it is true, and whether it is false; neither where null |
| id, timestamp, date | the whole number, and whether it is null |
| string | the text, and whether it is null |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from tondo.adapters.exports.onnx.writer import BOOL, FLOAT64, INT64, STRING

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.writer import GraphWriter
    from tondo.language.tree import Scalar

NULL_SUFFIX = ".null"
"""A column that is no double has a second input of this name: true where it is null."""


class Doubles(msgspec.Struct, frozen=True):
    """Numbers."""

    data: str
    """NaN where null."""


class Truths(msgspec.Struct, frozen=True):
    """Truth values, three-valued."""

    yes: str
    no: str


class Wholes(msgspec.Struct, frozen=True):
    """Ids, microseconds, days: 64 bits."""

    data: str
    """Any number where null."""
    null: str


class Texts(msgspec.Struct, frozen=True):
    """Texts."""

    data: str
    """Any text where null."""
    null: str


Form = Doubles | Truths | Wholes | Texts

WHOLE_TYPES = ("id", "timestamp", "date")
KINDS = {
    "double": FLOAT64,
    "bool": BOOL,
    "string": STRING,
    **dict.fromkeys(WHOLE_TYPES, INT64),
}
"""Column type to the kind of its input's items."""


def column_form(writer: GraphWriter, name: str, type_: str) -> Form:
    """Return the form of a request column, whose inputs are made when first read."""
    data = writer.input(name, KINDS[type_])
    if type_ == "double":
        return Doubles(data)
    null = writer.input(name + NULL_SUFFIX, BOOL)
    if type_ == "bool":
        known = writer.add("Not", null)
        return Truths(writer.both(known, data), writer.both(known, writer.add("Not", data)))
    return Texts(data, null) if type_ == "string" else Wholes(data, null)


def constant_form(writer: GraphWriter, value: Scalar, type_: str) -> Form:
    """Return the form of a constant."""
    if type_ == "double":
        assert not isinstance(value, str)
        return Doubles(writer.double(math.nan if value is None else float(value)))
    if type_ == "bool":
        return Truths(writer.truth(value is True), writer.truth(value is False))
    null = writer.truth(value is None)
    if type_ == "string":
        return Texts(writer.text("" if value is None else str(value)), null)
    return Wholes(writer.whole(0 if value is None else int(value)), null)


def is_null(writer: GraphWriter, form: Form) -> str:
    """Return where a value is null."""
    if isinstance(form, Doubles):
        return writer.add("IsNaN", form.data)
    if isinstance(form, Truths):
        return writer.add("Not", writer.either(form.yes, form.no))
    return form.null


def select(writer: GraphWriter, condition: str, yes: Form, no: Form) -> Form:
    """Return `yes` where the condition is true, else `no`; both of one form."""
    if isinstance(yes, Doubles) and isinstance(no, Doubles):
        return Doubles(writer.where(condition, yes.data, no.data))
    if isinstance(yes, Truths) and isinstance(no, Truths):
        return Truths(
            _choose(writer, condition, yes.yes, no.yes), _choose(writer, condition, yes.no, no.no)
        )
    if isinstance(yes, Texts) and isinstance(no, Texts):
        return Texts(*_chosen(writer, condition, yes, no))
    assert isinstance(yes, Wholes)
    assert isinstance(no, Wholes)
    return Wholes(*_chosen(writer, condition, yes, no))


def _chosen(
    writer: GraphWriter, condition: str, yes: Wholes | Texts, no: Wholes | Texts
) -> tuple[str, str]:
    data = writer.where(condition, yes.data, no.data)
    return data, _choose(writer, condition, yes.null, no.null)


def _choose(writer: GraphWriter, condition: str, yes: str, no: str) -> str:
    """Return one of two truth values, which Where does not take."""
    if yes == no:
        return yes
    other = writer.add("Not", condition)
    return writer.either(writer.both(condition, yes), writer.both(other, no))
