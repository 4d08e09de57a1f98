"""The table of fitted functions: what is learned, and the plain tree that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tondo.core.columns import item_type
from tondo.language.tree import Call, Fitted, Literal, Node

Parameters = dict[str, Any]


class Option(msgspec.Struct, frozen=True):
    """A constant after the argument, by its place or as `name = value`."""

    name: str
    least: float
    most: float
    default: float | None = None
    """None where it must be given."""
    whole: bool = True

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, empty if nothing is."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and self.least <= value <= self.most and (not self.whole or value == int(value)):
            return ""
        kind = "whole number" if self.whole else "number"
        return f"{self.name} must be a {kind} from {self.least:g} to {self.most:g}"


class FittedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; `language/fit.py` holds what learns it."""

    name: str
    arguments: dict[str, str]
    """Accepted type of the argument to the type of the result."""
    options: tuple[Option, ...] = ()
    labelled: bool = False
    """Whether it learns from the label, so that training rows need values learned without them."""
    usage: str
    expand: Callable[[Fitted, Parameters], Node]
    """Builds the plain tree from the call and the frozen parameters."""
    doc: str


def option_values(fitted: Fitted) -> dict[str, float]:
    """Return every option of a call by name, defaults filled in.

    >>> from tondo.language.tree import Column
    >>> option_values(Fitted("vocab", Column("s"), (50.0,)))
    {'n': 50.0, 'oov': 0.0, 'min_count': 1.0}
    """
    found = {}
    for place, option in enumerate(FITTED[fitted.function].options):
        given = fitted.options[place] if place < len(fitted.options) else option.default
        found[option.name] = float(given or 0.0)
    return found


