"""Typing: every node gets its column type; nothing is cast, every mistake shows its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from tondo.core.columns import LISTS, SCALARS, item_type
from tondo.core.durations import format_duration
from tondo.core.errors import DefinitionError, near
from tondo.language.fitted import FITTED, option_problem
from tondo.language.functions import FUNCTIONS, Function
from tondo.language.functions.row import NULL_TYPE, WHOLE_TYPE, Match, constants_of, match
from tondo.language.lexer import caret_line
from tondo.language.parse import spans_of
from tondo.language.tree import (
    Call,
    Column,
    Fitted,
    Literal,
    Node,
    ViewFeature,
    WindowCall,
    nodes_of,
)
from tondo.language.values import DAY_US
from tondo.language.windows import WINDOW_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ViewSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What an expression may know of a feature view."""

    view: str
    entity: str
    key: str
    """Join key column of the entity, used where none is written."""
    features: dict[str, str]
    """Feature name to column type."""


def check(
    node: Node,
    columns: Mapping[str, str],
    *,
    views: Mapping[str, ViewSignature] | None = None,
    text: str = "",
) -> Node:
    """Return the typed tree; TD-LANG-003 to 006 name what is wrong, with carets under `text`.

    >>> from tondo.language.parse import parse
    >>> check(parse("distance / 2"), {"distance": "double"}).type
    'double'
    """
    checker = _Checker(columns, views or {}, text)
    return checker.settled(checker.typed(node), NULL_TYPE, node)


def check_window(call: WindowCall, columns: Mapping[str, str], *, text: str = "") -> WindowCall:
    """Return the typed window call; TD-LANG-007 when its argument does not fit."""
    row = WINDOW_FUNCTIONS.get(call.function)
    if row is None:
        raise DefinitionError(
            "TD-LANG-007",
            f"'{call.function}' is not a window function",
            fix=near(call.function, WINDOW_FUNCTIONS),
        )
    _check_tiles(call, tiled=row.tiled)
    if call.argument is None:
        return msgspec.structs.replace(call, type="double")
    argument = check(call.argument, columns)
    divisor = None if call.divisor is None else check(call.divisor, columns)
    for each in (argument, divisor):
        if each is not None:
            _check_value(call, each.type, double=row.argument == "double", text=text)
    result = {"same": argument.type, "list": f"list<{argument.type}>"}.get(row.result, row.result)
    return msgspec.structs.replace(call, argument=argument, divisor=divisor, type=result)


def _check_value(call: WindowCall, type_: str, *, double: bool, text: str) -> None:
    listed = item_type(type_) is not None
    if not listed and (not double or type_ == "double"):
        return
    advice = "Take one value of each list first, for example length(x) or sum(x)."
    raise DefinitionError(
        "TD-LANG-007",
        f"{call.function} over a window is given a {type_}",
        expected="a double" if double else "a value that is no list",
        fix=advice if listed else f"In: {text}" if text else "",
    )


def _check_tiles(call: WindowCall, *, tiled: bool) -> None:
    """Raise TD-LANG-021 unless a call's tiles have a meaning that can be kept in tiles."""
    tile_us = call.tile_us
    if tile_us is None:
        return
    shown = f"{call.function} over {format_duration(call.window_us)}"
    what = expected = ""
    if not tiled:
        what = "has tiles, which do not keep the different values"
        expected = "approx_count_distinct with tiles, or count_distinct without"
    elif DAY_US % tile_us and tile_us % DAY_US:
        what = f"has tiles of {format_duration(tile_us)}"
        expected = "a part of a day without remainder such as 5m, 1h or 6h, or whole days"
    elif tile_us > call.window_us:
        what = f"has tiles of {format_duration(tile_us)}, longer than the window"
        expected = "tiles no longer than the window"
    if what:
        raise DefinitionError(
            "TD-LANG-021",
            f"{shown} {what}",
            expected=expected,
            fix="Write for example `avg(x) over 7d tiles 1h`.",
        )


def verify(node: Node) -> None:
    """Raise a DefinitionError unless every type in a typed tree is what checking it would give."""
    columns: dict[str, str] = {}
    views: dict[str, ViewSignature] = {}
    for each in nodes_of(node):
        if isinstance(each, Column):
            columns[each.name] = each.type
        elif isinstance(each, ViewFeature):
            known = views.get(each.view)
            features = {**(known.features if known else {}), each.feature: each.type}
            views[each.view] = ViewSignature(
                view=each.view, entity="", key=each.key or "", features=features
            )
            if each.by is None:
                columns.setdefault(each.key or "", "id")
    if any(not _is_known_type(each) for each in nodes_of(node)) or not _same(
        check(node, columns, views=views), node
    ):
        raise DefinitionError(
            "TD-LANG-005", "a stored type is not what checking gives", expected="a checked tree"
        )


