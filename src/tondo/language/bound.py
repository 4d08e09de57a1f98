"""Kernels with their constants bound once, for rows: zone tables found, patterns compiled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import md5
from typing import Any

from tondo.language.functions import FUNCTIONS
from tondo.language.functions.regexps import compiled, default_group
from tondo.language.functions.shaping import position_in
from tondo.language.functions.text import ends, matcher
from tondo.language.functions.times import (
    CLOCK_PARTS,
    DAY_PARTS,
    EARLIEST_US,
    LATEST_US,
)
from tondo.language.functions.zones import zone
from tondo.language.tree import Call
from tondo.language.values import DAY_US

Bound = tuple[Callable[..., Any], tuple[int, ...]]
"""A kernel and the places of the arguments that it still takes."""


_PARTS = frozenset({*DAY_PARTS, *CLOCK_PARTS})

Binder = Callable[[Sequence[Any]], Bound | None]
"""From the arguments' constants (None where not constant) to what is bound, if it can be."""


def bind(name: str, constants: Sequence[Any], *, of_list: bool = False) -> Bound:
    """Return the kernel of `name` with what can be bound; None in `constants` is no constant.

    `of_list`: the first argument is a list whose items are taken one by one.

    >>> kernel, places = bind("bucketize", [None, 0.0, 15.0])
    >>> kernel(20.0), places
    (2.0, (0,))
    """
    binder = _BINDERS.get(name)
    found = binder(constants) if binder else None
    if found is not None and of_list and name in _BY_ITEM:
        return _of_items(found[0]), found[1]
    return found or (FUNCTIONS[name].kernel, tuple(range(len(constants))))


_BY_ITEM = frozenset({"hash_bucket", "lookup"})
"""Functions that take a list item by item."""


def _of_items(kernel: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda items: [None if each is None else kernel(each) for each in items]


def split_time(node: Call) -> Call:
    """Return a part of zoned time as a part of local time, so that parts share the local time.

    The two inner functions, `local_us` and `local_<part>`, exist in compiled rows only.
    """
    if len(node.arguments) != 2 or node.function not in _PARTS:
        return node
    local = Call("local_us", node.arguments, "timestamp")
    return Call(f"local_{node.function}", (local,), node.type)


def _local(constants: Sequence[Any]) -> Bound:
    table = zone(constants[1])
    starts, offsets = table.starts_us, table.offsets_us

    def kernel(instant: int) -> int | None:
        if not EARLIEST_US <= instant <= LATEST_US:
            return None
        return instant + offsets[bisect_right(starts, instant) - 1]

    return kernel, (0,)


def _day_part(name: str) -> Binder:
    part = DAY_PARTS[name]
    return lambda _: ((lambda local: float(part(local // DAY_US))), (0,))


def _clock_part(name: str) -> Binder:
    part = CLOCK_PARTS[name]
    return lambda _: ((lambda local: float(part(local))), (0,))


def _bounds(constants: Sequence[Any]) -> Bound:
    bounds = list(constants[1:])
    return (lambda x: float(bisect_right(bounds, x))), (0,)


def _member(constants: Sequence[Any]) -> Bound | None:
    if None in constants[1:]:
        return None
    items = frozenset(constants[1:])
    return (lambda x: None if x is None else x in items), (0,)


def _place(constants: Sequence[Any]) -> Bound:
    values = constants[1:]
    places = {each: position_in(each, *values) for each in values}
    return (lambda x: places.get(x, 0.0)), (0,)


def _looked_up(constants: Sequence[Any]) -> Bound:
    _, keys, values, *last = constants
    default = last[0] if last else None
    places = dict(zip(reversed(keys), reversed(values), strict=True))  # the first of equals counts
    return (lambda x: places.get(x, default)), (0,)


def _pattern(constants: Sequence[Any]) -> Bound | None:
    return None if constants[1] is None else (matcher(constants[1]), (0,))


def _extracted(constants: Sequence[Any]) -> Bound:
    search = compiled(constants[1]).search
    group = int(constants[2]) if len(constants) > 2 else default_group(constants[1])

    def kernel(text: str) -> str | None:
        found = search(text)
        return None if found is None else found[group] or ""

    return kernel, (0,)


def _matched(constants: Sequence[Any]) -> Bound:
    search = compiled(constants[1]).search
    return (lambda text: search(text) is not None), (0,)


def _slice(constants: Sequence[Any]) -> Bound | None:
    start, *length = constants[1:]
    if start is None or None in length:
        return None
    first, stop = ends(start, *length)
    return (lambda text: text[first:stop]), (0,)


def _hashed(constants: Sequence[Any]) -> Bound:
    count = int(constants[1])

    @lru_cache(maxsize=4096)  # what is hashed are categories, and they come again
    def kernel(value: str | int) -> float:
        digest = md5(str(value).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        return float((int.from_bytes(digest[:8]) >> 4) % count)

    return kernel, (0,)


_BINDERS: dict[str, Binder] = {
    "local_us": _local,
    **{f"local_{name}": _day_part(name) for name in DAY_PARTS},
    **{f"local_{name}": _clock_part(name) for name in CLOCK_PARTS},
    "bucketize": _bounds,
    "hash_bucket": _hashed,
    "in": _member,
    "position_in": _place,
    "lookup": _looked_up,
    "regexp_extract": _extracted,
    "regexp_matches": _matched,
    "like": _pattern,
    "substr": _slice,
}
