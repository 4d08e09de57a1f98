"""Bounds hold whatever engines may answer: functions are moved by 4 ulp at random, and looked for."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from random import Random

import pytest

from tondo.language import bounds
from tondo.language.bounds import Bounds, Undecided
from tondo.language.check import check
from tondo.language.decided import bounded, has_bounds
from tondo.language.functions import FUNCTIONS
from tondo.language.functions.numeric import EARTH_RADIUS_KM, RADIANS_PER_DEGREE
from tondo.language.interpret import column_value, literal_value
from tondo.language.parse import parse
from tondo.language.tree import Call, Literal
from tondo.language.values import finite

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def grow():
    """The generator of benchmarks/, which is no installed package."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.language_equality import grow
    finally:
        sys.path.remove(str(ROOT))
    return grow


def moved(name, arguments, random, ulps):
    """What some engine may answer: our own value, up to `ulps` units away."""
    value = FUNCTIONS[name].kernel(*arguments)
    if value is None or math.isinf(value) or is_exact(name, arguments):
        return value
    away = random.choice([-ulps, ulps, random.randint(-ulps, ulps)])
    low, high = bounds.RANGES.get(name, (-math.inf, math.inf))
    positive = math.copysign(1.0, value) > 0.0
    low, high = (max(0.0, low), high) if positive else (low, min(-0.0, high))
    return min(high, max(low, value + away * math.ulp(value)))


def is_exact(name, arguments):
    if name == "power":
        return bounds.is_exact_power(*arguments)
    if name == "atan2":
        return bounds.is_exact_angle(*arguments)
    return bounds.exact_of(name, arguments[0]) is not None


def moved_haversine(lat1, lon1, lat2, lon2, random, ulps):
    if FUNCTIONS["haversine_km"].kernel(lat1, lon1, lat2, lon2) is None:
        return None
    half_lat = moved("sin", [(lat2 - lat1) * RADIANS_PER_DEGREE * 0.5], random, ulps)
    half_lon = moved("sin", [(lon2 - lon1) * RADIANS_PER_DEGREE * 0.5], random, ulps)
    scale = moved("cos", [lat1 * RADIANS_PER_DEGREE], random, ulps)
    scale *= moved("cos", [lat2 * RADIANS_PER_DEGREE], random, ulps)
    chord = half_lat * half_lat + scale * (half_lon * half_lon)
    if chord < 0.0:
        return None
    return 2.0 * EARTH_RADIUS_KM * moved("asin", [min(1.0, math.sqrt(chord))], random, ulps)


def answered(node, row, random, ulps=bounds.ULPS):
    """What an engine answers whose functions are moved."""
    if isinstance(node, Literal):
        return literal_value(node)
    if not isinstance(node, Call):
        return column_value(node, row)
    arguments = [answered(each, row, random, ulps) for each in node.arguments]
    function = FUNCTIONS[node.function]
    if function.nulls == "strict" and None in arguments:
        return None
    if node.function == "haversine_km":
        return moved_haversine(*arguments, random, ulps)
    if function.ulp:
        return moved(node.function, arguments, random, ulps)
    return function.kernel(*arguments)


def lies_in(value, may_be):
    if isinstance(may_be, Bounds):
        return isinstance(value, float) and value in may_be
    return repr(value) == repr(may_be)


def transcendental_trees(grow, random, count):
    while count:
        node = grow.feature(random)
        if has_bounds(node):
            count -= 1
            yield node


