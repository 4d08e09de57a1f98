"""A training set three times as large as what its process ever has in memory."""

import subprocess
import sys
from pathlib import Path

import pytest

BUILDER = Path(__file__).with_name("large_set_builder.py")
LIMIT_MB = 1000
"""Of data that the kernel lets the process have, stacks and what is only reserved counted too."""


def told(*arguments):
    done = subprocess.run(
        [sys.executable, str(BUILDER), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.long
def test_rows_beyond_memory_are_the_same_training_set(tmp_path):
    told("make", tmp_path, 6_000_000)
    id_, peak_mb, joined_mb = told("build", tmp_path, tmp_path / "small", 128, LIMIT_MB)
    assert int(joined_mb) > 2 * LIMIT_MB
    assert int(joined_mb) > 3 * int(peak_mb)
    assert told("build", tmp_path, tmp_path / "large", 0, 0)[0] == id_
    # What spilled has gone, and nothing but the rows is kept.
    assert [path for path in (tmp_path / "small").rglob("*") if path.is_file()] == [
        path for path in (tmp_path / "small" / "blobs").rglob("*") if len(path.name) == 62
    ]
