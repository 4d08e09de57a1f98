"""Builds a training set of wide rows in a process of its own.

`make FOLDER ROWS` writes spine and views; `build FOLDER STATE MEMORY_MB LIMIT_MB` joins them, the
engine limited to MEMORY_MB and the process to LIMIT_MB of data (0: neither), and prints the id,
the peak memory in MB and how many MB the joined rows take.
"""

import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rides import Rides, join, peak_mb, write
from tondo.stages.features.spine_pieces import PIECE_BYTES

VALUES = [f"f{place}" for place in range(20)]
FEATURES = {
    "cars": {name: name for name in VALUES},
    "trips": {name: name for name in VALUES},
    "weeks": {name: f"avg({name}) over 7d" for name in VALUES[:4]},
}


def rides(rows):
    return Rides(rows=rows, view_rows=50_000, drivers=5_000, features=FEATURES, values=len(VALUES))


def main():
    folder, *rest = map(str, sys.argv[2:])
    if sys.argv[1] == "make":
        write(rides(int(rest[0])), Path(folder))
        return
    state, memory_mb, limit_mb = Path(rest[0]), int(rest[1]), int(rest[2])
    if limit_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_mb << 20, limit_mb << 20))
    made = join(
        rides(0),
        Path(folder),
        state,
        memory_mb=memory_mb,
        piece_bytes=memory_mb << 18 or PIECE_BYTES,
    )
    width = 8 * len(made.columns)
    print(made.id, peak_mb(), made.rows * width >> 20)


if __name__ == "__main__":
    # Threads' own heaps are reserved, not used; the limit would count them.
    if "MALLOC_ARENA_MAX" not in os.environ:
        settings = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **settings})
    main()
