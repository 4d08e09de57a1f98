"""Exact statistics of T20 (1,000,000 rows x 20 columns), beside Polars, DuckDB and TFDV.

T20 is the table of TFDV's figures: floats of 4 decimals, about 140 MB as CSV. Polars does the
floor: counts, missing, mean, sd, zeros, least, median, greatest, 11 quantiles, 10 buckets of equal
width, exact distinct counts, top 20 values, mean length of texts; not the deciles' buckets, text
measures and 1,000 labels that ours has besides. DuckDB's SUMMARIZE does less: its quantiles and
distinct counts are approximate, and it has no histogram, top values, zeros or lengths. All are read
and computed in the same run. Then 100 slices by value, whose cost is told in passes of the
statistics, and every pair of columns, beside DuckDB's own corr and covar_pop of the same pairs.

Run: python benchmarks/statistics_t20.py
"""

from __future__ import annotations

import importlib.util
import resource
import statistics as plain
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ports.engine import FileTable
from tondo.stages.data.cross import crosses
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.data.slices import slice_statistics
from tondo.stages.data.sources import read_source
from tondo.stages.data.statistics import Statistics, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

ROWS = 1_000_000
ROUNDS = 5
THREADS = 2
DECIMALS = 4
SLICES = "int1"
"""A column of 100 values."""
TEXT_SIZES = (2, 20, 500, 10_000, 100_000)
DECILES = [each / 10 for each in range(11)]
TFDV_CSV, TFDV_MEMORY = 87.3, 3.2
"""Seconds and, below, MB of TFDV 1.16.1 of such a table, measured once on 2 such cores:
generate_statistics_from_csv, and generate_statistics_from_dataframe of a frame in memory
already. They are not measured here: it installs on few Pythons."""
TFDV_CSV_MB, TFDV_MEMORY_MB = 1892, 1530
Times = list[tuple[float, float]]


def t20(seed: int = 20, *, decimals: int | None = DECIMALS) -> pa.Table:
    """8 floats, 4 integers, 5 texts of 2 to 100,000 values, an id, a time, a label."""
    random = np.random.default_rng(seed)
    floats = {f"float{at}": random.normal(size=ROWS) for at in range(8)}
    if decimals is not None:
        floats = {name: np.round(values, decimals) for name, values in floats.items()}
    integers = {f"int{at}": random.integers(0, 10 ** (at + 1), ROWS) for at in range(4)}
    texts = {}
    for size in TEXT_SIZES:
        words = pa.array([f"v{value}" for value in range(size)])
        texts[f"text{size}"] = words.take(pa.array(random.integers(0, size, ROWS)))
    rest = {
        "id": random.permutation(ROWS) * 1_000_003,
        "time": pa.array(
            1_356_998_400_000_000 + random.integers(0, 10**13, ROWS),
            pa.timestamp("us", tz="UTC"),
        ),
        "label": random.random(ROWS) < 0.2,
    }
    return pa.table({**floats, **integers, **texts, **rest})


def t20_files(paths: Sequence[Path]) -> FileTable:
    """Return Parquet files of T20 as the engine takes them."""
    numbers = [f"float{at}" for at in range(8)] + [f"int{at}" for at in range(4)]
    columns = dict.fromkeys(numbers, "double")
    columns |= dict.fromkeys((f"text{size}" for size in TEXT_SIZES), "string")
    columns |= {"id": "id", "time": "timestamp", "label": "bool"}
    return FileTable(paths=tuple(paths), columns=columns)


def of_csv(path: Path, engine: DuckDBEngine) -> Statistics:
    """Read a CSV as a source, all types found from its text, and profile it."""
    source = SourceDefinition(name="t20", path=str(path), zone="UTC", columns={"id": "id"})
    return statistics(read_source(source, base=path.parent), engine=engine)


def polars_of(path: Path) -> Callable[[], object] | None:
    """Return the floor in Polars; nothing where it is not installed."""
    if importlib.util.find_spec("polars") is None:
        return None
    import polars as pl

    def floor() -> object:
        read = pl.read_parquet if path.suffix == ".parquet" else pl.read_csv
        table = read(path)
        asked = [ask for name, kind in table.schema.items() for ask in _asked(pl.col(name), kind)]
        figures = table.lazy().select(asked).collect().row(0)
        top = [each.value_counts(sort=True).head(20) for each in table.get_columns()]
        buckets = [_buckets(each) for each in table.get_columns() if each.dtype.is_numeric()]
        return figures, top, buckets

    return floor


def _asked(column: pl.Expr, kind: pl.DataType) -> list[pl.Expr]:
    """Return what is asked of each column in one go."""
    name = column.meta.output_name()
    asked = {"count": column.count(), "missing": column.null_count(), "unique": column.n_unique()}
    if kind.is_numeric():
        asked |= {"mean": column.mean(), "sd": column.std(ddof=0), "zeros": (column == 0).sum()}
        asked |= {f"q{share}": column.quantile(share) for share in DECILES}
    if kind.is_numeric() or kind.is_temporal():
        asked |= {"min": column.min(), "median": column.median(), "max": column.max()}
    if str(kind) == "String":
        asked |= {"length": column.str.len_chars().mean()}
    return [each.alias(f"{name} {what}") for what, each in asked.items()]


