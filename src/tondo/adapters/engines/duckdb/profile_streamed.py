"""Numbers and times that do not fit in memory: sorted runs on disk, read back as one.

The figures, to the last bit, are those of `profile_numbers.describe`.
"""

# ruff: noqa: S608 - composed SQL holds names of our own and expressions quoted before

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.profile_numbers import BLOCK, moments, most_frequent, runs
from tondo.adapters.engines.figures import edges_of, equal_width, places, plain, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.adapters.engines.duckdb.profile import Extent

_BATCH_ROWS = 16 * BLOCK
_PIECE = BLOCK // 4
"""Values of one run that are in memory while runs are merged."""


def describe(
    connection: Any, source: str, value: str, *, is_double: bool, extent: Extent
) -> dict[str, Any]:
    """Return the entries of the values of the SQL expression `value` over `source`."""
    (spill,) = connection.execute("SELECT current_setting('temp_directory')").fetchall()[0]
    Path(spill).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="runs-", dir=spill) as folder:
        kept = _SortedRuns(Path(folder), np.float64 if is_double else np.int64)
        reader = connection.sql(f"SELECT {value} AS v FROM {source}").to_arrow_reader(_BATCH_ROWS)
        kept.write(reader, extent.sorted_bytes // np.dtype(kept.kind).itemsize)
        return _described(kept, is_double=is_double, top=extent.top, buckets=extent.buckets)


class _SortedRuns:
    """The finite values of a column in sorted files; what is not finite is counted only."""

    def __init__(self, folder: Path, kind: type) -> None:
        self._folder = folder
        self.kind = kind
        self._paths: list[Path] = []
        self.rows = self.missing = self.nan = self.below = self.above = self.count = 0
        self.low: Any = None
        self.high: Any = None

    def write(self, reader: Any, most: int) -> None:
        """Sort the values of record batches in runs of `most` and write them down."""
        run: np.ndarray = np.empty(max(most, BLOCK), self.kind)
        filled = 0
        for batch in reader:
            values = batch.column(0).drop_null().to_numpy(zero_copy_only=False)
            self.rows += batch.num_rows
            self.missing += batch.num_rows - len(values)
            while len(values):
                part = values[: len(run) - filled]
                run[filled : filled + len(part)] = part
                filled, values = filled + len(part), values[len(part) :]
                if filled == len(run):
                    self._keep(run)
                    filled = 0
        self._keep(run[:filled])

    def _keep(self, values: np.ndarray) -> None:
        values.sort()
        if self.kind is np.float64:
            # NaN sorts to the end.
            numbers = values[: np.searchsorted(values, np.nan)]
            start = int(np.searchsorted(numbers, -np.inf, side="right"))
            stop = int(np.searchsorted(numbers, np.inf, side="left"))
            self.nan += len(values) - len(numbers)
            self.below += start
            self.above += len(numbers) - stop
            values = numbers[start:stop]
        if len(values) == 0:
            return
        low, high = values[0].item(), values[-1].item()
        self.low = low if self.low is None else min(low, self.low)
        self.high = high if self.high is None else max(high, self.high)
        self.count += len(values)
        self._paths.append(self._folder / str(len(self._paths)))
        values.tofile(self._paths[-1])

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all in order, in the very blocks that a column in memory is cut into."""
        left: np.ndarray = np.empty(0, self.kind)
        for stretch in self._merged():
            values = np.concatenate((left, stretch)) if len(left) else stretch
            whole = len(values) // BLOCK * BLOCK
            for start in range(0, whole, BLOCK):
                yield values[start : start + BLOCK]
            left = values[whole:]
        if len(left):
            yield left

    def _merged(self) -> Iterator[np.ndarray]:
        """Yield sorted stretches: of each run's next piece, what no run can still undercut."""
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(path.open("rb")) for path in self._paths]
            pieces: list[np.ndarray] = [np.fromfile(file, self.kind, _PIECE) for file in files]
            while any(map(len, pieces)):
                # A piece that is not full was its run's last.
                ends = [piece[-1] for piece in pieces if len(piece) == _PIECE]
                bound = min(ends) if ends else self.high
                cuts = [int(np.searchsorted(piece, bound, side="right")) for piece in pieces]
                taken = [piece[:cut] for piece, cut in zip(pieces, cuts, strict=True)]
                for at, cut in enumerate(cuts):
                    if cut:
                        wanted = cut if len(pieces[at]) == _PIECE else 0
                        more: np.ndarray = np.fromfile(files[at], self.kind, wanted)
                        pieces[at] = np.concatenate((pieces[at][cut:], more))
                yield np.sort(np.concatenate(taken))