_CLASSES = {"double": float, "string": str, "bool": bool}


def _is_known_type(node: Node) -> bool:
    if node.type not in SCALARS and node.type not in LISTS:
        return False
    if not isinstance(node, Literal):
        return True
    item = item_type(node.type)
    if item is None or node.value is None:
        return _is_of_type(node.value, node.type)
    return isinstance(node.value, tuple) and all(_is_of_type(each, item) for each in node.value)


def _is_of_type(value: Any, type_: str) -> bool:
    wanted = _CLASSES.get(type_, int)
    return value is None or type(value) is wanted or (wanted is float and type(value) is int)


def _same(found: Node, stored: Node) -> bool:
    pairs = zip(nodes_of(found), nodes_of(stored), strict=True)
    return all(new.type == old.type for new, old in pairs)


def _fitted_in(node: Node) -> list[Fitted]:
    return [each for each in nodes_of(node) if isinstance(each, Fitted)]


class _Checker:
    def __init__(
        self, columns: Mapping[str, str], views: Mapping[str, ViewSignature], text: str
    ) -> None:
        self.columns = columns
        self.views = views
        self.text = text

    def fail(self, code: str, node: Node, what: str, **parts: str) -> NoReturn:
        place = self.place(node)
        fix = "\n".join(each for each in (parts.get("fix", ""), place) if each)
        raise DefinitionError(code, what, expected=parts.get("expected", ""), fix=fix)

    def place(self, node: Node) -> str:
        """Return the caret lines under the node, empty when the text is not known."""
        if not self.text:
            return ""
        spans = [(start, end) for each, start, end in spans_of(self.text) if each == node]
        return "At:\n" + caret_line(self.text, *spans[0]) if spans else ""

    def typed(self, node: Node) -> Node:
        if isinstance(node, Literal):
            return Literal(node.value, node.type or _pending_type(node.value))
        if isinstance(node, Column):
            return self.column(node)
        if isinstance(node, ViewFeature):
            return self.view_feature(node)
        if isinstance(node, Fitted):
            return self.fitted(node)
        return self.call(node)

    def column(self, node: Column) -> Column:
        type_ = self.columns.get(node.name)
        if type_ is None:
            self.fail(
                "TD-LANG-003",
                node,
                f"there is no column '{node.name}'",
                fix=near(node.name, self.columns),
            )
        return Column(node.name, type_)

    def view_feature(self, node: ViewFeature) -> ViewFeature:
        view = self.views.get(node.view)
        if view is None:
            what = f"there is no feature view '{node.view}'"
            self.fail("TD-LANG-004", node, what, fix=near(node.view, self.views))
        type_ = view.features.get(node.feature)
        if type_ is None:
            what = f"the view '{node.view}' has no feature '{node.feature}'"
            self.fail("TD-LANG-004", node, what, fix=near(node.feature, view.features))
        if node.by is not None:
            return ViewFeature(node.view, node.feature, node.key, type_, self.key(node, node.by))
        key = node.key or view.key
        if key not in self.columns:
            what = f"there is no column '{key}' to look up '{node.view}' by"
            self.fail("TD-LANG-003", node, what, fix=near(key, self.columns))
        return ViewFeature(node.view, node.feature, node.key, type_)

    def key(self, node: ViewFeature, written: Node) -> Node:
        by = self.settled(self.typed(written), NULL_TYPE, written)
        learned = any(isinstance(each, Fitted) for each in nodes_of(by))
        if by.type not in {"string", "id"} or learned:
            what = "is learned in training" if learned else f"is a {by.type}"
            self.fail(
                "TD-LANG-091",
                written,
                f"the key of '@{node.view}.{node.feature}' {what}",
                expected="a string or an id, computed from the row",
            )
        return by

    def fitted(self, node: Fitted) -> Fitted:
        row = FITTED.get(node.function)
        if row is None:
            what = f"there is no fitted function '{node.function}'"
            self.fail("TD-LANG-002", node, what, fix=near(node.function, FITTED))
        argument = self.settled(self.typed(node.argument), NULL_TYPE, node.argument)
        result = row.arguments.get(argument.type)
        if result is None:
            self.fail(
                "TD-LANG-005",
                node,
                f"{node.function} is given a {argument.type}",
                expected=f"{row.usage} with x a " + " or ".join(row.arguments),
            )
        call = Fitted(node.function, argument, node.options, node.parameters, result)
        if problem := option_problem(call):
            self.fail("TD-LANG-006", node, f"{node.function}: {problem}", expected=row.usage)
        if row.labelled and any(FITTED[each.function].labelled for each in _fitted_in(argument)):
            self.fail(
                "TD-LANG-030",
                node,
                f"{node.function} stands on something that learns from the label itself",
                expected="an argument that knows nothing of the label",
                fix="Encode one column only.",
            )
        return call

    def call(self, node: Call) -> Call:
        row = FUNCTIONS.get(node.function)
        if row is None:
            what = f"there is no function '{node.function}'"
            self.fail("TD-LANG-002", node, what, fix=near(node.function, FUNCTIONS))
        below = [self.typed(each) for each in node.arguments]
        types = [each.type for each in below]
        for signature in row.signatures:
            found = match_case(types) if signature == "case" else match(signature, types)
            if found is not None:
                return self.settled_call(node, below, found, signature)
        self.misfit(node, row, types)
        return None

    def misfit(self, node: Call, row: Function, types: Sequence[str]) -> NoReturn:
        shown = row.operator or row.name
        given = ", ".join(_SHOWN.get(each, each) for each in types) or "nothing"
        self.fail(
            "TD-LANG-005",
            node,
            f"{shown} is given ({given})",
            expected=" or ".join(f"({each.replace(' -> ', ') -> ')}" for each in row.signatures),
            fix=self.advice(node.function, types),
        )

    def advice(self, function: str, types: Sequence[str]) -> str:
        if function in {"add", "subtract"} and list(types) == ["timestamp", "timestamp"]:
            return "Write date_diff('second', a, b) for the time from a to b."
        if function == "add_interval" and "date" in types:
            return "Write date_add('day', 3, d) to move a date."
        if function in WINDOW_FUNCTIONS:
            return f"Of a list it is this; over events of a feature view: {function}(x) over 3h."
        return "Nothing is cast silently; write cast(x as double) where that is meant."

    def settled_call(self, node: Call, below: Sequence[Node], found: Match, signature: str) -> Call:
        settled = tuple(
            self.settled(each, wanted, written)
            for each, wanted, written in zip(below, found.arguments, node.arguments, strict=True)
        )
        row = FUNCTIONS[node.function]
        if signature != "case":
            for wanted, each in zip(constants_of(signature, len(settled)), settled, strict=True):
                if wanted and not (isinstance(each, Literal) and each.value is not None):
                    self.fail("TD-LANG-006", node, f"{row.name} wants a constant", expected=row.doc)
        constants = [each.value if isinstance(each, Literal) else None for each in settled]
        problem = row.problem(constants) if row.problem else ""
        if problem:
            self.fail("TD-LANG-006", node, f"{row.name}: {problem}")
        return Call(node.function, settled, found.result)

    def settled(self, node: Node, wanted: str, written: Node) -> Node:
        """Return a literal of pending type with the type that is wanted here."""
        if node.type == WHOLE_TYPE and isinstance(node, Literal):
            if wanted == "id":
                return Literal(node.value, "id")
            return Literal(float(node.value or 0), "double")  # type: ignore[arg-type]
        if node.type != NULL_TYPE:
            return node
        if wanted == NULL_TYPE:
            self.fail(
                "TD-LANG-005",
                written,
                "a null whose type nothing tells",
                expected="a column or a constant of some type beside it",
            )
        return Literal(None, wanted)


_SHOWN = {NULL_TYPE: "null", WHOLE_TYPE: "whole number"}


def _pending_type(value: Any) -> str:
    if value is None:
        return NULL_TYPE
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return WHOLE_TYPE
    return "double" if isinstance(value, float) else "string"


def match_case(types: Sequence[str]) -> Match | None:
    """Return how `when bool then T ... [else T]` fits the types, or None."""
    pairs = len(types) // 2 * 2
    conditions = list(range(0, pairs, 2))
    values = [position for position in range(len(types)) if position not in conditions]
    if len(types) < 2 or any(types[each] not in {"bool", NULL_TYPE} for each in conditions):
        return None
    found = match("A, A... -> A", [types[each] for each in values] * 2)
    if found is None:
        return None
    wanted = ["bool" if each in conditions else found.result for each in range(len(types))]
    return Match(tuple(wanted), found.result)
