"""Random cases as plain JSON: tables, batches beside them, and schemas in a form of neither side.

A schema starts from what its table shows and is then loosened, tightened, or set exactly to what
was seen, since boundaries are where two implementations part.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.tfdv_agreement.values import (
    TRUTHS,
    draw_column,
    draw_kind,
    draw_rows,
    items_of,
    numbers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Case = dict[str, Any]
FAMILIES = ("infer", "validate", "distances", "rows", "statistics")
# Most cases go where the rules are many.
SHARES = (0.2, 0.4, 0.2, 0.05, 0.15)
STAGES = ("planned", "alpha", "beta", "production", "deprecated", "debug_only", "disabled")
ENVIRONMENTS = ("TRAINING", "SERVING")
MEASURES = ("l_infinity", "jensen_shannon", "normalized_difference")


def cases(number: int, *, seed: int) -> Iterator[Case]:
    """Return so many cases; each depends on the seed and its place alone."""
    for place in range(number):
        random = Random(f"{seed}/{place}")
        (family,) = random.choices(FAMILIES, SHARES)
        yield {"case": place, "family": family, **_DRAWN[family](random)}


def _table(random: Random, hows: dict[str, Any], rows: int) -> dict[str, Any]:
    return {"columns": {name: draw_column(random, how, rows) for name, how in hows.items()}}


def _hows(random: Random, most: int) -> dict[str, Any]:
    return {name: draw_kind(random) for name in "abcd"[: random.randint(1, most)]}


def _alone(random: Random) -> Case:
    return {"table": _table(random, _hows(random, 3), draw_rows(random))}


def _validate(random: Random) -> Case:
    table = _table(random, _hows(random, 3), draw_rows(random))
    columns = {name: _fitting(random, each) for name, each in table["columns"].items()}
    schema: dict[str, Any] = {"columns": columns, "domains": {}}
    for name, column in table["columns"].items():
        _tighten(random, columns[name], column)
    if random.random() < 0.1:
        _share_domains(columns, schema["domains"])
    rows = _rows(table)
    if random.random() < 0.1:
        schema["min_rows"] = max(rows + random.randint(-1, 1), 0)
    if random.random() < 0.1:
        schema["max_rows"] = max(rows + random.randint(-1, 1), schema.get("min_rows", 0), 1)
    case: Case = {"table": table, "schema": schema}
    if random.random() < 0.3:
        _environments(random, case)
    _new_and_missing(random, columns)
    return case


def _fitting(random: Random, column: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a column without asking more than it shows."""
    found: dict[str, Any] = {"type": column["type"], "list": column["list"]}
    present = _present(column)
    if present and random.random() < 0.8:
        found["min_count"] = 1
        if present == len(column["values"]):
            found["min_fraction"] = 1.0
    return found


def _present(column: dict[str, Any]) -> int:
    return sum(each is not None for each in column["values"])


def _rows(table: dict[str, Any]) -> int:
    return max((len(each["values"]) for each in table["columns"].values()), default=0)


def _tighten(random: Random, expected: dict[str, Any], column: dict[str, Any]) -> None:
    chance = random.random
    if chance() < 0.2:
        _presence(random, expected, column)
    if column["list"] and chance() < 0.5:
        _value_count(random, expected, column)
    if column["type"] == "BYTES":
        _text(random, expected, column)
    elif column["type"] == "BOOL":
        expected["boolean"] = True
    else:
        _number(random, expected, column)
    # Distinct numbers and plain values for lists are questions that have no answer there.
    if chance() < (0.15 if column["type"] == "BYTES" else 0.02):
        distinct = len(set(map(str, items_of(column))))
        expected["unique"] = _span(random, distinct, distinct)
    if chance() < 0.08:
        expected["stage"] = random.choice(STAGES)
    if column["type"] != "BOOL" and chance() < 0.05:
        _other_type(random, expected)
    if chance() < 0.01 and not expected.get("value_count"):
        expected["list"] = not expected["list"]


def _presence(random: Random, expected: dict[str, Any], column: dict[str, Any]) -> None:
    rows, present = len(column["values"]), _present(column)
    if random.random() < 0.5:
        expected["min_count"] = max(present + random.randint(-1, 1), 0)
    share = present / rows if rows else 1.0
    expected["min_fraction"] = random.choice([share, share, round(share, 2), 0.9, 0.5, 1.0])


def _value_count(random: Random, expected: dict[str, Any], column: dict[str, Any]) -> None:
    sizes = [len(each) for each in column["values"] if each is not None] or [0]
    expected["value_count"] = _span(random, min(sizes), max(sizes))


def _span(random: Random, low: int, high: int) -> dict[str, int]:
    """Return ends at, below or above what was seen; both belong to the span."""
    found = {}
    if random.random() < 0.7:
        found["min"] = max(low + random.choice([-1, 0, 0, 1]), 0)
    if not found or random.random() < 0.7:
        found["max"] = max(high + random.choice([-1, 0, 0, 1]), found.get("min", 0), 1)
    return found


def _text(random: Random, expected: dict[str, Any], column: dict[str, Any]) -> None:
    values = items_of(column)
    asked = random.choice(["domain", "domain", "boolean", "integer_text", "number_text", ""])
    if asked == "domain":
        known = sorted(set(values))
        kept = [each for each in known if random.random() < 0.8]
        expected["domain"] = kept or known[:1] or ["none"]
        if random.random() < 0.5 and values:
            inside = sum(each in expected["domain"] for each in values) / len(values)
            expected["min_domain_mass"] = random.choice(
                [inside, inside, round(inside, 2), 0.9, 0.75, 0.5]
            )
            expected["min_domain_mass"] = expected["min_domain_mass"] or 0.5
    elif asked == "boolean":
        expected["boolean"] = True
        if random.random() < 0.5:
            expected["true_value"], expected["false_value"] = random.choice(TRUTHS)
    elif asked:
        expected[asked] = True
        if random.random() < 0.5:
            expected |= _range(random, [-2.0, 10.0], whole=asked == "integer_text")


