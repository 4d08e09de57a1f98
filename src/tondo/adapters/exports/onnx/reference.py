"""What can be exported, found by trying: `python -m tondo.adapters.exports.onnx.reference`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.lowerer import Lowerer
from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.writer import GraphWriter
from tondo.language.functions import FUNCTIONS, Function
from tondo.language.tree import Call, Column, Literal, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_SINES = ("sin", "cos", "tan", "haversine_km")
"""Functions of onnxruntime's own sine and cosine, which may be off by more than 4 ulp."""

_SCALARS = ("double", "id", "bool", "string", "timestamp", "date")
_LISTS = tuple(f"list<{each}>" for each in _SCALARS)
_ITEMS: dict[str, Scalar] = {
    "double": 1.0,
    "id": 1,
    "bool": True,
    "string": "a",
    "timestamp": 0,
    "date": 0,
}
_TEXTS = {"date_trunc": "month", "date_diff": "day", "date_add": "month", "regexp_matches": "a+"}
"""A first constant text that a function takes; elsewhere it is a zone."""
_TEXT_CONSTANT = ("like", "starts_with", "ends_with", "contains")
"""Functions that ONNX has only for a second argument that is constant."""


def export_table() -> str:
    """Return the Markdown table: for each function the types it is exported for, or why not."""
    lines = ["| function | exported | refused |", "| --- | --- | --- |"]
    lines += [_line(row) for row in FUNCTIONS.values()]
    return "\n".join([*lines, ""])


def _line(row: Function) -> str:
    exported: dict[str, None] = {}
    refused: dict[str, None] = {}
    for shown, call in _trials(row):
        lowerer = Lowerer(GraphWriter(), LOWERINGS)
        lowerer.form(call)
        if lowerer.reasons:
            refused[next(iter(lowerer.reasons))] = None
        else:
            exported[shown] = None
    mark = " (own sine)" if row.name in OWN_SINES else " ±" if row.ulp else ""
    return f"| `{row.name}`{mark} | {_cell(exported)} | {_cell(refused)} |"


def _cell(found: dict[str, None]) -> str:
    # A list is refused in the same words whatever its items are.
    texts = dict.fromkeys(re.sub(r"column '\w+' of list<\w+>", "a list", each) for each in found)
    return "; ".join(texts) or "-"


def _trials(row: Function) -> Iterator[tuple[str, Call]]:
    """Yield a call for each type that the function takes, and how it is shown."""
    for signature in row.signatures:
        taken = "bool, A, A -> A" if signature == "case" else signature
        slots = taken.partition(" -> ")[0].split(", ")
        for bound in _bindings(taken):
            arguments = [
                _argument(row.name, slot, place, bound) for place, slot in enumerate(slots)
            ]
            shown = bound or ", ".join(each.type for each in arguments if isinstance(each, Column))
            if row.name in _TEXT_CONSTANT:
                yield shown, Call(row.name, tuple(arguments), taken.rpartition(" ")[2])
                arguments[1] = Literal("a", "string")
                shown = f"{bound or arguments[0].type}, constant"
            result = taken.rpartition(" ")[2]
            yield shown, Call(row.name, tuple(arguments), _filled(result, bound))


def _bindings(signature: str) -> tuple[str, ...]:
    """Return the types that the variable of a signature is tried with."""
    if re.search(r"\bA\b", signature):
        return (*_SCALARS, _LISTS[0])
    return _SCALARS if re.search(r"\bT\b", signature) else ("",)


def _filled(slot: str, bound: str) -> str:
    return re.sub(r"\b[AT]\b", bound, slot.strip("#?."))


def _argument(function: str, slot: str, place: int, bound: str) -> Node:
    """Return a column, or the constant that the signature wants."""
    type_ = _filled(slot, bound)
    if not slot.startswith("#"):
        return Column(f"c{place}", type_)
    item = type_.removeprefix("list<").removesuffix(">")
    value = _ITEMS[item]
    if item == "string" and slot == "#string":
        zoned = place > 0 and function != "regexp_matches"
        value = "UTC" if zoned else _TEXTS.get(function, "UTC")
    return Literal(value if item == type_ else (value,), type_)


if __name__ == "__main__":
    sys.stdout.write(export_table())
