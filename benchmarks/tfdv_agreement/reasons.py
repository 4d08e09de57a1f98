"""Why the two sides differ: each reason is narrow, looks at the raw data, and is explained.

A difference for which no reason holds is unexplained, and somebody's bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from benchmarks.tfdv_agreement import statistic_reasons as of_statistics
from benchmarks.tfdv_agreement import verdict_reasons as of_verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.tfdv_agreement.compare import Difference
    from benchmarks.tfdv_agreement.facts import Facts


class Reason(NamedTuple):
    """One known way in which the two sides part."""

    name: str
    whose: Literal["theirs", "choice"]
    """Theirs: a fault or an approximation of TFDV's. Choice: we mean it otherwise."""
    why: str
    reference: str
    holds: Callable[[Difference, Facts], bool]


REASONS = (
    Reason(
        "numbers have no L-infinity there",
        "theirs",
        "L-infinity and the normalised difference look at labels, which numbers have not, so they are 0 and never fire.",
        "data-validation issue 147",
        of_verdicts.numbers_have_no_distance,
    ),
    Reason(
        "mass met exactly",
        "theirs",
        "The share off the domain is compared with 1 - min_domain_mass: two roundings, of which one may be a bit larger.",
        "anomalies.md, ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        of_verdicts.mass_at_its_threshold,
    ),
    Reason(
        "distance met exactly",
        "theirs",
        "Two rounded quotients are subtracted, and the difference is a bit above the threshold that it is.",
        "anomalies/metrics.cc",
        of_verdicts.distance_at_its_threshold,
    ),
    Reason(
        "ends of 32 bits",
        "theirs",
        "The ends of a float domain are kept in 32 bits, so 0.1 is not 0.1 any more.",
        "schema.proto, FloatDomain",
        of_verdicts.limit_of_32_bits,
    ),
    Reason(
        "ends of no number",
        "theirs",
        "Without any number the least and the greatest are 0 there, and a range without 0 fires.",
        "statistics.proto, NumericStatistics",
        of_verdicts.ends_of_nothing,
    ),
    Reason(
        "no most without a least",
        "theirs",
        "max_examples_count is looked at only where min_examples_count is given.",
        "schema.proto, DatasetConstraints",
        of_verdicts.most_rows_are_not_held,
    ),
    Reason(
        "unset most of distinct values",
        "theirs",
        "A unique_constraints without max is read as max 0.",
        "schema.proto, UniqueConstraints",
        of_verdicts.unset_most,
    ),
    Reason(
        "one boolean fault at a time",
        "theirs",
        "Numbers below 0 take the bool domain away, and those above 1 are not looked at any more.",
        "anomalies/bool_domain_util.cc",
        of_verdicts.only_the_first_fault,
    ),
    Reason(
        "boolean without words",
        "choice",
        "A bool domain without words takes every text for strange there; here the usual words are known.",
        "anomalies.md, BOOL_TYPE_UNEXPECTED_STRING",
        of_verdicts.words_are_not_given,
    ),
    Reason(
        "empty batch accepted",
        "choice",
        "With `min_rows: 0` a batch without rows passes here; there it is data_missing whatever the least is.",
        "anomalies.md, data_missing",
        of_verdicts.empty_batch_is_accepted,
    ),
    Reason(
        "distinct numbers",
        "theirs",
        "They count distinct values of text only, so that a constraint on numbers is FEATURE_TYPE_NO_UNIQUE.",
        "anomalies.md, FEATURE_TYPE_HIGH_UNIQUE",
        of_verdicts.distinct_numbers,
    ),
    Reason(
        "NaN is missing",
        "choice",
        "A row whose value is NaN has no value here, and has one there.",
        "anomalies.md, FLOAT_TYPE_HAS_NAN",
        of_verdicts.nan_is_missing,
    ),
    Reason(
        "null items are NaN there",
        "choice",
        "A null in a list of numbers is NaN there, which disallow_nan forbids; here it is no number.",
        "anomalies.md, FLOAT_TYPE_HAS_NAN",
        of_verdicts.null_items_are_nan,
    ),
    Reason(
        "infinities and ends",
        "choice",
        "An infinity is beyond every end there; here ends are of finite values, and allow_infinite judges the others.",
        "anomalies.md, FLOAT_TYPE_HAS_INF",
        of_verdicts.infinity_is_beyond,
    ),
    Reason(
        "'nan' and ' 7' as numbers",
        "choice",
        "The texts 'nan' and 'inf', and numbers with spaces around them, read as numbers there, and are strange here.",
        "anomalies.md, FLOAT_TYPE_STRING_NOT_FLOAT",
        of_verdicts.looser_numbers,
    ),
    Reason(
        "columns without values",
        "choice",
        "A column without a single value is asked there for its presence only; here also for its type, its environment and its distinct values.",
        "anomalies.md, UNEXPECTED_DATA_TYPE",
        of_verdicts.no_values_no_question,
    ),
    Reason(
        "lists are a type",
        "choice",
        "Every column is one of lists there; here a list beside a plain value is another type.",
        "anomalies.md, VALUE_NESTEDNESS_MISMATCH",
        of_verdicts.lists_are_a_type,
    ),
    Reason(
        "control without values",
        "choice",
        "A control column that has no value cannot be compared with; there it is compared, or passes in silence.",
        "anomalies.md, COMPARATOR_CONTROL_DATA_MISSING",
        of_verdicts.control_without_values,
    ),
    Reason(
        "one side without values",
        "choice",
        "Where one of both sides has no value there is no measurement there; here it is at 1 from a side that has some.",
        "anomalies.md, Distances",
        of_verdicts.one_side_is_empty,
    ),
    Reason(
        "their histogram is sketched",
        "theirs",
        "Their buckets come from a quantile sketch. Our formula on their buckets gives their value.",
        "data-validation issue 216; utils/quantiles_util.py",
        of_verdicts.sketched_histogram,
    ),
    Reason(
        "NaN left out of the divergence",
        "theirs",
        "1.16.1 leaves NaN out, so a burst of NaN does not move the divergence; newer versions and tondo count it as mass that meets nothing.",
        "anomalies/metrics.cc",
        of_verdicts.nan_is_left_out,
    ),
    Reason(
        "booleans are numbers there",
        "choice",
        "Booleans are compared as two values here, and as a histogram of 0 and 1 there.",
        "anomalies.md, Distances",
        of_verdicts.booleans_are_numbers,
    ),
    Reason(
        "FLOAT of 0 and 1",
        "choice",
        "Whole numbers are doubles here, so doubles of 0 and 1 are boolean; there only INT is.",
        "docs/glossary.md, column type",
        of_verdicts.whole_numbers_are_doubles,
    ),
    Reason(
        "boolean without a 1",
        "choice",
        "A boolean column is boolean here whatever it holds; there it is INT, and boolean when a 1 occurs.",
        "docs/glossary.md, column type",
        of_verdicts.booleans_are_a_type,
    ),
    Reason(
        "lengths in bytes",
        "choice",
        "avg_length counts bytes; ours counts characters, which are fewer where letters have accents.",
        "generators/basic_stats_generator.py",
        of_statistics.length_in_bytes,
    ),
    Reason(
        "null items have no length",
        "choice",
        "A null in a list of texts is an empty text in avg_length there; here it is no text.",
        "generators/basic_stats_generator.py",
        of_statistics.null_items_are_empty,
    ),
    Reason(
        "infinities in moments",
        "choice",
        "Moments, ends, ranks and buckets are of the finite values here; there an infinity makes moments and ends NaN, 0 or infinite, has ranks and has a bucket.",
        "docs/glossary.md, statistics",
        of_statistics.infinity_spoils,
    ),
    Reason(
        "fails on null items",
        "theirs",
        "One column in a hundred, at random, has its lengths counted, which a null in a list of texts breaks (AttributeError).",
        "generators/top_k_uniques_sketch_stats_generator.py",
        of_statistics.null_items_fail,
    ),
)


def reason_of(found: Difference, facts: Facts) -> Reason | None:
    """Return the first reason that holds for a difference, or None: it is unexplained."""
    return next((each for each in REASONS if each.holds(found, facts)), None)
