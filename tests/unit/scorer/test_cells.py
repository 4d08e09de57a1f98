"""Counters in a file: what one process counts, another reads, also when the first was killed."""

import resource
import subprocess
import sys
import textwrap

from tondo.faces.scorer.cells import Cells, cells_in


def test_what_is_counted_is_read_from_the_file_at_once(tmp_path):
    cells = Cells(tmp_path / "counts")
    block = cells.block(("variant", "late", "rows", "\N{SNOWMAN}"), 3)
    block[2] += 5
    assert dict(cells_in(tmp_path / "counts")) == {
        ("variant", "late", "rows", "\N{SNOWMAN}"): [0, 0, 5]
    }


def test_a_name_has_one_block():
    cells = Cells()
    cells.block(("a",), 2)[0] += 1
    cells.block(("a",), 2)[1] += 2
    assert dict(cells.read()) == {("a",): [1, 2]}


def test_a_file_grows_by_chunks_and_keeps_what_was_there(tmp_path):
    cells = Cells(tmp_path / "counts")
    names = [("variant", f"deployment-{number}", "rows", "live") for number in range(2_000)]
    for number, name in enumerate(names):
        cells.block(name, 14)[13] += number
    assert (tmp_path / "counts").stat().st_size > 4 * 65_536
    found = dict(cells_in(tmp_path / "counts"))
    assert [found[name][13] for name in names] == list(range(2_000))
    assert found == dict(cells.read())


def test_an_empty_file_has_no_counters(tmp_path):
    Cells(tmp_path / "counts")
    assert list(cells_in(tmp_path / "counts")) == []


def test_what_a_killed_process_counted_last_is_there(tmp_path):
    program = """
        import os, pathlib, signal, sys
        from tondo.faces.scorer.cells import Cells
        block = Cells(pathlib.Path(sys.argv[1])).block(("n",), 1)
        for _ in range(1234):
            block[0] += 1
        os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "counts"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program), path], check=False)
    assert done.returncode == -9
    assert dict(cells_in(path)) == {("n",): [1234]}


def test_a_full_disk_ends_no_request(tmp_path, caplog):
    cells = Cells(tmp_path / "counts")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        cells.block(("n",), 1)[0] += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert dict(cells.read()) == {("n",): [1]}
    assert list(cells_in(tmp_path / "counts")) == []
    assert "for this process only" in caplog.text
