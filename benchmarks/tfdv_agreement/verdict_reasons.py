"""When verdicts, inferred schemas and distances differ for a known reason, a predicate each."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from benchmarks.tfdv_agreement.facts import (
    CLOSE,
    CONTROL,
    finite,
    infinities,
    is_number,
    nan_items,
    nan_rows,
    numeric,
    present,
)
from benchmarks.tfdv_agreement.values import items_of

from tondo.stages.data.inference import FALSE_WORDS, TRUE_WORDS, integer_of, number_of

if TYPE_CHECKING:
    from benchmarks.tfdv_agreement.compare import Difference
    from benchmarks.tfdv_agreement.facts import Column, Facts

MEASURE = {
    "COMPARATOR_L_INFTY_HIGH": "l_infinity",
    "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH": "jensen_shannon",
    "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH": "normalized_difference",
}


def only_ours(found: Difference, *names: str) -> bool:
    return found.kind == "anomaly" and found.what in names and found.ours is True


def only_theirs(found: Difference, *names: str) -> bool:
    return found.kind == "anomaly" and found.what in names and found.theirs is True


def nan_is_missing(found: Difference, facts: Facts) -> bool:
    """Counted as a value, NaN would meet the presence; so they say, and we do not."""
    column = facts.column(found.column)
    if column is None or not nan_rows(column):
        return False
    full, any_ = present(column) == len(column["values"]), present(column) > 0
    if found.kind == "infer":
        if found.what == "min_fraction":
            return full and (found.ours, found.theirs) == (None, 1.0)
        only_nan = present(column) == nan_rows(column)
        return found.what == "min_count" and only_nan and (found.ours, found.theirs) == (0, 1)
    expected = facts.expected(found.column)
    share = present(column) / len(column["values"])
    enough = present(column) >= expected.get("min_count", 0)
    enough_share = share >= expected.get("min_fraction", 0)
    if only_ours(found, "FEATURE_TYPE_NOT_PRESENT"):
        return present(column) == nan_rows(column) and enough and enough_share and any_
    if only_ours(found, "FEATURE_TYPE_LOW_FRACTION_PRESENT"):
        return enough_share
    return only_ours(found, "FEATURE_TYPE_LOW_NUMBER_PRESENT") and enough


def null_items_are_nan(found: Difference, facts: Facts) -> bool:
    """A null in a list of numbers is NaN there, and no item has to be NaN for it to fire."""
    column = facts.column(found.column)
    if column is None or not only_theirs(found, "FLOAT_TYPE_HAS_NAN") or not column["list"]:
        return False
    items = [item for row in column["values"] if row is not None for item in row]
    return column["type"] == "FLOAT" and None in items and "nan" not in items


def distinct_numbers(found: Difference, facts: Facts) -> bool:
    """They count distinct values of text only."""
    column = facts.column(found.column)
    if not numeric(column) or found.kind != "anomaly":
        return False
    if only_theirs(found, "FEATURE_TYPE_NO_UNIQUE"):
        return True
    span = facts.expected(found.column).get("unique", {})
    uncounted = [found.column, "FEATURE_TYPE_NO_UNIQUE"]
    values = {float(each) for each in items_of(column) if str(each) != "nan"}
    low, high = span.get("min", 0), span.get("max", math.inf)
    violated = (only_ours(found, "FEATURE_TYPE_LOW_UNIQUE") and len(values) < low) or (
        only_ours(found, "FEATURE_TYPE_HIGH_UNIQUE") and len(values) > high
    )
    # Of a column without values they do not ask.
    return violated and (uncounted in facts.theirs["anomalies"] or not items_of(column))


def unset_most(found: Difference, facts: Facts) -> bool:
    """Without `max` they allow no distinct value at all."""
    unique = facts.expected(found.column).get("unique", {"max": 0})
    return only_theirs(found, "FEATURE_TYPE_HIGH_UNIQUE") and "max" not in unique


def no_values_no_question(found: Difference, facts: Facts) -> bool:
    """A column without a single value is asked there for its presence only."""
    column, expected = facts.column(found.column), facts.expected(found.column)
    if column is None or not expected or present(column):
        return False
    if only_ours(found, "UNEXPECTED_DATA_TYPE"):
        return expected["type"] != column["type"]
    # Known to the schema, but not of this environment.
    elsewhere = only_ours(found, "SCHEMA_NEW_COLUMN") and bool(facts.case.get("environment"))
    few = only_ours(found, "FEATURE_TYPE_LOW_UNIQUE") and expected["unique"].get("min", 0) > 0
    return elsewhere or few


def lists_are_a_type(found: Difference, facts: Facts) -> bool:
    """Every column is one of lists there."""
    column, expected = facts.column(found.column), facts.expected(found.column)
    alone = only_ours(found, "UNEXPECTED_DATA_TYPE") and column is not None
    return alone and expected["list"] != column["list"]


def numbers_have_no_distance(found: Difference, facts: Facts) -> bool:
    """L-infinity and the normalised difference of numbers are always 0 there."""
    if not numeric(facts.column(found.column)):
        return False
    if found.kind == "distance":
        return found.what != "jensen_shannon" and found.theirs == 0.0 and found.ours > 0
    measure = MEASURE.get(found.what, "jensen_shannon")
    theirs = [facts.distance("theirs", found.column, measure, each) for each in CONTROL]
    return only_ours(found, found.what) and measure != "jensen_shannon" and not any(theirs)


def control_without_values(found: Difference, facts: Facts) -> bool:
    """We say that a control column without values cannot be compared with; they compare or pass."""
    column = facts.column(found.column)
    if column is None or found.kind != "anomaly" or not present(column):
        return False
    for against, table in CONTROL.items():
        other, asked = facts.column(found.column, table), facts.expected(found.column).get(against)
        if not asked or other is None or present(other) > nan_rows(other):
            continue
        measure = MEASURE.get(found.what)
        if only_ours(found, "COMPARATOR_CONTROL_DATA_MISSING"):
            return True
        if measure in asked and only_theirs(found, found.what):
            return (facts.distance("theirs", found.column, measure, against) or 0) > asked[measure]
    return False


def one_side_is_empty(found: Difference, facts: Facts) -> bool:
    """Where one side has no value they measure nothing; we say that it is at 1 from the other."""
    column = facts.column(found.column)
    if column is None or "distances" not in facts.theirs:
        return False
    for against, table in CONTROL.items():
        other = facts.column(found.column, table)
        if other is None or bool(_counted(column)) == bool(_counted(other)):
            continue
        if found.kind == "distance" and found.against == against and found.theirs is None:
            return found.ours == 1.0
        measure = MEASURE.get(found.what, "")
        if only_ours(found, found.what) and measure:
            theirs = facts.distance("theirs", found.column, measure, against)
            ours = facts.distance("ours", found.column, measure, against)
            if theirs is None and ours == 1.0:
                return True
    return False


def _counted(column: Column) -> list[Any]:
    return [each for each in items_of(column) if str(each) != "nan" or column["type"] == "BYTES"]


def sketched_histogram(found: Difference, facts: Facts) -> bool:
    """Of their own two histograms our formula gives their value, so the histograms differ."""
    column = facts.column(found.column)
    counted = column is not None and column["type"] in {"INT", "FLOAT"}
    return counted and _of_their_histograms(found, facts)


def booleans_are_numbers(found: Difference, facts: Facts) -> bool:
    """Booleans are two values here, and there a histogram of the numbers 0 and 1."""
    column = facts.column(found.column)
    return column is not None and column["type"] == "BOOL" and _of_their_histograms(found, facts)


def nan_is_left_out(found: Difference, facts: Facts) -> bool:
    """Of their own two histograms without the NaN our formula gives their value."""
    column = facts.column(found.column)
    tables = [facts.column(found.column, each) for each in CONTROL.values()]
    numbers = column is not None and column["type"] in {"INT", "FLOAT"}
    some = numbers and any(nan_items(each) for each in (column, *tables) if each is not None)
    return some and _of_their_histograms(found, facts, with_nan=False)


def _of_their_histograms(found: Difference, facts: Facts, *, with_nan: bool = True) -> bool:
    for against in _parting(found, facts):
        theirs = facts.distance("theirs", found.column, "jensen_shannon", against)
        by_theirs = facts.by_their_histograms(found.column, against, with_nan=with_nan)
        if by_theirs is None or theirs is None:
            return False
        return math.isclose(by_theirs, theirs, abs_tol=CLOSE)
    return False


def _parting(found: Difference, facts: Facts) -> list[str]:
    """Return against what the two divergences are on two sides of their limit, or differ."""
    if found.kind == "distance":
        return [found.against] if found.what == "jensen_shannon" else []
    if found.kind != "anomaly" or MEASURE.get(found.what) != "jensen_shannon":
        return []
    parting = []
    for against in CONTROL:
        limit = facts.expected(found.column).get(against, {}).get("jensen_shannon")
        values = [
            facts.distance(side, found.column, "jensen_shannon", against)
            for side in ("ours", "theirs")
        ]
        if limit is not None and None not in values and len({each > limit for each in values}) == 2:
            parting.append(against)
    return parting


def mass_at_its_threshold(found: Difference, facts: Facts) -> bool:
    """The share met is the threshold, but 1 - share and 1 - threshold differ in their last bit."""
    expected = facts.expected(found.column)
    if not only_theirs(found, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"):
        return False
    domain = expected.get("domain")
    if domain is None:
        domain = facts.case["schema"]["domains"][expected["shared_domain"]]
    values, mass = items_of(facts.column(found.column)), expected.get("min_domain_mass", 1.0)
    outside = sum(each not in domain for each in values)
    met = (len(values) - outside) / len(values) >= mass
    return met and mass < 1 and abs(outside / len(values) - (1 - mass)) < 1e-12


def distance_at_its_threshold(found: Difference, facts: Facts) -> bool:
    """The distance is the threshold, but their difference of two quotients is a bit above it."""
    measure = MEASURE.get(found.what)
    if measure is None or not only_theirs(found, found.what):
        return False
    for against in CONTROL:
        limit = facts.expected(found.column).get(against, {}).get(measure)
        ours, theirs = (
            facts.distance(side, found.column, measure, against) for side in ("ours", "theirs")
        )
        if None not in {limit, ours, theirs} and ours <= limit < theirs < limit + 1e-12:
            return True
    return False


def limit_of_32_bits(found: Difference, facts: Facts) -> bool:
    """`FloatDomain` keeps its ends in 32 bits, and the rounded end decides otherwise."""
    expected, column = facts.expected(found.column), facts.column(found.column)
    end = {"FLOAT_TYPE_SMALL_FLOAT": "min", "FLOAT_TYPE_BIG_FLOAT": "max"}.get(found.what)
    if end is None or end not in expected or column is None or found.kind != "anomaly":
        return False
    texts = column["type"] == "BYTES"
    known = [float(each) for each in items_of(column)] if not texts else []
    values = [each for each in known if math.isfinite(each)]
    values += (
        [float(each) for each in items_of(column) if number_of(each) is not None] if texts else []
    )
    if not values:
        return False
    limit = expected[end]
    (rounded,) = struct.unpack("f", struct.pack("f", limit))
    seen = min(values) if end == "min" else max(values)
    outside = (seen < limit, seen < rounded) if end == "min" else (seen > limit, seen > rounded)
    return outside == (found.ours, found.theirs)


def infinity_is_beyond(found: Difference, facts: Facts) -> bool:
    """An infinity is beyond every end there; here it is judged by `allow_infinite`, not by ends."""
    column, expected = facts.column(found.column), facts.expected(found.column)
    strange = {"FLOAT_TYPE_SMALL_FLOAT": -math.inf, "FLOAT_TYPE_BIG_FLOAT": math.inf}
    at = strange.get(found.what)
    if at is None or column is None or not only_theirs(found, found.what):
        return False
    values, end = finite(column) if numeric(column) else [], "min" if at < 0 else "max"
    inside = all(
        each >= expected[end] if end == "min" else each <= expected[end] for each in values
    )
    return numeric(column) and at in infinities(column) and inside


def ends_of_nothing(found: Difference, facts: Facts) -> bool:
    """The least and greatest of no number are 0 there, which the range does not hold."""
    column, expected = facts.column(found.column), facts.expected(found.column)
    if not numeric(column) or finite(column) or infinities(column):
        return False
    return (
        only_theirs(found, "FLOAT_TYPE_SMALL_FLOAT", "INT_TYPE_SMALL_INT") and expected["min"] > 0
    ) or (only_theirs(found, "FLOAT_TYPE_BIG_FLOAT", "INT_TYPE_BIG_INT") and expected["max"] < 0)


def looser_numbers(found: Difference, facts: Facts) -> bool:
    """The texts 'nan', 'inf' and ' 7' read as numbers there."""
    column = facts.column(found.column)
    if column is None or column["type"] != "BYTES":
        return False
    values = items_of(column)
    if found.kind == "infer":
        spaced = any(integer_of(each) is None for each in values)
        whole = spaced and all(integer_of(each.strip()) is not None for each in values)
        there = facts.theirs["schema"][found.column]["domain_kind"] == "int_domain"
        return whole and there and found.what in {"domain_kind", "domain"}
    strict, loose = {
        "INT_TYPE": (integer_of, lambda text: integer_of(text.strip()) is not None),
        "FLOAT_TYPE": (number_of, is_number),
    }.get(found.what.rpartition("_TYPE_")[0] + "_TYPE", (None, None))
    if strict is None or not all(map(loose, values)):
        return False
    ends = (
        "INT_TYPE_SMALL_INT",
        "INT_TYPE_BIG_INT",
        "FLOAT_TYPE_SMALL_FLOAT",
        "FLOAT_TYPE_BIG_FLOAT",
    )
    unread = ("INT_TYPE_NOT_INT_STRING", "FLOAT_TYPE_STRING_NOT_FLOAT")
    strange = any(strict(each) is None for each in values)
    return strange and (only_ours(found, *unread) or only_theirs(found, *ends))


def words_are_not_given(found: Difference, facts: Facts) -> bool:
    """Without words of its own no text is a boolean there; here the usual words are."""
    expected = facts.expected(found.column)
    values = set(items_of(facts.column(found.column) or {"values": [], "list": False}))
    usual = values <= TRUE_WORDS | FALSE_WORDS and "true_value" not in expected
    paired = len(values & TRUE_WORDS) <= 1 and len(values & FALSE_WORDS) <= 1
    return only_theirs(found, "BOOL_TYPE_UNEXPECTED_STRING") and usual and paired


def only_the_first_fault(found: Difference, facts: Facts) -> bool:
    """Numbers below 0 take their bool domain away, so that those above 1 are not looked at."""
    if not only_ours(found, "BOOL_TYPE_BIG_INT"):
        return False
    small = [found.column, "BOOL_TYPE_SMALL_INT"]
    both = small in facts.ours["anomalies"] and small in facts.theirs["anomalies"]
    values = items_of(facts.column(found.column))
    return both and min(values) < 0 and max(values) > 1


def most_rows_are_not_held(found: Difference, facts: Facts) -> bool:
    """`max_examples_count` without `min_examples_count` is not looked at there."""
    schema = facts.case.get("schema", {})
    return (
        only_ours(found, "DATASET_HIGH_NUM_EXAMPLES")
        and facts.theirs["rows"] > schema["max_rows"]
        and not schema.get("min_rows")
    )


def empty_batch_is_accepted(found: Difference, facts: Facts) -> bool:
    """With `min_rows: 0` a batch without rows passes here."""
    accepted = facts.case.get("schema", {}).get("min_rows") == 0 and facts.ours["rows"] == 0
    return only_theirs(found, "data_missing") and accepted


def whole_numbers_are_doubles(found: Difference, facts: Facts) -> bool:
    """A FLOAT of 0 and 1 is boolean here, since whole numbers are doubles."""
    column = facts.column(found.column)
    inferred = found.kind == "infer" and found.what == "domain_kind"
    if not inferred or (found.ours, found.theirs) != ("bool_domain", None):
        return False
    return column["type"] == "FLOAT" and {0.0, 1.0} >= set(finite(column)) and 1 in finite(column)


def booleans_are_a_type(found: Difference, facts: Facts) -> bool:
    """A boolean column is one whatever it holds; there it is INT, boolean when a 1 occurs."""
    column = facts.column(found.column)
    inferred = found.kind == "infer" and found.what == "domain_kind" and column["type"] == "BOOL"
    return (
        inferred
        and found.ours == "bool_domain"
        and found.theirs is None
        and not any(items_of(column))
    )
