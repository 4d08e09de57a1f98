"""Random columns: every kind of value that both sides read, as plain JSON."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WORDS = ("red", "green", "blue", "grey", "pink", "é", "New York", "")
TRUTHS = (("true", "false"), ("TRUE", "FALSE"), ("1", "0"), ("true", "1"), ("set", "clear"))
SIZES = (1, 2, 5, 8, 10, 10, 20, 20, 40, 50)


def words(random: Random) -> Callable[[], str]:
    known = random.sample(WORDS, random.randint(1, 6))
    return lambda: random.choice(known)


def names(random: Random) -> Callable[[], str]:
    return lambda: f"name {random.randint(0, 10**6)}"


def truths(random: Random) -> Callable[[], str]:
    known = random.choice(TRUTHS)
    return lambda: random.choice(known)


def digits(random: Random) -> Callable[[], str]:
    return lambda: str(random.randint(-5, 30))


def decimals(random: Random) -> Callable[[], str]:
    return lambda: f"{random.randint(-50, 500) / 4:g}"


def mixed(random: Random) -> Callable[[], str]:
    return lambda: random.choice(["7", " 7", "+12", "2.5", "1e3", "x", "nan"])


def integers(random: Random) -> Callable[[], int]:
    spread = random.choice([2, 5, 30, 10**6, 2**40])
    return lambda: random.randint(-spread // 2, spread)


def bits(random: Random) -> Callable[[], int]:
    most = random.choice([0, 1, 1, 1, 2])
    return lambda: random.randint(0, most)


def floats(random: Random) -> Callable[[], float]:
    spread, places = random.choice([1, 10, 1000]), random.choice([1, 2, 6])
    return lambda: round(random.gauss(0, spread), places)


def odd_floats(random: Random) -> Callable[[], float | str]:
    strange = random.choice([["nan"], ["inf"], ["-inf"], ["nan", "inf", "-inf"]])
    plain = floats(random)
    return lambda: random.choice(strange) if random.random() < 0.2 else plain()


def float_bits(random: Random) -> Callable[[], float]:
    return lambda: float(random.randint(0, 1))


def booleans(random: Random) -> Callable[[], bool]:
    share = random.choice([0.0, 0.3, 0.5, 1.0])
    return lambda: random.random() < share


KINDS: dict[str, tuple[str, Callable[[Random], Callable[[], Any]]]] = {
    "words": ("BYTES", words),
    "names": ("BYTES", names),
    "truths": ("BYTES", truths),
    "digits": ("BYTES", digits),
    "decimals": ("BYTES", decimals),
    "mixed": ("BYTES", mixed),
    "integers": ("INT", integers),
    "bits": ("INT", bits),
    "floats": ("FLOAT", floats),
    "odd floats": ("FLOAT", odd_floats),
    "float bits": ("FLOAT", float_bits),
    "booleans": ("BOOL", booleans),
}


SELDOM = {"odd floats": 0.4, "float bits": 0.4, "booleans": 0.5}
"""Kinds on which both are known to part; drawn as often as others they would hide the rest."""


def draw_kind(random: Random) -> dict[str, Any]:
    """Return how a column is drawn: the kind, lists or not, the share of nulls."""
    (kind,) = random.choices(list(KINDS), [SELDOM.get(each, 1) for each in KINDS])
    return {
        "kind": kind,
        "list": KINDS[kind][0] != "BOOL" and random.random() < 0.25,
        "nulls": random.choice([0, 0.1, 0.5, 1] if random.random() < 0.15 else [0, 0, 0.1]),
        "constant": random.random() < 0.05,
        "shortest": random.choice([0, 0, 1, 1, 2]),
        "more": random.choice([0, 1, 3]),
        "inner_nulls": random.random() < 0.1,
    }


def draw_column(random: Random, how: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return a column of the kind: its type there, lists or not, and a value or null a row."""
    type_, maker = KINDS[how["kind"]]
    draw = maker(random)
    if how["constant"]:
        only = draw()
        draw = itertools.repeat(only).__next__

    def item() -> Any:
        return None if how["inner_nulls"] and random.random() < 0.2 else draw()

    def value() -> Any:
        if random.random() < how["nulls"]:
            return None
        if not how["list"]:
            return draw()
        size = how["shortest"] + random.randint(0, how["more"])
        return [item() for _ in range(size)]

    return {"type": type_, "list": how["list"], "values": [value() for _ in range(rows)]}


def draw_rows(random: Random) -> int:
    """Return a number of rows; rarely none, rarely more than a domain may have."""
    chance = random.random()
    if chance < 0.02:
        return 0
    return random.choice([130, 150]) if chance < 0.07 else random.choice(SIZES)


def items_of(column: dict[str, Any]) -> list[Any]:
    """Return the single values of a column: of lists their items, nulls left out."""
    values = [each for each in column["values"] if each is not None]
    if column["list"]:
        values = [item for each in values for item in each if item is not None]
    return values


def numbers_of(column: dict[str, Any]) -> list[float]:
    """Return the finite numbers of a column."""
    found = [float(each) for each in items_of(column)]
    return [each for each in found if abs(each) < float("inf")]
