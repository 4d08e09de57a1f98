"""Typed trees and rows from hard values: what engines are likeliest to answer apart."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

import pyarrow as pa

from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Column, Literal, Node
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

DOUBLES = [
    0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -0.5, 2.5, -2.5, 0.1, 100.0, 7.0, 15.0, 1e-10, 1.115, 2.675,
    0.285, 1.005, -1250.0, 0.49999999999999994, 5e-324, -5e-324, 2.2250738585072014e-308, 1e300, -1e300,
    1.7976931348623157e308, 9007199254740993.0, 4503599627370497.5, 4503599627370495.5, 1e22,
    1e15 + 0.3, 45035996273704.965, 0.05, 1e-20, 89.9, -73.7781, 40.6413,
]  # fmt: skip
TEXTS = [
    "", " ", "a", "ab", " a ", "\t x ", "İstanbul", "ΑΣ", "straße", "e\u0301", "🇩🇪", "ᾳῼ", "ǅ", "a%b_c",
    "007", "1e", "1e3", "0x10", "NaN", "1e999", "-.5", "5.", "+7", "1_0", " 7", "2.5e-3", "JFK-LGA", "it's",
    "2013-04-01", "2013-04-01 06:30:15.25Z", "2013-02-30", "0000-01-01", "2013-04-01T24:00", "true",
    "-9223372036854775808", "9223372036854775808", "a\0b", "\\%", "line\nbreak", "Zz", "éa", "\u00a0a\u2003", "\u017fK", "\ufb01",
]  # fmt: skip
HOUR = 3_600_000_000
SPRING, AUTUMN = 1362898800000000, 1383458400000000  # New York, 2013
INSTANTS = [
    0, -1, 1, -500_000, SPRING, SPRING - 1, AUTUMN, AUTUMN - 1, AUTUMN - HOUR // 2, AUTUMN + HOUR // 2,
    AUTUMN - HOUR, 1364774400000000, -2208988800000000, -2717650800000000, 4102444800000000, 4133980800000000,
    -62135596800000000, 253402300799999999, -62135596700000000, 8_000_000_000_000_000_000, -8_000_000_000_000_000_000,
    1350183600000000, 1350180000000000, 1381633200000000,
]  # fmt: skip
POOLS = {
    "double": [*DOUBLES, math.inf, -math.inf, math.nan],
    "string": TEXTS,
    "timestamp": INSTANTS,
    "date": [0, -1, 1, 15796, 16009, -719162, 2932896, 4_000_000, -365, 59],
    "id": [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)],
    "bool": [True, False],
}
LISTS = {f"list<{item}>": item for item in POOLS}
COLUMNS = {
    "x": "double", "y": "double", "n": "double", "s": "string", "u": "string", "t": "timestamp",
    "w": "timestamp", "d": "date", "k": "id", "j": "id", "f": "bool", "g": "bool",
}  # fmt: skip
COLUMNS |= {f"{item}s": type_ for type_, item in LISTS.items()}
ARROW = {
    "double": pa.float64(), "string": pa.string(), "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(), "id": pa.int64(), "bool": pa.bool_(),
}  # fmt: skip
ARROW |= {type_: pa.list_(ARROW[item]) for type_, item in LISTS.items()}
CONSTANTS = {
    "zone": ["America/New_York", "UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo",
             "America/Havana", "Africa/Casablanca", "Asia/Kolkata", "Pacific/Apia"],
    "trunc": ["second", "minute", "hour", "day", "week", "month", "quarter", "year"],
    "diff": ["second", "minute", "hour", "day", "week"],
}  # fmt: skip
PATTERNS = [
    "a",
    "(.)(.)",
    "^(?:a|b){1,3}$",
    "[^a-z]+",
    "([A-Z]+)-([A-Z]+)",
    "\\d+",
    "\\w*$",
    "^\\s*(\\S+)",
    "(a)|(b)",
    "[+-]?[0-9.]+(?:e[0-9]+)?",
    "(?:[0-9]{3}){1,2}",
    "İ|Σ|́",
    "^$",
    "\\\\|%",
    ".{2,3}",
    "[\\d\\]\\-^_]",
]


def literal(random: Random, type_: str, *, null: bool = True) -> Literal:
    """Return a constant of a hard value."""
    if type_ in LISTS:
        items = [literal(random, LISTS[type_]).value for _ in range(random.randint(0, 3))]
        return Literal(random.choice([tuple(items), None]), type_)
    pool = [each for each in POOLS[type_] if not isinstance(each, float) or math.isfinite(each)]
    if type_ == "string":
        pool += ["%", "_", "a%", "%b%", "-", "a", "x"]
    if type_ == "double" and random.random() < 0.4:
        pool = [any_double(random)]
    return Literal(random.choice([*pool, None] if null else pool), type_)


def leaf(random: Random, type_: str) -> Node:
    """Return a column or a constant."""
    names = [name for name, each in COLUMNS.items() if each == type_]
    return Column(random.choice(names), type_) if random.random() < 0.7 else literal(random, type_)


def answering(result: str) -> list[tuple[str, str]]:
    """Return the functions and signatures that answer `result`."""
    return [
        (row.name, signature)
        for row in FUNCTIONS.values()
        for signature in row.signatures
        if bound(signature, result) is not None
    ]


def bound(signature: str, result: str) -> dict[str, str] | None:
    """What the signature's answer settles of its variables; None when it cannot be `result`."""
    answer = signature.rpartition(" ")[2]
    if answer in {"A", "case", result}:
        return {"A": result}
    if result in LISTS:
        return {"T": LISTS[result]} if answer == "list<T>" else None
    return {"T": result} if answer == "T" else None