def _number(random: Random, expected: dict[str, Any], column: dict[str, Any]) -> None:
    whole = column["type"] == "INT"
    if random.random() < 0.15:
        expected["boolean"] = True
    elif random.random() < 0.5:
        expected |= _range(random, numbers_of(column) or [0.0], whole=whole)
    if not whole and not expected.get("boolean"):
        expected |= {
            flag: True for flag in ("disallow_nan", "disallow_inf") if random.random() < 0.4
        }


def _range(random: Random, values: list[float], *, whole: bool) -> dict[str, float]:
    low, high = min(values), max(values)
    step = 1 if whole else random.choice([0.5, 0.01])
    ends = {
        "min": low + random.choice([-step, 0, 0, step]),
        "max": high + random.choice([-step, 0, 0, step]),
    }
    if ends["min"] > ends["max"]:
        del ends["max"]
    if random.random() < 0.4 and len(ends) == 2:
        del ends[random.choice(["min", "max"])]
    return {end: int(value) if whole else value for end, value in ends.items()}


def _other_type(random: Random, expected: dict[str, Any]) -> None:
    """Expect another type, with what is said of values as far as that type can have it."""
    expected["type"] = random.choice(
        [each for each in ("INT", "FLOAT", "BYTES") if each != expected["type"]]
    )
    kept = {"type", "list", "min_count", "min_fraction", "value_count", "unique", "stage"}
    for name in set(expected) - kept:
        del expected[name]
    if expected["type"] == "BYTES":
        expected["domain"] = ["red", "green"]


def _share_domains(columns: dict[str, Any], domains: dict[str, list[str]]) -> None:
    for name, column in columns.items():
        if "domain" in column:
            domains[f"of {name}"] = column.pop("domain")
            column["shared_domain"] = f"of {name}"


def _environments(random: Random, case: Case) -> None:
    case["environment"] = random.choice([*ENVIRONMENTS, None])
    case["schema"]["default_environments"] = list(ENVIRONMENTS)
    for column in case["schema"]["columns"].values():
        if random.random() < 0.3:
            column[random.choice(["in", "not_in"])] = [random.choice(ENVIRONMENTS)]


def _new_and_missing(random: Random, columns: dict[str, Any]) -> None:
    if random.random() < 0.1:
        del columns[random.choice(list(columns))]
    if random.random() < 0.1:
        lost: dict[str, Any] = {"type": random.choice(["INT", "FLOAT", "BYTES"]), "list": False}
        if random.random() < 0.7:
            lost["min_count"] = 1
        if random.random() < 0.3:
            lost["stage"] = random.choice(STAGES)
        if random.random() < 0.3:
            lost["not_in"] = [random.choice(ENVIRONMENTS)]
        columns["lost"] = lost


def _distances(random: Random) -> Case:
    hows = _hows(random, 2)
    rows = draw_rows(random) or 10
    table = _table(random, hows, rows)
    schema: dict[str, Any] = {"columns": {}}
    case: Case = {"table": table, "schema": schema}
    for against, other in (("drift", "previous"), ("skew", "serving")):
        if random.random() < 0.7:
            beside = {name: how for name, how in hows.items() if random.random() < 0.95}
            # Another state of the generator would draw other words; half of them share them.
            case[other] = _table(random, beside, draw_rows(random) or 10)
            # A batch without columns is no batch there.
            if not beside:
                case[other]["columns"]["other"] = table["columns"][next(iter(hows))]
            if random.random() < 0.5:
                _resample(random, table, case[other])
        for name, column in table["columns"].items():
            expected = schema["columns"].setdefault(name, _fitting(random, column))
            expected.pop("min_fraction", None)
            if random.random() < 0.7:
                expected[against] = {
                    measure: random.choice([0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9])
                    for measure in MEASURES
                    if random.random() < 0.5
                }
    return case


def _resample(random: Random, table: dict[str, Any], other: dict[str, Any]) -> None:
    for name, column in other["columns"].items():
        seen = table["columns"].get(name, column)["values"]
        column["values"] = [random.choice(seen) for _ in column["values"]]


def _row_counts(random: Random) -> Case:
    how = {"a": {**draw_kind(random), "kind": "integers", "list": False, "nulls": 0}}
    tables = [_table(random, how, draw_rows(random)) for _ in range(3)]
    schema: dict[str, Any] = {"columns": {"a": {"type": "INT", "list": False}}}
    rows = [_rows(each) for each in tables]
    for against, other in (("previous", rows[1]), ("version", rows[2])):
        if random.random() < 0.8:
            ratio = rows[0] / other if other else 1.0
            schema[f"rows_against_{against}"] = _fractions(random, ratio)
    if random.random() < 0.5:
        schema["min_rows"] = max(rows[0] + random.randint(-1, 1), 0)
    case: Case = {"table": tables[0], "schema": schema}
    for name, table in (("previous", tables[1]), ("previous_version", tables[2])):
        if random.random() < 0.8:
            case[name] = table
    return case


def _fractions(random: Random, ratio: float) -> dict[str, float]:
    low = random.choice([ratio, ratio, 0.5, 0.9])
    high = random.choice([ratio, ratio, 1.1, 2.0])
    ends = {"min_fraction": low, "max_fraction": max(low, high)}
    if random.random() < 0.4:
        del ends[random.choice(list(ends))]
    return ends


_DRAWN = {
    "infer": _alone,
    "validate": _validate,
    "distances": _distances,
    "rows": _row_counts,
    "statistics": _alone,
}
