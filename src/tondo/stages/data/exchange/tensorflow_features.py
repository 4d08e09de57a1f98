"""One feature of tensorflow-metadata as a column of a schema."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.core.columns import BOOL, DOUBLE, ID, STRING
from tondo.stages.data.constraints import (
    ColumnSchema,
    Comparator,
    Presence,
    RowsComparator,
    Unique,
    ValueCount,
)
from tondo.stages.data.exchange.tensorflow_columns import OWN_BOOL, TIME_FORMATS
from tondo.stages.data.exchange.tensorflow_values import COMPARED, FEATURE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.stages.data.exchange.converted import Fields

Rules = dict[str, Any]
"""Arguments of a ColumnSchema."""


def read_feature(
    fields: Fields, shared: Mapping[str, tuple[str, Rules]], said: list[str]
) -> ColumnSchema | None:
    """Return a feature as a column, None when it is none; `said` takes the sentences.

    `shared` has the domains that the schema names: the field each is of, and its content.
    """
    kind = fields.take("type", "TYPE_UNKNOWN")
    if kind not in FEATURE_TYPES:
        said.append(f"its type {kind} is of no column, so it is left out")
        return None
    rules: Rules = {"presence": _presence(fields)}
    values = FEATURE_TYPES[kind]
    rules |= _domain(fields, values, shared, said)
    values = rules.pop("type", values)
    counted = _counted(fields, said)
    if counted is None:
        said.append("its lists of lists are of no column, so it is left out")
        return None
    rules |= counted
    rules["type"] = f"list<{values}>" if rules.pop("list") else values
    if rules.pop("always", False) and rules["presence"].min_fraction is None:
        count = rules["presence"].min_count
        rules["presence"] = Presence(min_count=count, min_fraction=1.0)
    return ColumnSchema(**rules, **_place(fields, said))


def _presence(fields: Fields) -> Presence:
    asked = fields.inner("presence")
    if asked is None:
        return Presence()
    fraction, count = asked.number("min_fraction"), asked.whole("min_count")
    return Presence(min_count=count or 0, min_fraction=fraction)


def _counted(fields: Fields, said: list[str]) -> Rules | None:
    """Say whether there is one value or a list, and how long; None for lists of lists."""
    shape = fields.inner("shape")
    if shape is not None:
        sizes = [dim.whole("size") for dim in shape.many("dim")]
        if any(size is None or size < 0 for size in sizes):
            return {"list": True, "always": True}
        items = math.prod(size or 0 for size in sizes)
        if len(sizes) > 1:
            said.append(f"its shape {'x'.join(map(str, sizes))} is read as {items} items")
        return {"list": items != 1, "always": True} | (
            {"value_count": ValueCount(min=items, max=items)} if items != 1 else {}
        )
    nested = fields.inner("value_counts")
    if nested is not None:
        levels = nested.many("value_count")
        return {"list": True, **_value_count(levels[0])} if len(levels) == 1 else None
    one = fields.inner("value_count")
    if one is None:
        return {"list": False}
    found: Rules = _value_count(one)
    if found.get("value_count") == ValueCount(min=1, max=1):
        return {"list": False}
    return {"list": True, **found}


def _value_count(fields: Fields) -> Rules:
    span = ValueCount(min=fields.whole("min"), max=fields.whole("max"))
    return {} if span == ValueCount() else {"value_count": span}


def _domain(
    fields: Fields, values: str, shared: Mapping[str, tuple[str, Rules]], said: list[str]
) -> Rules:
    # A feature without a float domain may hold infinities, where ours may not.
    rules: Rules = {"allow_infinite": True} if values == DOUBLE else {}
    named = fields.take("domain")
    if named is not None:
        rules |= _shared(named, values, shared, said)
    listed = fields.inner("string_domain") if values == STRING else None
    if listed is not None:
        rules["domain"] = tuple(listed.take("value", []))
    for name, read in (
        ("int_domain", read_int_domain),
        ("float_domain", read_float_domain),
        ("bool_domain", _bool_domain),
        ("time_domain", _time_domain),
    ):
        inner = fields.inner(name)
        if inner is not None:
            rules |= read(inner, values, said)
    mass = fields.inner("distribution_constraints")
    if mass is not None:
        share = mass.number("min_domain_mass")
        rules["min_domain_mass"] = 1.0 if share is None else share
    return rules


def _shared(
    name: str, values: str, shared: Mapping[str, tuple[str, Rules]], said: list[str]
) -> Rules:
    kind, rules = shared.get(name, ("string_domain", {}))
    if kind == "string_domain" and values == STRING:
        return {"shared_domain": name}
    if kind == "string_domain":
        said.append(f"the domain '{name}' is of texts and the feature is not, so it is left out")
        return {}
    said.append(f"the shared {kind} '{name}' is copied")
    as_text = "integer_text" if kind == "int_domain" else "number_text"
    return rules | ({as_text: True} if values == STRING else {})


def read_int_domain(fields: Fields, values: str, _said: list[str]) -> Rules:
    """Return the range, of texts the rule that they are whole numbers."""
    rules: Rules = {"min": fields.whole("min"), "max": fields.whole("max")}
    return rules | ({"integer_text": True} if values == STRING else {})


def read_float_domain(fields: Fields, values: str, said: list[str]) -> Rules:
    """Return the range and what it says of NaN and infinities; an infinite end is none."""
    ends = {end: fields.number(end) for end in ("min", "max")}
    rules: Rules = {
        end: value if value is None or math.isfinite(value) else None for end, value in ends.items()
    }
    no_nan, no_infinite = fields.take("disallow_nan", False), fields.take("disallow_inf", False)
    if values == STRING:
        if not (no_nan and no_infinite):
            said.append("the texts nan and inf are numbers there and none here")
        return {**rules, "number_text": True}
    if values == ID:
        return rules
    return {**rules, "allow_nan": not no_nan, "allow_infinite": not no_infinite}


def _bool_domain(fields: Fields, values: str, _said: list[str]) -> Rules:
    own = fields.take("name")
    if own == OWN_BOOL and values == ID:
        return {"type": BOOL}
    rules: Rules = {"boolean": True}
    if values == DOUBLE:
        rules["allow_infinite"] = False
    if values == STRING:
        rules |= {word: fields.take(word) for word in ("true_value", "false_value")}
    return rules


def _time_domain(fields: Fields, values: str, said: list[str]) -> Rules:
    found = fields.take("integer_format")
    for column_type, name in TIME_FORMATS.items():
        if found == name and values == ID:
            return {"type": column_type}
    if found is not None:
        said.append(f"its times in {found} are read as plain numbers")
    return {}


def _place(fields: Fields, said: list[str]) -> Rules:
    stage = fields.take("lifecycle_stage", "PRODUCTION")
    if fields.take("deprecated", False):
        stage = "DEPRECATED"
    rules: Rules = {
        "stage": "production" if stage == "UNKNOWN_STAGE" else stage.lower(),
        "in_": tuple(fields.take("in_environment", [])),
        "not_in": tuple(fields.take("not_in_environment", [])),
    }
    for against in ("drift", "skew"):
        rules[against] = _comparator(fields, f"{against}_comparator", said)
    asked = fields.inner("unique_constraints")
    if asked is not None:
        rules["unique"] = Unique(min=asked.whole("min"), max=asked.whole("max"))
    note = fields.inner("annotation")
    if note is not None:
        rules["description"] = "\n".join(note.take("comment", []))
    return rules


def _comparator(fields: Fields, name: str, said: list[str]) -> Comparator | None:
    asked = fields.inner(name)
    if asked is None:
        return None
    limits: dict[str, float | None] = {}
    for measure, field in COMPARED.items():
        limit = asked.inner(field)
        if limit is None:
            continue
        limits[measure] = limit.number("threshold")
        source = limit.inner("source")
        if source is not None and source.take("type", "DEFAULT") == "QUANTILES":
            said.append(f"{name}: buckets of equal count become buckets of equal width")
    return Comparator(**limits)


def read_rows(fields: Fields | None) -> RowsComparator | None:
    """Return how many rows there must be beside another batch."""
    if fields is None:
        return None
    return RowsComparator(
        min_fraction=fields.number("min_fraction_threshold"),
        max_fraction=fields.number("max_fraction_threshold"),
    )