def _buckets(values: pl.Series) -> object:
    return values.hist(bin_count=10, include_category=False)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def all_pairs(connection: Any, path: Path, numeric: list[str]) -> object:
    asked = [f"corr({a}, {b}), covar_pop({a}, {b})" for a, b in combinations(numeric, 2)]
    return connection.execute(f"SELECT {', '.join(asked)} FROM '{path}'").fetchall()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, text = Path(folder) / "t20.parquet", Path(folder) / "t20.csv"
        table = t20()
        pq.write_table(table, path, compression="zstd", row_group_size=131_072)
        csv.write_csv(table, text, csv.WriteOptions(quoting_style="none"))
        sizes = {each.suffix[1:]: each.stat().st_size / 1e6 for each in (path, text)}
        del table
        engine = DuckDBEngine(threads=THREADS)
        floor = duckdb.connect(config={"threads": THREADS})
        files = t20_files([path])
        check_same(statistics(files, engine=engine), of_csv(text, engine))
        numeric = [name for name, type_ in files.columns.items() if type_ == "double"]
        work: dict[str, Callable[[], object] | None] = {
            "tondo": lambda: statistics(files, engine=engine),
            "tondo, CSV": lambda: of_csv(text, engine),
            "slices": lambda: slice_statistics(files, by=[SLICES], engine=engine),
            "crosses": lambda: crosses(files, engine=engine, label="label"),
        }
        times, peak = rounds(work)
        peers = {
            "SUMMARIZE": lambda: floor.execute(f"SUMMARIZE FROM '{path}'").fetchall(),
            "SUMMARIZE, CSV": lambda: floor.execute(f"SUMMARIZE FROM '{text}'").fetchall(),
            "Polars": polars_of(path),
            "Polars, CSV": polars_of(text),
            "pairs": lambda: all_pairs(floor, path, numeric),
        }
        times |= rounds(peers)[0]
    told(times, peak, sizes)


def check_same(of_parquet: Statistics, of_text: Statistics) -> None:
    """Refuse to time two things that differ."""
    if of_parquet.id != of_text.id:
        message = "the statistics from CSV are not those from Parquet"
        raise SystemExit(message)


def rounds(work: dict[str, Callable[[], object] | None]) -> tuple[dict[str, Times], float]:
    """Do each piece of work in turn, some rounds; return times and the peak of memory in MB."""
    times: dict[str, Times] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, each in work.items():
            if each is not None:
                times[name].append(timed(each))
    return times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(times: dict[str, Times], peak: float, sizes: dict[str, float]) -> None:
    def median(name: str, place: int) -> float:
        return plain.median(each[place] for each in times[name]) if times[name] else float("nan")

    asked = {
        f"statistics, Parquet of {sizes['parquet']:.0f} MB, beside Polars": ("tondo", "Polars"),
        "the same, beside SUMMARIZE": ("tondo", "SUMMARIZE"),
        f"statistics, CSV of {sizes['csv']:.0f} MB, beside Polars": ("tondo, CSV", "Polars, CSV"),
        "the same CSV, beside SUMMARIZE": ("tondo, CSV", "SUMMARIZE, CSV"),
        "100 slices, in passes of the statistics": ("slices", "tondo"),
        "all pairs, beside corr and covar_pop": ("crosses", "pairs"),
    }
    rows = []
    for name, (ours, other) in asked.items():
        wall, processor = median(ours, 0), median(ours, 1)
        beside, ratio = median(other, 0), wall / median(other, 0)
        row = [name, f"{wall:.2f}", f"{processor:.2f}", f"{beside:.2f}"]
        row += [f"{median(other, 1):.2f}", f"{ratio:.2f}"]
        rows.append([each.replace("nan", "-") for each in row])
    rows.append(["peak memory of ours, MB", f"{peak:.0f}", "", "", "", ""])
    for name, seconds, megabytes in (
        ("CSV", TFDV_CSV, TFDV_CSV_MB),
        ("frame in memory", TFDV_MEMORY, TFDV_MEMORY_MB),
    ):
        ratio = median("tondo, CSV" if name == "CSV" else "tondo", 0) / seconds
        row = [f"TFDV 1.16.1, {name}, measured once: {megabytes:,} MB", "", "", f"{seconds:.1f}"]
        rows.append([*row, "", f"{ratio:.2f}"])
    head = ["1,000,000 rows x 20 columns", "wall, s", "processor, s"]
    tell([*head, "beside, wall, s", "processor, s", "ratio"], rows)


if __name__ == "__main__":
    main()