def positional(name: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return options by name in their places, without the defaults at the end."""
    options = FITTED[name].options
    values = [given.get(each.name, each.default) for each in options]
    while values and values[-1] == options[len(values) - 1].default:
        values.pop()
    return tuple(values)


def option_problem(fitted: Fitted) -> str:
    """Return what is wrong with the options of a call, empty if nothing is."""
    options = FITTED[fitted.function].options
    if len(fitted.options) > len(options):
        return f"it takes {len(options)} options"
    for place, option in enumerate(options):
        given = fitted.options[place] if place < len(fitted.options) else option.default
        if problem := option.problem(given):
            return problem
    if fitted.function == "vocab" and option_values(fitted)["oov"]:
        type_ = fitted.argument.type
        return "" if type_ in {"string", "id"} else f"oov buckets are for text and ids, not {type_}"
    return ""


def _double(value: float) -> Literal:
    return Literal(float(value), "double")


def _filled(key: str) -> Callable[[Fitted, Parameters], Node]:
    def expand(call: Fitted, parameters: Parameters) -> Node:
        constant = Literal(parameters[key], call.argument.type)
        return Call("coalesce", (call.argument, constant), call.argument.type)

    return expand


def _scaled(offset: str, factor: str) -> Callable[[Fitted, Parameters], Node]:
    def expand(call: Fitted, parameters: Parameters) -> Node:
        moved = Call("subtract", (call.argument, _double(parameters[offset])), "double")
        return Call("multiply", (moved, _double(parameters[factor])), "double")

    return expand


def _looked_up(call: Fitted, keys: Any, values: Any, default: float | None) -> Node:
    """Return what stands beside the argument's value in two lists, else the default."""
    item = item_type(call.argument.type) or call.argument.type
    lists = (Literal(tuple(keys), f"list<{item}>"), Literal(tuple(values), "list<double>"))
    last = () if default is None else (_double(default),)
    return Call("lookup", (call.argument, *lists, *last), call.type)


def _coded(call: Fitted, parameters: Parameters) -> Node:
    values, options = parameters["values"], option_values(call)
    if item_type(call.argument.type) is not None:
        return _looked_up(call, values, map(float, range(1, len(values) + 1)), 0.0)
    constants = tuple(Literal(each, call.argument.type) for each in values)
    known = Call("position_in", (call.argument, *constants), "double") if constants else _zero(call)
    if not options["oov"]:
        return known
    bucket = Call("hash_bucket", (call.argument, _double(options["oov"])), "double")
    other = Call("add", (bucket, _double(options["n"] + 1)), "double")
    return Call("coalesce", (Call("nullif", (known, _double(0.0)), "double"), other), "double")


def _zero(call: Fitted) -> Node:
    """Return 0 where the argument is not null."""
    missing = Call("is_null", (call.argument,), "bool")
    return Call("case", (missing, Literal(None, "double"), _double(0.0)), "double")


def _quantiled(call: Fitted, parameters: Parameters) -> Node:
    bounds = tuple(map(_double, parameters["bounds"]))
    return Call("bucketize", (call.argument, *bounds), "double") if bounds else _zero(call)


def _encoded(call: Fitted, parameters: Parameters) -> Node:
    return _looked_up(call, parameters["values"], parameters["means"], parameters["mean"])


def _weighed(call: Fitted, parameters: Parameters) -> Node:
    return _looked_up(call, parameters["terms"], parameters["weights"], None)


def _term_weights(call: Fitted, parameters: Parameters) -> Node:
    terms = Literal(tuple(parameters["terms"]), call.argument.type)
    weights = Literal(tuple(parameters["weights"]), "list<double>")
    return Call("term_weights", (call.argument, terms, weights), "list<double>")


_NUMBER = {"double": "double"}
_CODED = {"string": "double", "id": "double", "double": "double", "bool": "double"}
_TERMS = {"list<string>": "list<double>", "list<id>": "list<double>"}
_MOST_VALUES = Option("n", 1, 100_000)

FITTED: dict[str, FittedFunction] = {
    row.name: row
    for row in (
        FittedFunction(
            name="fill_mean",
            arguments=_NUMBER,
            usage="fill_mean(x)",
            expand=_filled("mean"),
            doc="x, or the mean of the training values where x is null.",
        ),
        FittedFunction(
            name="fill_median",
            arguments=_NUMBER,
            usage="fill_median(x)",
            expand=_filled("median"),
            doc="x, or the median of the training values where x is null.",
        ),
        FittedFunction(
            name="fill_mode",
            arguments={each: each for each in ("double", "string", "id", "bool")},
            usage="fill_mode(x)",
            expand=_filled("mode"),
            doc="x, or the most frequent training value where x is null; ties take the smallest.",
        ),
        FittedFunction(
            name="zscore",
            arguments=_NUMBER,
            usage="zscore(x)",
            expand=_scaled("mean", "inverse_deviation"),
            doc="(x - mean) * (1 / standard deviation with n); 0 where all values are equal.",
        ),
        FittedFunction(
            name="minmax",
            arguments=_NUMBER,
            usage="minmax(x)",
            expand=_scaled("minimum", "inverse_range"),
            doc="(x - smallest) * (1 / (largest - smallest)); 0 where all values are equal.",
        ),
        FittedFunction(
            name="robust_scale",
            arguments=_NUMBER,
            usage="robust_scale(x)",
            expand=_scaled("median", "inverse_range"),
            doc="(x - median) * (1 / (third quartile - first)), so that a few wild values do not"
            " count; x - median where the quartiles are equal.",
        ),
        FittedFunction(
            name="quantile_bucket",
            arguments=_NUMBER,
            options=(Option("n", 2, 1000),),
            usage="quantile_bucket(x, n)",
            expand=_quantiled,
            doc="0 to n - 1 by the n - 1 inner quantiles of the training values, each with about as"
            " many of them; equal quantiles make one bucket.",
        ),
        FittedFunction(
            name="vocab",
            arguments=_CODED | _TERMS,
            options=(_MOST_VALUES, Option("oov", 0, 1_000_000, 0), Option("min_count", 1, 1e15, 1)),
            usage="vocab(x, n, oov = 0, min_count = 1), n the most values that get a code",
            expand=_coded,
            doc="1 to n by falling frequency, ties by value; values seen fewer than min_count times"
            " get none. Any other is 0, or with oov one of so many codes from n + 1 on, by hash."
            " null stays null; of a list, a code for each item.",
        ),
        FittedFunction(
            name="target_mean",
            arguments=_CODED,
            options=(Option("smoothing", 0, 1e9, 10, whole=False),),
            labelled=True,
            usage="target_mean(x, smoothing = 10)",
            expand=_encoded,
            doc="(sum of the labels seen with x + smoothing * mean label) / (their number +"
            " smoothing); the mean label for values never seen. Training rows get values learned"
            " without their own fifth of the rows. null stays null.",
        ),
        FittedFunction(
            name="idf",
            arguments=_TERMS,
            options=(_MOST_VALUES,),
            usage="idf(tokens, n), n the most terms that get a weight",
            expand=_weighed,
            doc="Of each item ln((1 + lists) / (1 + lists with it)) + 1; null for an item that is"
            " not among the n in most lists.",
        ),
        FittedFunction(
            name="tfidf",
            arguments=_TERMS,
            options=(_MOST_VALUES,),
            usage="tfidf(tokens, n), n the most terms that get a weight",
            expand=_term_weights,
            doc="For each of the n terms in most lists, in that order, how often the list holds it"
            " times its idf.",
        ),
    )
}
"""Name to row."""
