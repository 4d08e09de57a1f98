"""A table of 500,000 rows scored by a deployment of one LightGBM model, beside the bare model.

The bare model is the same library's: the Parquet file read into a matrix, one call of
`Booster.predict`, a Parquet file of the scores. tondo reads in pieces, computes the features by
the engine, scores, and commits a dataset whose rows say which version answered. Told in rows a
second of CPU, of all threads: what else the machine does is no part of it.

Run: python -m benchmarks batch_scoring
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from serving.forest import COLUMNS, make_forest
from table import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.workspace.facade import Workspace

ROWS, ROUNDS = 500_000, 3
NAME = "forest"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_forest(folder)
        table = make_table(folder / "table.parquet")
        measured: dict[str, list[float]] = {}
        with open_project(folder) as workspace:
            ways = {
                "bare: read, Booster.predict, write": lambda: bare(folder),
                "tondo batch run": lambda: scored(workspace, table),
                "tondo batch run, input joined": lambda: scored(workspace, table, join_input=True),
            }
            for _ in range(ROUNDS):
                for way, run in ways.items():
                    measured.setdefault(way, []).append(cpu_seconds(run))
        peaks = {rows: peak_mb(folder, rows) for rows in (ROWS, 4 * ROWS)}
    floor = statistics.median(measured["bare: read, Booster.predict, write"])
    rows = []
    for way, seconds in measured.items():
        median = statistics.median(seconds)
        rows.append([way, f"{ROWS / median:,.0f}", f"{median:.2f}", f"{floor / median:.2f}"])
    tell([f"{ROWS:,} rows, 30 features, 200 trees", "rows/s of CPU", "CPU, s", "to bare"], rows)
    print()
    tell(
        ["peak memory of a run in a process of its own", "MB"],
        [[f"{rows:,} rows", f"{peak:,.0f}"] for rows, peak in peaks.items()],
    )


def make_table(path: Path, rows: int = ROWS) -> Path:
    matrix = np.random.default_rng(2).normal(size=(len(COLUMNS), rows))
    columns = dict(zip(COLUMNS, map(pa.array, matrix), strict=True))
    parquet.write_table(pa.table(columns), path, row_group_size=100_000)
    return path


def open_project(folder: Path) -> Workspace:
    """Open a workspace in which the forest is live."""
    from tondo.scoring.package import open_package, seal
    from tondo.stages.deployment.deploy import deploy
    from tondo.stages.evaluation.gate import Verdict
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import open_workspace

    workspace = open_workspace(folder)
    parts = workspace.parts
    contents = open_package((folder / "forest.tondo").read_bytes())
    version = ModelVersion(
        id=parts.ledger.new_id(),
        name=contents.name,
        number=1,
        package=parts.blobs.put(seal(contents, key=parts.key)),
        run="made by hand",
        report=None,
        verdict=Verdict(passed=True, checks=[], report=""),
        owner="bench",
        registered_at_us=0,
        by="bench",
    )
    parts.ledger.put("model_version", version.id, version)
    parts.ledger.move(f"model/{NAME}", version.id, expect=None, by="bench", why="made by hand")
    deploy(NAME, version, ledger=parts.ledger, clock=parts.clock, by="bench", why="measured")
    workspace.deployment.publish()
    return workspace


def bare(folder: Path) -> None:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
    table = parquet.read_table(folder / "table.parquet")
    matrix = np.column_stack([table.column(name).to_numpy() for name in COLUMNS])
    scores = booster.predict(matrix)
    parquet.write_table(pa.table({"score": scores}), folder / "bare.parquet")


def scored(workspace: Workspace, table: Path, **options: Any) -> None:
    out = "_".join(["out", *options])
    workspace.scoring.run(NAME, file=str(table), out=out, **options)


def cpu_seconds(run: Callable[[], None]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def peak_mb(folder: Path, rows: int) -> float:
    """Return the peak memory of a process that scores a table of so many rows."""
    path = make_table(folder / f"{rows}.parquet", rows)
    code = f"from batch_scoring import alone; alone({str(folder)!r}, {str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    path.unlink()
    return float(done.stdout)


def alone(folder: str, table: str) -> None:
    from tondo.workspace.bootstrap import open_workspace

    with open_workspace(folder) as workspace:
        scored(workspace, Path(table), batch="alone")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
