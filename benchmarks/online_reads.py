"""Reads of view features beside a bare LMDB read of the same bytes, in one process.

Run: python benchmarks/online_reads.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from table import tell
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.language.tree import Column, WindowCall
from tondo.scoring.layout import EventSlot, ViewLayout
from tondo.scoring.online import event_key, lookup_key, lookup_range, pack_event, pack_lookup
from tondo.scoring.reader import FeatureReader

HOUR_US = 3_600_000_000
DELAY = Column("delay", "double")
WEATHER = ViewLayout(
    view="weather",
    version="00000001",
    kind="lookup",
    entity="origin",
    key="origin",
    key_type="string",
    features=dict.fromkeys("abcde", "double"),
    freshness_us=HOUR_US,
)
DELAYS = ViewLayout(
    view="delays",
    version="00000002",
    kind="window",
    entity="origin",
    key="origin",
    key_type="string",
    features={"mean": "double", "landed": "double", "spread": "double"},
    windows={
        "mean": WindowCall("avg", DELAY, 3 * HOUR_US),
        "landed": WindowCall("count", None, 3 * HOUR_US),
        "spread": WindowCall("stddev", DELAY, 3 * HOUR_US),
    },
    slots={"s0": EventSlot(kind="sum", type="double")},
    slot_of={"mean": "s0", "spread": "s0"},
    freshness_us=HOUR_US,
)
NOW_US = 24 * HOUR_US


def fill(store: LmdbStore) -> None:
    origins = ["EWR", "JFK", "LGA"]
    values = dict(zip("abcde", (1.5, None, 3.25, 4.0, 5.0), strict=True))
    store.put_many(
        (lookup_key(WEATHER, origin, hour * HOUR_US), pack_lookup(WEATHER, hour * HOUR_US, values))
        for origin in origins
        for hour in range(24)
    )
    store.put_many(
        (
            event_key(DELAYS, origin, minute * HOUR_US // 20, str(minute)),
            pack_event(DELAYS, {"s0": (minute % 37 - 9) << 20}),
        )
        for origin in origins
        for minute in range(480)
    )  # one event in three minutes: 60 in three hours


def median_us(call, repeats: int = 2000, rounds: int = 9) -> float:
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(repeats):
            call()
        times.append((time.perf_counter() - began) / repeats * 1e6)
    return statistics.median(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LmdbStore(Path(folder) / "online")
        fill(store)
        reader = FeatureReader(store, {"weather": WEATHER, "delays": DELAYS})
        five = [(f"@weather.{name}[origin]", "weather", name, "origin") for name in "abcde"]
        window = [(f"@delays.{n}[origin]", "delays", n, "origin") for n in ("mean", "landed")]
        spread = [("@delays.spread[origin]", "delays", "spread", "origin")]
        start, stop = lookup_range(WEATHER, "JFK", NOW_US)
        first = store.scan(start, stop)[0][0]
        stem = event_key(DELAYS, "JFK", 0, "")[:-16]
        from tondo.scoring.keys import oldest_first

        events = (stem + oldest_first(NOW_US - 3 * HOUR_US), stem + oldest_first(NOW_US), 0)
        assert 55 <= len(store.scan(*events[:2])) <= 65

        def fetch(plan):
            return lambda: reader.fetch([{"origin": "JFK"}], plan, NOW_US)

        get = median_us(lambda: store.get_many([first]))
        scan = median_us(lambda: store.scan_many([events]))
        measured = [
            ("1 lookup view, 5 features", fetch(reader.plan(five)), get),
            ("1 window view, avg and count over 60 events", fetch(reader.plan(window)), scan),
            ("the same with stddev", fetch(reader.plan(window + spread)), scan),
            ("both views in one request", fetch(reader.plan(five + window)), get + scan),
        ]
        rows = []
        for name, call, floor in measured:
            micros = median_us(call)
            rows.append([name, f"{micros:.2f}", f"{floor:.2f}", f"{micros / floor:.2f}"])
        tell(["what", "tondo, us", "bare LMDB read, us", "ratio"], rows)
        store.close()


if __name__ == "__main__":
    main()
