"""Point-in-time join and materialisation beside Feast, each run in a process of its own.

    python -m benchmarks.feature_store [--peers] [--rounds N]

Feast is measured where its environment is there; `--peers` makes it, under the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from benchmarks.feature_store import data
from benchmarks.serving import environments
from benchmarks.table import tell
from pyarrow import parquet

HERE = Path(__file__).parent
JOBS = [("join", "duckdb"), ("join", "dask"), ("materialise", "duckdb")]
TITLES = {
    ("join", "duckdb"): "join, Feast's DuckDB store",
    ("join", "dask"): "join, Feast's default store (Dask)",
    ("materialise", "duckdb"): "materialise 1M rows, 20k keys; Feast into SQLite",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="make Feast's environment")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if environments.python_of("feast") is None and not (
        options.peers and environments.make("feast")
    ):
        print("Feast is not there: python -m benchmarks.feature_store --peers", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data.write(folder)
        rows = [_compared(folder, *job, rounds=options.rounds) for job in JOBS]
    version = environments.version_of("feast")
    head = ["what", "tondo, s", f"Feast {version}, s", "ratio", "tondo, MB", "Feast, MB"]
    tell([*head, "Feast loses", "differ"], rows)
    return 0


def _compared(folder: Path, job: str, store: str, *, rounds: int) -> list[str]:
    """Run both sides in turn; return the row of medians."""
    peer = [str(environments.python_of("feast")), str(HERE / "peer.py"), str(folder), job, store]
    us = [sys.executable, "-m", "benchmarks.feature_store.ours", str(folder), job]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_told(us))
        theirs.append(_told(peer))
    (we, our_mb), (they, their_mb) = map(_medians, (ours, theirs))
    lost, differ = _faults(folder, store) if job == "join" else ("", "")
    return [
        TITLES[job, store],
        f"{we:.2f}",
        f"{they:.2f}",
        f"{they / we:.1f}",
        f"{our_mb:.0f}",
        f"{their_mb:.0f}",
        lost,
        differ,
    ]


def _told(command: list[str]) -> dict[str, float]:
    root = str(HERE.parents[1])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "FEAST_USAGE": "False"},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _medians(runs: list[dict[str, float]]) -> tuple[float, float]:
    seconds, peak = (statistics.median(each[name] for each in runs) for name in runs[0])
    return seconds, peak


def _faults(folder: Path, store: str) -> tuple[str, str]:
    """Return how many spine rows Feast lost, and in how many of the others it differs from us."""
    names = ["ride", *(f"{view}__{name}" for view in data.VIEWS for name in data.FEATURES)]
    ours, theirs = (
        parquet.read_table(folder / f"{each}.parquet", columns=names).sort_by("ride")
        for each in ("tondo", store)
    )
    there = pa.table({"ride": theirs["ride"]})
    kept = there.join(ours, "ride").sort_by("ride").select(names)
    rows = zip(kept.to_pylist(), theirs.to_pylist(), strict=True)
    differ = sum(one != _without_nan(other) for one, other in rows)
    return f"{data.SPINE_ROWS - theirs.num_rows:,}", f"{differ:,}"


def _without_nan(row: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value != value else value for name, value in row.items()}


if __name__ == "__main__":
    sys.exit(main())