ANSWERING = {type_: answering(type_) for type_ in [*POOLS, *LISTS]}


def filled(slot: str, settled: dict[str, str]) -> str:
    """Return the type of an argument where the signature's variables are settled."""
    kind = slot.strip("#?.")
    if kind == "list<T>":
        return f"list<{settled['T']}>"
    return settled.get(kind, kind)


def constant_argument(random: Random, name: str, place: int, kind: str) -> list[Literal]:
    """The constants that a function wants at one place."""
    if name == "bucketize":
        bounds = sorted(random.sample([-1.0, 0.0, 0.5, 2.0, 15.0, 1e300], random.randint(1, 3)))
        return [Literal(each, "double") for each in bounds]
    if name == "hash_bucket":
        return [Literal(random.choice([1.0, 7.0, 1024.0, 2.0**31]), "double")]
    if name == "round":
        return [Literal(float(random.randint(-22, 22)), "double")]
    if name == "position_in":
        return [literal(random, kind, null=False) for _ in range(random.randint(1, 3))]
    if name.startswith("regexp"):
        return (
            [Literal(random.choice(PATTERNS), "string")] if place == 1 else [Literal(0.0, "double")]
        )
    if name in {"lookup", "term_weights"}:
        if place == 3:
            return [Literal(-1.0, "double")]
        if place == 2:
            return [Literal((0.5, -0.0, 1e300), "list<double>")]
        keys = [literal(random, LISTS[kind], null=False).value for _ in range(3)]
        return [Literal(tuple(keys), kind)]
    if name == "add_interval":
        return [Literal(random.choice([1.0, -3.6e9, 0.5, 8.64e10, 1e18, -1e300]), "double")]
    if name == "date_add":
        return [Literal(random.choice(CONSTANTS["trunc" if place == 0 else "zone"]), "string")]
    if name == "ngrams" and place == 1:
        return [Literal(random.choice([1.0, 2.0, 3.0]), "double")]
    if name in {"tokens", "ngrams"}:
        return [Literal(random.choice([" ", "-", "ae", "\\]^-", "\u0301", "\0"]), "string")]
    units = {"date_trunc": "trunc", "date_diff": "diff"}
    return [Literal(random.choice(CONSTANTS[units[name] if place == 0 else "zone"]), "string")]


