"""The cost of a durable step, beside one bare SQLite transaction of the same size.

Run: python benchmarks/step_overhead.py [--steps 300] [--folder DIR]

Each round takes one step and one bare transaction in turn, on the same disk, so that both meet
the same weather. The bare one inserts a row of the step's size and commits with
synchronous=FULL in WAL mode. Printed: medians in milliseconds, and their ratio.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from table import tell
from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.flow.executions import Executions
from tondo.ledger import Ledger

RESULT = {"rows": 336_776, "snapshot": "a" * 64, "statistics": "b" * 64}
NAMES = {
    "bare": "one bare SQLite transaction",
    "step": "a durable step",
    "reused": "a step whose result is remembered",
}
# What a step writes in all: its parts, its result, its key and the row around them.
ROW_BYTES = 700


def bare(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE steps (id INTEGER PRIMARY KEY, body TEXT)")
    return connection


def commit(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO steps VALUES (?, ?)", (number, "x" * ROW_BYTES))
    connection.execute("COMMIT")


def timed(call) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def work(**_progress: object) -> dict[str, object]:
    return RESULT


def measure(folder: Path, steps: int) -> dict[str, list[float]]:
    clock = SystemClock()
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}", clock=clock)
    executions = Executions(ledger, MemoryBlobs(), clock)
    floor = bare(folder)
    taken: dict[str, list[float]] = {"step": [], "bare": [], "reused": []}
    with executions.run("first") as execution:
        for number in range(steps):
            inputs = {"source": f"{number:064x}"}
            taken["bare"].append(timed(partial(commit, floor, number)))
            taken["step"].append(timed(partial(execution.step, "s", work, inputs=inputs)))
    with executions.run("second") as execution:
        for number in range(steps):
            inputs = {"source": f"{number:064x}"}
            taken["reused"].append(timed(partial(execution.step, "s", work, inputs=inputs)))
    ledger.close()
    floor.close()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        taken = measure(Path(folder), options.steps)
    floor = statistics.median(taken["bare"])
    rows = []
    for name, about in NAMES.items():
        tenths = statistics.quantiles(taken[name], n=10)
        middle = statistics.median(taken[name])
        spread = f"{tenths[0]:.2f} to {tenths[-1]:.2f}"
        rows.append([about, f"{middle:.3f}", spread, f"{middle / floor:.2f}"])
    tell(["what", "median, ms", "10 % to 90 %", "to bare"], rows)


if __name__ == "__main__":
    main()
