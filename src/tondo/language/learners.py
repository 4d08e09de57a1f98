"""What each fitted function learns from the values of its argument: plain JSON."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from tondo.core.columns import item_type
from tondo.language.fitted import option_values
from tondo.language.tree import Fitted

MOST_CATEGORIES = 10_000
"""Most values that target_mean keeps, by frequency: each engine carries them in the expression."""

Learner = Callable[[Sequence[Any], Fitted], dict[str, Any]]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _fill_mean(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    return {"mean": _mean(values)}


def quantile(ordered: Sequence[float], part: int, parts: int) -> float:
    """Return the value below which `part` of `parts` lie, between neighbours in proportion.

    Definition 7 of Hyndman and Fan (1996), Sample Quantiles; the median of an even number is the
    middle of two.

    >>> quantile([1.0, 2.0, 4.0], 1, 2), quantile([1.0, 2.0], 1, 4)
    (2.0, 1.25)
    """
    place, rest = divmod((len(ordered) - 1) * part, parts)
    low = ordered[place]
    if rest == 0 or low == ordered[place + 1]:
        return low
    share = rest / parts
    return low * (1.0 - share) + ordered[place + 1] * share


def _fill_median(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    return {"median": quantile(sorted(values), 1, 2)}


def ranked(values: Sequence[Any], *, least: int = 1) -> list[Any]:
    """Return the distinct values by falling count, ties by value (text by code point).

    Values that occur fewer than `least` times are left out.

    >>> ranked(["b", "a", "b", "c"])
    ['b', 'a', 'c']
    """
    counted = sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0]))
    return [value for value, count in counted if count >= least]


def _fill_mode(values: Sequence[Any], _: Fitted) -> dict[str, Any]:
    return {"mode": ranked(values)[0]}


def _zscore(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    mean = _mean(values)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in values) / len(values))
    return {"mean": mean, "inverse_deviation": _inverse(deviation, 0.0)}


def _minmax(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    low, high = min(values), max(values)
    return {"minimum": low, "inverse_range": _inverse(high - low, 0.0)}


def _robust_scale(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    ordered = sorted(values)
    spread = quantile(ordered, 3, 4) - quantile(ordered, 1, 4)
    return {"median": quantile(ordered, 1, 2), "inverse_range": _inverse(spread, 1.0)}


def _inverse(spread: float, otherwise: float) -> float:
    """Return 1 / spread, or `otherwise` where there is no spread that a double can divide by."""
    inverse = 1.0 / spread if spread > 0.0 else otherwise
    return inverse if math.isfinite(inverse) else otherwise


def _quantile_bucket(values: Sequence[float], fitted: Fitted) -> dict[str, Any]:
    count, ordered = int(option_values(fitted)["n"]), sorted(values)
    edges = {quantile(ordered, part, count) for part in range(1, count)}
    return {"bounds": sorted(edges - {ordered[0], ordered[-1]})}


def _vocab(values: Sequence[Any], fitted: Fitted) -> dict[str, Any]:
    options = option_values(fitted)
    if item_type(fitted.argument.type) is not None:
        values = [each for each in chain.from_iterable(values) if each is not None]
    return {"values": ranked(values, least=int(options["min_count"]))[: int(options["n"])]}


def _target_mean(pairs: Sequence[tuple[Any, float]], fitted: Fitted) -> dict[str, Any]:
    """Return smoothed means by value (Micci-Barreca 2001, A Preprocessing Scheme, section 3)."""
    smoothing = option_values(fitted)["smoothing"]
    mean = _mean([target for _, target in pairs])
    targets: dict[Any, list[float]] = defaultdict(list)
    for value, target in pairs:
        targets[value].append(target)
    values = ranked([value for value, _ in pairs])[:MOST_CATEGORIES]
    means = [
        math.fsum([*targets[each], smoothing * mean]) / (len(targets[each]) + smoothing)
        for each in values
    ]
    return {"mean": mean, "values": values, "means": means}


def _idf(lists: Sequence[Sequence[Any]], fitted: Fitted) -> dict[str, Any]:
    """Return the smoothed inverse document frequency of the terms in most lists."""
    within = [{each for each in items if each is not None} for items in lists]
    found = Counter(chain.from_iterable(within))
    terms = ranked(list(chain.from_iterable(within)))[: int(option_values(fitted)["n"])]
    weights = [math.log((1 + len(lists)) / (1 + found[each])) + 1.0 for each in terms]
    return {"terms": terms, "weights": weights}


LEARNERS: dict[str, Learner] = {
    "fill_mean": _fill_mean,
    "fill_median": _fill_median,
    "fill_mode": _fill_mode,
    "zscore": _zscore,
    "minmax": _minmax,
    "robust_scale": _robust_scale,
    "quantile_bucket": _quantile_bucket,
    "vocab": _vocab,
    "target_mean": _target_mean,
    "idf": _idf,
    "tfidf": _idf,
}
"""Name of a fitted function to what learns it, from values that are not null."""