def tree(random: Random, type_: str, depth: int) -> Node:
    """Return a tree of at most `depth` calls within each other."""
    if depth == 0:
        return leaf(random, type_)
    return rooted(random, type_, depth, *random.choice(ANSWERING[type_]))


def rooted(random: Random, type_: str, depth: int, name: str, signature: str) -> Node:
    """A tree with this function at its root."""

    def below(wanted: str) -> Node:
        return tree(random, wanted, random.randint(0, depth - 1))

    if signature == "case":
        count = random.randint(2, 5)
        kinds = ["bool" if n % 2 == 0 and n + 1 < count else type_ for n in range(count)]
        return Call(name, tuple(map(below, kinds)), type_)
    free = {"T": random.choice(list(POOLS)), "A": random.choice([*POOLS, *LISTS])}
    settled = free | (bound(signature, type_) or {})
    arguments: list[Node] = []
    for place, slot in enumerate(signature.split(" -> ", maxsplit=1)[0].split(", ")):
        kind = filled(slot, settled)
        if slot.endswith("?") and random.random() < 0.5:
            continue
        if slot == "#string" and name == "date_add" and signature.endswith(" date"):
            arguments.append(Literal(random.choice(CONSTANTS["trunc"][3:]), "string"))
            continue
        if slot.startswith("#"):
            arguments += constant_argument(random, name, place, kind)
            continue
        arguments.append(below(kind))
        if slot.endswith("..."):
            arguments += [below(kind) for _ in range(random.randint(0, 2))]
    return Call(name, tuple(arguments), type_)


def feature(random: Random) -> Node:
    """Return a tree as a feature may be: functions stand anywhere in it, and it reads a column."""
    while True:
        depth = random.choices([1, 2, 3, 4, 5, 6], [4, 6, 6, 4, 2, 1])[0]
        grown = tree(random, random.choice([*POOLS, *POOLS, *LISTS]), depth)
        if columns_of(grown):
            return grown


def every_function(random: Random) -> list[Node]:
    """Return a tree for every signature of every function, at its root."""
    nodes = []
    for row in FUNCTIONS.values():
        for signature in row.signatures:
            result = signature.rpartition(" ")[2]
            type_ = {
                "T": random.choice(list(POOLS)),
                "list<T>": random.choice(list(LISTS)),
                "A": random.choice([*POOLS, *LISTS]),
                "case": random.choice([*POOLS, *LISTS]),
            }.get(result, result)
            nodes.append(rooted(random, type_, random.randint(1, 3), row.name, signature))
    return nodes


def any_double(random: Random) -> float:
    """Return a double of everyday size, or of any bits at all."""
    if random.random() < 0.8:
        return random.gauss(0.0, 1.0) * 10.0 ** random.randint(-3, 6)
    found: float = struct.unpack("<d", random.randbytes(8))[0]
    return found if math.isfinite(found) else 0.25


def hard_value(random: Random, type_: str) -> object:
    """Return a value of a column: hard, or any, or null."""
    if type_ == "double" and random.random() < 0.4:
        return any_double(random)
    if type_ not in LISTS:
        return random.choice([*POOLS[type_], None])
    if random.random() < 0.1:
        return None
    return [hard_value(random, LISTS[type_]) for _ in range(random.choice([0, 1, 2, 3, 5, 9]))]


def hard_row(random: Random) -> dict[str, object]:
    """Return a row of `COLUMNS`; `n` is a column of whole numbers that is read as a double."""
    row = {name: hard_value(random, type_) for name, type_ in COLUMNS.items()}
    return row | {"n": random.choice([0, 1, -7, 2**53 + 1, -(2**53) - 1, 2**63 - 1, None])}


def table_of(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return rows as the Arrow table that engines read."""
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], pa.int64() if name == "n" else ARROW[type_])
            for name, type_ in COLUMNS.items()
        }
    )