@pytest.mark.parametrize("seed", range(4))
def test_no_engine_within_4_ulp_leaves_the_bounds(grow, seed):
    random = Random(seed)
    decided = 0
    for node in transcendental_trees(grow, random, 500):
        for row in [grow.hard_row(random) for _ in range(8)]:
            try:
                may_be = bounded(node, row)
            except Undecided:
                continue
            decided += 1
            for _ in range(3):
                value = finite(answered(node, row, random))
                assert lies_in(value, may_be), (node, row, value, may_be)
    assert decided > 3_500


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.ulp])
def test_no_function_of_moved_arguments_leaves_the_bounds(grow, name, seed):
    random = Random(seed)
    count = FUNCTIONS[name].signatures[0].partition(" -> ")[0].count("double")
    for _ in range(1_000):
        near = [
            random.choice([grow.any_double(random), 1.0, math.pi / 2, 0.5]) for _ in range(count)
        ]
        near = [0.0 if math.isnan(each) else each for each in near]
        wide = [each + random.choice([0.0, 1e-9, 1.0]) * abs(each) for each in near]
        given = [
            x if x == y else Bounds(min(x, y), max(x, y)) for x, y in zip(near, wide, strict=True)
        ]
        rule = {"power": bounds.power, "atan2": bounds.atan2, "haversine_km": bounds.haversine_km}
        try:
            may_be = rule.get(name, lambda x: bounds.transcendental(name, x))(*given)
        except Undecided:
            continue
        for _ in range(4):
            chosen = [random.choice([x, y, min(max(random.uniform(x, y), min(x, y)), max(x, y))])
                      for x, y in zip(near, wide, strict=True)]  # fmt: skip
            if name == "haversine_km":
                value = moved_haversine(*chosen, random, bounds.ULPS)
            else:
                value = moved(name, chosen, random, bounds.ULPS)
            assert lies_in(value, may_be), (given, chosen, value, may_be)


def test_an_engine_that_is_farther_off_is_found(grow):
    random = Random(7)
    node = check(parse("exp(x)"), {"x": "double"})
    rows = [{"x": random.gauss(0.0, 3.0)} for _ in range(200)]
    outside = [not lies_in(answered(node, row, random, 6), bounded(node, row)) for row in rows]
    assert sum(outside) > 50


@pytest.mark.parametrize(
    ("text", "row", "wanted"),
    [
        ("floor(log10(x))", {"x": 50.0}, 1.0),
        ("floor(log10(x))", {"x": 100.0}, "floor"),
        ("floor(sin(x))", {"x": 0.0}, 0.0),
        ("cos(x) = 1", {"x": -0.0}, True),
        ("sin(x) > 0", {"x": 3.0}, True),
        ("sin(x) = sin(x)", {"x": 3.0}, "equal"),
        ("1 / sin(x)", {"x": 0.0}, None),
        ("1 / (exp(x) - exp(x))", {"x": 2.0}, "divide"),
        ("sqrt(exp(x) - exp(x))", {"x": 2.0}, "sqrt"),
        ("ln(sin(x) - 1) is null", {"x": 1.0}, True),
        ("asin(sin(x)) is not null", {"x": math.pi / 2}, True),
        ("asin(exp(x) / exp(1))", {"x": 1.0}, "asin"),
        ("exp(x) * 1.0000000000000237", {"x": 709.782712893384}, "answer"),
        ("exp(x)", {"x": 710.0}, None),
        ("exp(x) = 0", {"x": -800.0}, True),
        ("mod(exp(x), 1) < 0.8", {"x": 1.0}, True),
        ("mod(ln(x), 1)", {"x": math.e}, "mod"),
        ("round(ln(x), 2)", {"x": 10.0}, 2.3),
        ("clip(exp(x), 0, 2)", {"x": 1.0}, 2.0),
        ("clip(exp(x), 5, 2)", {"x": 1.0}, 5.0),
        ("greatest(sin(x), 3)", {"x": 1.0}, 3.0),
        ("bucketize(exp(x), 0, 1, 5)", {"x": 1.0}, 2.0),
        ("substr('tondo', log2(x))", {"x": 6.0}, "ondo"),
        ("substr('tondo', log2(x))", {"x": 8.0}, "substr"),
        ("tan(atan(x))", {"x": 1e16}, "tan"),
        ("power(x, 0.5) in (1, 2)", {"x": 3.0}, False),
        ("case when exp(x) > 1 then 'more' else 'less' end", {"x": 1.0}, "more"),
        ("coalesce(ln(x), 1) is null", {"x": -1.0}, False),
        ("haversine_km(x, 0, x, 0)", {"x": 12.0}, 0.0),
    ],
)  # fmt: skip
def test_steps_are_decided_or_named(text, row, wanted):
    node = check(parse(text), {"x": "double"})
    try:
        found = bounded(node, row)
    except Undecided as undecided:
        found = undecided.operator
    assert repr(found) == repr(wanted)


def test_bounds_stay_close_through_continuous_functions():
    node = check(parse("sqrt(abs(sin(x) * 2 + cos(x) / 3))"), {"x": "double"})
    found = bounded(node, {"x": 1.25})
    assert found.low < math.sqrt(math.sin(1.25) * 2 + math.cos(1.25) / 3) < found.high
    assert (found.high - found.low) / found.high < 1e-14
