"""One row of the table of functions, and how its signatures match types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tondo.core.columns import item_type

NULL_TYPE = ""
"""Type of a bare null before it is settled."""
WHOLE_TYPE = "whole"
"""Type of a whole number in the text before it is settled as double or id."""

VARIABLES = ("T", "A")
"""In a signature T is one type that is no list, A one type of any kind."""

_ARGUMENT = re.compile(r"(#?)(list<\w+>|\w+)(\??|\.\.\.)")


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function: what it takes, what it answers, and the code that decides."""

    name: str
    signatures: tuple[str, ...]
    """`T, T... -> T`: T is one type that is no list, A one type of any kind, each throughout;
    `?` optional, `...` repeated, `#` a constant."""
    kernel: Callable[..., Any]
    nulls: Literal["strict", "own"] = "strict"
    """strict: any null gives null and the kernel is not called; own: the kernel sees None."""
    operator: str = ""
    """How it is written when not as a call, for example `x + y`."""
    group: str
    """Heading under which the reference lists it."""
    ulp: bool = False
    """Whether engines may differ by 4 units in the last place."""
    problem: Callable[[Sequence[Any]], str] | None = None
    """Given the constants (None where not constant), what is wrong with them; empty if nothing."""
    doc: str
    example: tuple[str, Any]
    """An expression and its value."""


class Match(msgspec.Struct, frozen=True):
    """How a signature fits: the settled types of the arguments and the type of the answer."""

    arguments: tuple[str, ...]
    result: str


class _Slot(msgspec.Struct, frozen=True):
    type: str
    constant: bool
    suffix: str


def match(signature: str, types: Sequence[str]) -> Match | None:
    """Return how `signature` fits the argument `types`, or None.

    >>> match("T, T... -> T", ["double", "whole", ""]).result
    'double'
    """
    taken, result = signature.split(" -> ")
    slots = _laid_out(taken, len(types))
    if slots is None:
        return None
    settled = {name: _settled(name, slots, types) for name in VARIABLES}
    if item_type(settled["T"]) is not None:
        return None
    wanted = [_filled(slot.type, settled) for slot in slots]
    if not all(_accepts(want, have) for want, have in zip(wanted, types, strict=True)):
        return None
    return Match(tuple(wanted), _filled(result, settled))


def constants_of(signature: str, count: int) -> tuple[bool, ...]:
    """Return for each of `count` arguments whether the signature wants a constant."""
    return tuple(slot.constant for slot in _laid_out(signature.partition(" -> ")[0], count) or ())


def _laid_out(taken: str, count: int) -> list[_Slot] | None:
    """Return one slot per argument, repeated and optional ones laid out; None if it cannot be."""
    parts = [_ARGUMENT.fullmatch(each) for each in taken.split(", ")] if taken else []
    slots = [_Slot(part[2], bool(part[1]), part[3]) for part in parts if part]
    if slots and slots[-1].suffix == "...":
        slots += [slots[-1]] * (count - len(slots))
    least = sum(slot.suffix == "" for slot in slots) + (bool(slots) and slots[-1].suffix == "...")
    return slots[:count] if least <= count <= len(slots) else None


def _filled(type_: str, settled: Mapping[str, str]) -> str:
    """Return a signature's type with its variable replaced; empty when nothing settles it."""
    item = item_type(type_)
    if item is not None and item in settled:
        return f"list<{settled[item]}>" if settled[item] else NULL_TYPE
    return settled.get(type_, type_)


def _settled(name: str, slots: Sequence[_Slot], types: Sequence[str]) -> str:
    """Return the one type that a variable stands for; empty when only nulls speak for it."""
    pairs = list(zip(slots, types, strict=True))
    bound = [have for slot, have in pairs if slot.type == name]
    items = [item_type(have) for slot, have in pairs if slot.type == f"list<{name}>"]
    settled = [each for each in items if each]
    settled += [each for each in bound if each not in {NULL_TYPE, WHOLE_TYPE}]
    if settled:
        return settled[0]
    return "double" if WHOLE_TYPE in bound else NULL_TYPE


def _accepts(wanted: str, have: str) -> bool:
    if have == NULL_TYPE:
        return True
    if have == WHOLE_TYPE:
        return wanted in {"double", "id"}
    return have == wanted