class _Watch:
    """What is seen while the ordered values pass by once."""

    def __init__(self, wanted: dict[int, int], edges: np.ndarray, top: int) -> None:
        self._top = top
        self._edges = edges
        self._places = np.array(sorted(set(wanted.values())), np.int64)
        self._passed = 0
        self.at: dict[int, float | int] = {}
        self.inner = np.zeros(len(edges) - 2, np.int64)
        self.zeros = 0
        self.distinct = 0
        self._values: np.ndarray = np.empty(0)
        self._counts = np.empty(0, np.int64)

    def of(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass blocks on, and look at them."""
        for block in blocks:
            first, last = np.searchsorted(self._places, [self._passed, self._passed + len(block)])
            for place in self._places[first:last].tolist():
                self.at[place] = block[place - self._passed].item()
            self._passed += len(block)
            self.inner += np.searchsorted(block, self._edges[1:-1], side="left")
            self.zeros += int(np.count_nonzero(block == 0))
            self._count(block)
            yield block

    def _count(self, block: np.ndarray) -> None:
        """Keep the most frequent values, in order, and always the last, which may go on."""
        starts, counts = runs(block)
        values = block[starts]
        self.distinct += len(values)
        if len(self._values):
            if self._values[-1] == values[0]:
                self.distinct -= 1
                counts[0] += self._counts[-1]
                self._values, self._counts = self._values[:-1], self._counts[:-1]
            values = np.concatenate((self._values, values))
            counts = np.concatenate((self._counts, counts))
        chosen = np.sort(most_frequent(counts, self._top))
        if len(chosen) == 0 or chosen[-1] != len(counts) - 1:
            chosen = np.append(chosen, len(counts) - 1)
        self._values, self._counts = values[chosen], counts[chosen]

    def top(self, below: int, above: int) -> list[list[Any]]:
        """Return the most frequent values, so many infinities among them."""
        pairs = [(-np.inf, below)] if below else []
        pairs += zip(self._values.tolist(), self._counts.tolist(), strict=True)
        pairs += [(np.inf, above)] if above else []
        ranked = sorted(pairs, key=lambda pair: -pair[1])[: self._top]
        return [[plain(value), count] for value, count in ranked]


def _described(kept: _SortedRuns, *, is_double: bool, top: int, buckets: int) -> dict[str, Any]:
    low, high = kept.low, kept.high
    wanted = places(kept.count) if kept.count else {}
    edges = np.empty(2)
    if low is not None and high is not None:
        edges = edges_of(float(low), float(high), buckets)
    watch = _Watch(wanted, edges, top)
    moment: dict[str, Any] = {"mean": None, "sd": None}
    if is_double and low is not None and high is not None:
        passes = iter((watch.of(kept.blocks()), kept.blocks()))
        moment = moments(lambda: next(passes), kept.count, (low, high))
    else:
        for _ in watch.of(kept.blocks()):
            pass
    at = {percent: watch.at[place] for percent, place in wanted.items()}
    histogram = equal_width(edges, watch.inner, kept.count) if kept.count else []
    return {
        "rows": kept.rows,
        "missing": kept.missing,
        "nan": kept.nan,
        "infinite": kept.below + kept.above,
        "distinct": watch.distinct + bool(kept.below) + bool(kept.above),
        "top": watch.top(kept.below, kept.above),
        **spread(at, kept.count, low, high, histogram=histogram),
        **({"zeros": watch.zeros, **moment} if is_double else {}),
    }
