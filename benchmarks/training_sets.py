"""Training sets of 5M rows and three views of 1M rows x 5 features: time and peak memory.

Each in a process of its own: all rows joined at once, which is what tondo did before it cut the
spine, the default, and with limits on memory. Run: python benchmarks/training_sets.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import tell

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from rides import Rides, join, peak_mb, write
from tondo.stages.features.spine_pieces import PIECE_BYTES

VALUES = [f"f{place}" for place in range(5)]
RIDES = Rides(
    rows=5_000_000,
    view_rows=1_000_000,
    drivers=20_000,
    features={view: {value: value for value in VALUES} for view in ("v0", "v1", "v2")},
    values=len(VALUES),
)


def build(folder: Path, state: Path, memory_mb: int, piece_bytes: int) -> None:
    """Build the set once; print the seconds, the process's peak memory in MB, and the set's id."""
    began = time.perf_counter()
    made = join(RIDES, folder, state, memory_mb=memory_mb, piece_bytes=piece_bytes)
    seconds = time.perf_counter() - began
    assert made.rows == RIDES.rows
    print(seconds, peak_mb(), made.id)


def main() -> None:
    ways = [
        ("all rows at once", 0, 1 << 40),
        ("no limit set", 0, PIECE_BYTES),
        ("memory_mb: 1024", 1024, 1024 << 18),
        ("memory_mb: 512", 512, 512 << 18),
        ("memory_mb: 256", 256, 256 << 18),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(RIDES, folder)
        rows, ids = [], set()
        for way, memory_mb, piece_bytes in ways:
            with tempfile.TemporaryDirectory(dir=folder) as state:
                command = [sys.executable, __file__, name, state, str(memory_mb), str(piece_bytes)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, peak_mb, id_ = done.stdout.split()
            ids.add(id_)
            rows.append([way, f"{float(seconds):.1f}", peak_mb])
    assert len(ids) == 1
    tell([f"{RIDES.rows:,} rows x 18 columns, 687 MB", "seconds", "peak memory, MB"], rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
