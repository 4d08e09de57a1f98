"""What a conversion gives, and the sentences that say what it left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")
_SHOWN = 3
_LONGEST = 60


class Converted(msgspec.Struct, Generic[T], frozen=True):
    """A value in another form."""

    value: T
    left_out: tuple[str, ...] = ()
    """A sentence for each thing that the other form cannot say or that is not understood."""


class Fields:
    """A document of which each field is taken once; what nobody took is told.

    >>> fields = Fields({"min": "1", "name": "age"})
    >>> fields.whole("min"), fields.untaken()
    (1, ['name'])
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._left = dict(document)
        self._inner: list[tuple[str, Fields]] = []

    def take(self, name: str, default: Any = None) -> Any:
        """Return a field as it is."""
        return self._left.pop(name, default)

    def look(self, name: str, default: Any = None) -> Any:
        """Return a field that stays untaken."""
        return self._left.get(name, default)

    def whole(self, name: str) -> int | None:
        """Return a whole number, which JSON has as text."""
        found = self.take(name)
        return None if found is None else int(found)

    def number(self, name: str) -> float | None:
        """Return a number; infinities and NaN are texts in JSON."""
        found = self.take(name)
        return None if found is None else float(found)

    def inner(self, name: str) -> Fields | None:
        """Return a field that is a document itself; what is left of it is told as well."""
        found = self.take(name)
        if found is None:
            return None
        fields = Fields(found)
        self._inner.append((name, fields))
        return fields

    def many(self, name: str) -> list[Fields]:
        """Return a field that is a list of documents."""
        found = [Fields(each) for each in self.take(name, [])]
        self._inner += [(name, each) for each in found]
        return found

    def untaken(self) -> list[str]:
        """Return the dotted names of the fields that were not taken, each once."""
        inside = [f"{name}.{each}" for name, fields in self._inner for each in fields.untaken()]
        return list(dict.fromkeys([*self._left, *inside]))


def not_understood(where: str, fields: Fields) -> list[str]:
    """Return a sentence for each field that was not taken.

    >>> not_understood("feature 'x'", Fields({"image_domain": {}}))
    ["feature 'x': image_domain is not understood"]
    """
    return [f"{where}: {name} is not understood" for name in fields.untaken()]


def changed(name: str, before: Any, after: Any) -> str:
    """Say of one constraint that it is left out, or what becomes of it.

    >>> changed("min", 0.5, 1), changed("drift", {"l_infinity": 0.1}, None)
    ('min 0.5 becomes 1', 'drift {"l_infinity":0.1} is left out')
    """
    if before in (None, (), {}, ""):
        return f"{name} is added as {_short(after)}"
    if after in (None, (), {}, "", False):
        return f"{name} {_short(before)} is left out"
    return f"{name} {_short(before)} becomes {_short(after)}"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def of_columns(what: str, names: Iterable[str]) -> str:
    """Return a part of several columns' statistics as one text.

    >>> of_columns("distinct", ["a", "b", "c", "d", "e"])
    'distinct of a, b, c and 2 more columns'
    """
    every = list(names)
    shown = ", ".join(every[:_SHOWN])
    more = len(every) - _SHOWN
    tail = f" and {more} more column{'s' if more > 1 else ''}" if more > 0 else ""
    return f"{what} of {shown}{tail}"
