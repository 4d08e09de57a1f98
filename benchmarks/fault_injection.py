"""Faults injected into a day of flights: which are blocked before training, and what is not a fault.

January to March are the accepted rows, as after a first training: the schema is inferred from them
(with one edit of its owner: airlines open routes, so a tenth of the destinations may be new), and
they are the reference. Every ninth day from April on is spoiled by each fault: at 1, 10 and 100 % of
its rows, chosen by a seed; names and swaps at once. A day counts as blocked when an anomaly of
severity error is found, and as named when its first one is about a column of the fault.

Then the false alarms under the very same settings: the rows of each month permuted among its days,
which makes the days exchangeable; and the real days that alarm, each with what it says.

Run: python benchmarks/fault_injection.py
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flights import flights
from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.stages.data.inference import infer_schema
from tondo.stages.data.movement import movements
from tondo.stages.data.reference_profile import learn_profile
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import blocking, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tondo.stages.data.anomalies import Anomalies

SEEDS = (1, 2, 3)
SHARES = (0.01, 0.1, 1.0)
EVERY = 9
OPEN_ROUTES = 0.9
HOUR_US = 3_600_000_000


class Fault(NamedTuple):
    """One way to spoil a day; `columns` are those that may be named."""

    name: str
    columns: tuple[str, ...]
    spoil: Callable[[pa.Table, np.ndarray], pa.Table]
    whole: bool = False
    """True when it cannot be done to some of the rows."""


def main() -> None:
    table = flights()
    gate = Gate(table.filter(pc.less_equal(table["month"], 3)))
    days = list(by_day(table))
    later = [(day, rows) for day, rows in days if day.month > 3][::EVERY]
    tell(*detection(gate, later))
    permuted = [day for day, rows in exchangeable(table) if gate.wrong(rows)]
    real = [(day, gate.wrong(rows)) for day, rows in days]
    alarms = [(day, wrong) for day, wrong in real if wrong]
    print()
    tell(
        ["days", "number", "alarms", "per 100 days"],
        [
            [
                "exchangeable (permuted within months)",
                365,
                len(permuted),
                f"{len(permuted) / 3.65:.2f}",
            ],
            ["real", len(real), len(alarms), f"{100 * len(alarms) / len(real):.2f}"],
        ],
    )
    print()
    tell(
        ["real day that alarms", "anomalies", "the first"],
        [[day.isoformat(), len(wrong), wrong[0].message] for day, wrong in alarms],
    )


class Gate:
    """What stands between a batch and training: the schema and the reference."""

    def __init__(self, accepted: pa.Table) -> None:
        self._engine = DuckDBEngine(threads=2)
        schema = infer_schema(statistics(accepted, engine=self._engine), name="flights")
        open_ended = msgspec.structs.replace(schema.columns["dest"], min_domain_mass=OPEN_ROUTES)
        self._schema = msgspec.structs.replace(
            schema, columns={**schema.columns, "dest": open_ended}
        )
        self._profile = learn_profile(accepted, name="flights")

    def wrong(self, batch: pa.Table) -> Anomalies:
        """Return what blocks a batch."""
        moved = movements(batch, self._profile) if self._profile else ()
        found = statistics(batch, engine=self._engine)
        return blocking(validate(found, self._schema, movements=moved))


def detection(
    gate: Gate, days: list[tuple[dt.date, pa.Table]]
) -> tuple[list[str], list[list[object]]]:
    rows: list[list[object]] = []
    for fault in faults():
        cells: list[object] = [fault.name]
        for share in SHARES:
            cells.append("" if fault.whole and share < 1 else rate(gate, fault, share, days))
        rows.append(cells)
    head = [f"blocked (column named first) of {len(days) * len(SEEDS)} days, seeds {SEEDS}"]
    return [*head, *(f"{share:.0%} of rows" for share in SHARES)], rows


def rate(gate: Gate, fault: Fault, share: float, days: list[tuple[dt.date, pa.Table]]) -> str:
    blocked = named = total = 0
    # What spoils every row is the same whatever the seed.
    seeds = SEEDS if share < 1 else SEEDS[:1]
    for seed in seeds:
        random = np.random.default_rng(seed)
        for _, rows in days:
            chosen = random.random(rows.num_rows) < share
            wrong = gate.wrong(fault.spoil(rows, chosen))
            total += 1
            blocked += bool(wrong)
            named += bool(wrong) and wrong[0].column in fault.columns
    return f"{blocked / total:.0%} ({named / total:.0%})"


def faults() -> Iterator[Fault]:
    for name in ("distance", "dep_delay", "air_time", "arr_time", "tailnum"):
        yield Fault(f"{name} is null (a burst)", (name,), filling(name, None))
    for name in ("distance", "dep_delay", "air_time"):
        yield Fault(f"{name} x 1000 (another unit)", (name,), scaling(name, 1000))
    for name, value in (("distance", -1), ("dep_delay", 0), ("air_time", 0), ("arr_delay", 9999)):
        yield Fault(f"{name} = {value} (a default floods)", (name,), filling(name, value))
    for name, value in (("carrier", "UA"), ("dest", "XXX")):
        yield Fault(f"{name} = {value} (a default floods)", (name,), filling(name, value))
    yield Fault("time_hour + 5 h (local time as UTC)", ("time_hour",), later_by(5))
    yield Fault("time_hour - 4 h (another zone)", ("time_hour",), later_by(-4))
    for hours in (1, -1):
        yield Fault(f"time_hour {hours:+d} h (summer time)", ("time_hour",), later_by(hours))
    for name in ("distance", "origin"):
        yield Fault(f"{name} is renamed", (name,), renamed(name), whole=True)
    for pair in (
        ("distance", "air_time"),
        ("dep_delay", "arr_delay"),
        ("dep_time", "arr_time"),
        ("sched_dep_time", "dep_time"),
        ("sched_arr_time", "arr_time"),
        ("hour", "minute"),
        ("month", "day"),
        ("flight", "distance"),
        ("origin", "dest"),
    ):
        yield Fault(f"{pair[0]} and {pair[1]} are swapped", pair, swapped(*pair), whole=True)


def filling(name: str, value: object) -> Callable[[pa.Table, np.ndarray], pa.Table]:
    def spoil(table: pa.Table, chosen: np.ndarray) -> pa.Table:
        column = table[name]
        return put(table, name, pc.if_else(pa.array(chosen), pa.scalar(value, column.type), column))

    return spoil


def scaling(name: str, factor: int) -> Callable[[pa.Table, np.ndarray], pa.Table]:
    def spoil(table: pa.Table, chosen: np.ndarray) -> pa.Table:
        larger = pc.multiply(table[name], factor)
        return put(table, name, pc.if_else(pa.array(chosen), larger, table[name]))

    return spoil


def later_by(hours: int) -> Callable[[pa.Table, np.ndarray], pa.Table]:
    def spoil(table: pa.Table, chosen: np.ndarray) -> pa.Table:
        column = table["time_hour"]
        moved = pc.add(column, pa.scalar(dt.timedelta(hours=hours), pa.duration("us")))
        return put(table, "time_hour", pc.if_else(pa.array(chosen), moved, column))

    return spoil


def renamed(name: str) -> Callable[[pa.Table, np.ndarray], pa.Table]:
    def spoil(table: pa.Table, _: np.ndarray) -> pa.Table:
        return table.rename_columns(
            [f"{each}_" if each == name else each for each in table.column_names]
        )

    return spoil


def swapped(first: str, second: str) -> Callable[[pa.Table, np.ndarray], pa.Table]:
    def spoil(table: pa.Table, _: np.ndarray) -> pa.Table:
        return put(put(table, first, table[second]), second, table[first])

    return spoil


def put(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def by_day(table: pa.Table) -> Iterator[tuple[dt.date, pa.Table]]:
    months, numbers = table["month"].to_numpy(), table["day"].to_numpy()
    for month in range(1, 13):
        for number in range(1, 32):
            rows = np.flatnonzero((months == month) & (numbers == number))
            if len(rows):
                yield dt.date(2013, month, number), table.take(rows)


def exchangeable(table: pa.Table, seed: int = 7) -> Iterator[tuple[dt.date, pa.Table]]:
    """Yield days of as many rows as they had, the rows of each month permuted among its days."""
    random = np.random.default_rng(seed)
    months, numbers = table["month"].to_numpy(), table["day"].to_numpy()
    for month in range(1, 13):
        rows = random.permutation(np.flatnonzero(months == month))
        start = 0
        for number in range(1, 32):
            count = int(np.count_nonzero((months == month) & (numbers == number)))
            if count:
                chosen = np.sort(rows[start : start + count])
                yield dt.date(2013, month, number), table.take(chosen)
                start += count


if __name__ == "__main__":
    main()
