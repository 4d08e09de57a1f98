"""What a schema may ask of one column, each constraint a value of its own."""

from __future__ import annotations

from typing import Literal

import msgspec

from tondo.core.columns import item_type

Stage = Literal[
    "planned",
    "alpha",
    "beta",
    "production",
    "deprecated",
    "debug_only",
    "disabled",
    "validation_derived",
]
Measure = Literal["l_infinity", "jensen_shannon", "normalized_difference"]
MEASURES: tuple[Measure, ...] = ("l_infinity", "jensen_shannon", "normalized_difference")
UNCHECKED_STAGES = ("planned", "alpha", "deprecated", "debug_only", "disabled")
NUMERIC = ("double", "id")


def value_type(column_type: str) -> str:
    """Return the type that constraints of values are of: a list's items, else the column itself.

    >>> value_type("list<string>"), value_type("id")
    ('string', 'id')
    """
    return item_type(column_type) or column_type


class Presence(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How often a column must have a value (null and NaN are none; an empty list is one)."""

    min_count: int = 0
    min_fraction: float | None = None
    """Share of the rows, 0 to 1; meeting it exactly passes."""


class ValueCount(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How many items each list that is present must have; both ends belong."""

    min: int | None = None
    max: int | None = None


class Unique(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How many distinct values a column must have; both ends belong."""

    min: int | None = None
    max: int | None = None


class Comparator(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How far a column may be from another batch's; None does not ask, equal passes."""

    l_infinity: float | None = None
    jensen_shannon: float | None = None
    normalized_difference: float | None = None


class RowsComparator(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Rows of a batch divided by the rows of another one; both ends belong."""

    min_fraction: float | None = None
    max_fraction: float | None = None


class ReferenceLimits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How far a column may move from the accepted rows; None leaves it to what is usual for them.

    Each is the largest effect of the measure of that name in `movement.py` that still passes.
    """

    moved: float | None = None
    nulls: float | None = None
    far: float | None = None
    flood: float | None = None
    distinct: float | None = None
    order: float | None = None
    drift: float | None = None
    """Of `moved`, what is not even worth a warning."""
    broken: tuple[str, ...] = ()
    """Relations with other columns that need not hold any more, by their formulas."""


class ColumnSchema(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What one column must look like; of lists, what is said of values holds for their items."""

    type: str
    presence: Presence = Presence()
    value_count: ValueCount | None = None
    """Of list columns only."""
    domain: tuple[str, ...] | None = None
    """The texts that may occur; None allows any."""
    shared_domain: str | None = None
    """The name of a domain in the schema's `domains`, instead of an own one."""
    min_domain_mass: float = 1.0
    """Share of the present values that must lie in the domain."""
    boolean: bool = False
    """Numbers are 0 or 1; texts are one word for true and one for false."""
    true_value: str | None = None
    """The text that means true; None with no `false_value` takes the usual words."""
    false_value: str | None = None
    integer_text: bool = False
    """Every text reads as a whole number of 64 bits; `min` and `max` are of these numbers."""
    number_text: bool = False
    """Every text reads as a finite number; `min` and `max` are of these numbers."""
    min: int | float | None = None
    """Of times microseconds, of dates days since 1970; YAML and patches write them as ISO text."""
    max: int | float | None = None
    """The greatest value, which belongs."""
    allow_nan: bool = True
    """NaN counts as missing in either case; False reports it besides."""
    allow_infinite: bool = False
    unique: Unique | None = None
    drift: Comparator | None = None
    """Against the previous batch."""
    skew: Comparator | None = None
    """Training against serving."""
    reference: ReferenceLimits | None = None
    """Against the accepted rows, instead of what is usual for them."""
    in_: tuple[str, ...] = msgspec.field(name="in", default=())
    """Environments in which the column is expected, whatever else is said."""
    not_in: tuple[str, ...] = ()
    """Environments in which the column is not expected."""
    stage: Stage = "production"
    """Planned, alpha, deprecated, debug_only and disabled columns are not checked."""
    description: str = ""

    def expected_in(
        self, environment: str | None, *, defaults: tuple[str, ...] | None = None
    ) -> bool:
        """Say whether the column belongs to an environment.

        In this order: no environment is asked for; `in` names it; `not_in` names it; it is one of
        `defaults`, where None means all.

        >>> label = ColumnSchema(type="double", not_in=("SERVING",))
        >>> label.expected_in("TRAINING"), label.expected_in("SERVING"), label.expected_in(None)
        (True, False, True)
        """
        if environment is None or environment in self.in_:
            return True
        if environment in self.not_in:
            return False
        return defaults is None or environment in defaults

    @property
    def required(self) -> bool:
        """True when the column must have any value at all."""
        return self.presence.min_count > 0 or bool(self.presence.min_fraction)


def describe(column: ColumnSchema) -> str:
    """Return the constraints of a column as a short text.

    >>> describe(ColumnSchema(type="double", min=0, unique=Unique(max=5)))
    'from 0; at most 5 distinct'
    """
    parts = [_presence(column.presence), _domain(column), _kind(column)]
    parts.append(_span(column.min, column.max, "from {}", "up to {}"))
    if column.value_count is not None:
        ends = _span(column.value_count.min, column.value_count.max, "at least {}", "at most {}")
        parts.append(ends and f"{ends} items")
    if column.unique is not None:
        ends = _span(column.unique.min, column.unique.max, "at least {}", "at most {}")
        parts.append(ends and f"{ends} distinct")
    parts += [_compared(name, getattr(column, name)) for name in ("drift", "skew", "reference")]
    for word, named in (("in", column.in_), ("not in", column.not_in)):
        parts.append(f"{word} {', '.join(named)}" if named else "")
    parts.append(column.stage if column.stage != "production" else "")
    return "; ".join(part for part in parts if part)


def _presence(presence: Presence) -> str:
    if presence.min_fraction is not None:
        whole = presence.min_fraction == 1
        return "in every row" if whole else f"in {presence.min_fraction:.4g} of the rows"
    return f"present in {presence.min_count} rows" if presence.min_count else ""


def _domain(column: ColumnSchema) -> str:
    if column.shared_domain is not None:
        return f"one of '{column.shared_domain}'"
    if column.domain is None:
        return ""
    shown = ", ".join(column.domain[:5]) + (", ..." if len(column.domain) > 5 else "")
    return f"one of {len(column.domain)}: {shown}"


def _kind(column: ColumnSchema) -> str:
    words = {
        "boolean": column.boolean,
        "whole numbers as text": column.integer_text,
        "numbers as text": column.number_text,
        "no NaN": not column.allow_nan,
        "infinite allowed": column.allow_infinite,
    }
    return "; ".join(word for word, holds in words.items() if holds)


def _span(low: float | None, high: float | None, above: str, below: str) -> str:
    ends = [above.format(low)] if low is not None else []
    ends += [below.format(high)] if high is not None else []
    return " ".join(ends)


def _compared(name: str, comparator: Comparator | ReferenceLimits | None) -> str:
    if comparator is None:
        return ""
    limits = msgspec.structs.asdict(comparator)
    broken = limits.pop("broken", ())
    parts = [f"{each} <= {limit:g}" for each, limit in limits.items() if limit is not None]
    shown = ", ".join([*parts, *(f"not {each}" for each in broken)])
    return shown and f"{name} {shown}"
