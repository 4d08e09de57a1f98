"""Bad input of data through every door: a coded error or a stated repair, never half a snapshot.

docs/reference/bad-input.md says what happens for each.
"""

import contextlib
import gzip
import io
import os
import threading
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tondo
from tondo.core.errors import TondoError
from tondo.faces.cli.start import main
from tondo.workspace.bootstrap import open_workspace

GOOD = b"a,b\n1,2\n3,4\n"


def zipped(*members, spoil=None):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    data = bytearray(file.getvalue())
    if spoil is not None:
        offset, value = spoil
        data[data.index(b"PK\x01\x02") + offset] = value
        data[data.index(b"PK\x03\x04") + offset - 2] = value
    return bytes(data)


def parquet(table, **how):
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def of_type(type_, *values):
    return parquet(pa.table({"odd": pa.array(list(values), type_)}))


def flipped(data, place):
    return data[:place] + bytes(each ^ 0xFF for each in data[place : place + 8]) + data[place + 8 :]


NUMBERS = pa.table({"x": [float(each) for each in range(4000)]})
WHOLE = parquet(NUMBERS, write_page_checksum=True, use_dictionary=False)
LATIN = "a,b\nx,2\nMüller,2\n".encode("latin-1")
ENCRYPTED = zipped(("a.csv", "a\n1\n"), spoil=(8, 1))
NO_UTF8 = of_type(pa.binary(), b"\xff\xfe")

REFUSED = {
    "UTF-16": ("f.csv", "a,b\n1,2\n".encode("utf-16"), "TD-DATA-003", "UTF-16"),
    "UTF-16 without a mark": ("f.csv", "a\n1\n".encode("utf-16-le"), "TD-DATA-003", "line 1"),
    "Latin-1": ("f.csv", LATIN, "TD-DATA-003", "line 3: the byte 0xfc"),
    "NULs": ("f.csv", b"a,b\n1,2\n\0\0\0\0", "TD-DATA-003", "line 3 holds a NUL"),
    "gzip named CSV": ("f.csv", gzip.compress(GOOD), "TD-DATA-003", "it is gzip"),
    "Parquet named CSV": ("f.csv", WHOLE, "TD-DATA-003", "it is Parquet"),
    "nothing": ("f.csv", b"", "TD-DATA-003", "it is empty"),
    "only line breaks": ("f.csv", b"\n\r\n\n", "TD-DATA-003", "it is empty"),
    "only a mark": ("f.csv", b"\xef\xbb\xbf", "TD-DATA-003", "it is empty"),
    "a row too short": ("f.csv", b"a,b\n1,2\n3\n", "TD-DATA-003", "Expected 2 columns, got 1"),
    "a row too long": ("f.csv", b"a,b\n1,2\n3,4,5\n", "TD-DATA-003", "Expected 2 columns, got 3"),
    "a blank name": ("f.csv", b"a, \n1,2\n", "TD-DATA-010", "column 2 has no name"),
    "a comma at the end": ("f.csv", b"a,b,\n1,2,\n", "TD-DATA-010", "column 3 has no name"),
    "a name twice": ("f.csv", b"a,b,a\n1,2,3\n", "TD-DATA-010", "'a' stands twice"),
    "an open quote": ("f.csv", b'a,b\n1,2\n3,"4\n5,6\n', "TD-DATA-040", "line 3"),
    "an open quote before others": (
        "f.csv",
        b'a,b\n1,"x"\n2,"y\n3,"z"\n',
        "TD-DATA-040",
        "line 3",
    ),
    "two open quotes": ("f.csv", b'a,b\n1,"x\n2,"y\n', "TD-DATA-040", "line 2"),
    "an open quote in the header": ("f.csv", b'"a,b\n1,2\n', "TD-DATA-040", "line 1"),
    "semicolons": ("f.csv", b"a;b\n1;2\n", "TD-DATA-041", "semicolons"),
    "tabs in .csv": ("f.csv", b"a\tb\n1\t2\n", "TD-DATA-041", "tabs"),
    "gzip cut short": ("f.csv.gz", gzip.compress(GOOD * 999)[:-20], "TD-DATA-003", "f.csv.gz"),
    "gzip with a tail": ("f.csv.gz", gzip.compress(GOOD) + b"tail", "TD-DATA-003", "gzip"),
    "no gzip": ("f.csv.gz", GOOD, "TD-DATA-003", "Not a gzipped file"),
    "two members": (
        "f.csv.zip",
        zipped(("a.csv", "a\n1\n"), ("b.csv", "a\n2\n")),
        "TD-DATA-003",
        "2 files: a.csv, b.csv",
    ),
    "no member": ("f.zip", zipped(), "TD-DATA-003", "0 files"),
    "an encrypted member": ("f.zip", ENCRYPTED, "TD-DATA-003", "encrypted"),
    "an unknown method": (
        "f.zip",
        zipped(("a.csv", "a\n1\n"), spoil=(10, 97)),
        "TD-DATA-003",
        "compression method",
    ),
    "an archive in an archive": (
        "f.zip",
        zipped(("a.zip", zipped(("a.csv", "a\n1\n")))),
        "TD-DATA-003",
        "a zip archive",
    ),
    "JSON of two types": ("f.jsonl", b'{"a":1}\n{"a":"x"}\n', "TD-DATA-007", "'a' mixes int, str"),
    "JSON lists without end": (
        "f.jsonl",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "TD-DATA-003",
        "line 1: it is nested too deeply",
    ),
    "JSON objects without end": (
        "f.jsonl",
        b'{"a":1}\n' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "TD-DATA-003",
        "line 2: it is nested too deeply",
    ),
    "a JSON key twice": ("f.jsonl", b'{"a":1}\n{"a":1, "a" : 2}\n', "TD-DATA-044", "line 2"),
    "NaN in JSON": ("f.jsonl", b'{"a":1}\n{"a":NaN}\n', "TD-DATA-003", "line 2"),
    "1e999 in JSON": ("f.jsonl", b'{"a":1e999}\n', "TD-DATA-003", "line 1: Number out of range"),
    "half a JSON line": ("f.jsonl", b'{"a":1}\n{"a":', "TD-DATA-003", "line 2"),
    "a JSON array": ("f.jsonl", b'[{"a":1}]\n', "TD-DATA-003", "line 1: Expected `object`"),
    "JSON in Latin-1": ("f.jsonl", b'{"a":1}\n{"a":"\xfc"}\n', "TD-DATA-003", "line 2: the byte"),
    "JSON in UTF-16": ("f.jsonl", '{"a":1}\n'.encode("utf-16"), "TD-DATA-003", "UTF-16"),
    "a nested JSON object": ("f.jsonl", b'{"a":{"b":1}}\n', "TD-DATA-007", "'a'"),
    "no JSON row": ("f.jsonl", b"\n\n", "TD-DATA-003", "there is no row"),
    "an empty Parquet file": ("f.parquet", b"", "TD-DATA-003", "0 bytes"),
    "Parquet with other magic": ("f.parquet", b"PAR2" + WHOLE[4:-4] + b"PAR2", "TD-DATA-003", ""),
    "CSV named Parquet": ("f.parquet", GOOD, "TD-DATA-003", "Parquet"),
    "a corrupt page": ("f.parquet", flipped(WHOLE, 2000), "TD-DATA-003", "f.parquet"),
    "a corrupt footer": ("f.parquet", flipped(WHOLE, len(WHOLE) - 60), "TD-DATA-003", "f.parquet"),
    "Parquet without columns": ("f.parquet", parquet(pa.table({})), "TD-DATA-003", "no column"),
    "struct": ("f.parquet", of_type(None, {"a": 1}), "TD-DATA-007", "(f.parquet): column 'odd'"),
    "map": (
        "f.parquet",
        of_type(pa.map_(pa.string(), pa.int8()), [("a", 1)]),
        "TD-DATA-007",
        "map",
    ),
    "duration": ("f.parquet", of_type(pa.duration("s"), 1), "TD-DATA-007", "duration"),
    "time of day": ("f.parquet", of_type(pa.time64("us"), 1), "TD-DATA-007", "time64"),
    "binary": ("f.parquet", of_type(pa.binary(), b"\xff"), "TD-DATA-007", "binary"),
    "lists of lists": ("f.parquet", of_type(None, [[1]]), "TD-DATA-007", "list<element: list"),
    "a number beyond 63 bits": ("f.parquet", of_type(pa.uint64(), 2**64 - 1), "TD-DATA-004", "odd"),
    "a time beyond all years": (
        "f.parquet",
        of_type(pa.timestamp("ms", tz="UTC"), 2**62),
        "TD-DATA-004",
        "out of bounds",
    ),
}
each_refused = pytest.mark.parametrize(
    ("name", "data", "code", "says"), REFUSED.values(), ids=REFUSED
)


def written(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return path


def refused(path):
    with pytest.raises(TondoError) as raised:
        tondo.statistics(path)
    return raised.value


@each_refused
def test_a_bare_file_is_refused_with_its_name_and_what_to_do(name, data, code, says, tmp_path):
    error = refused(written(tmp_path, name, data))
    assert error.code == code
    assert says in error.message
    assert name in error.message
    assert error.fix


def kept(workspace):
    """What a failed commit may not change: where the dataset stands, and every object."""
    parts = workspace.parts
    head = parts.ledger.pointer("dataset/days@main")
    return head, sorted(parts.blobs.digests()), parts.ledger.records("commit")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose source reads whatever lies beside it, with one good commit."""
    folder = tmp_path_factory.mktemp("days")
    written(folder, "good.csv", GOOD)
    source = "source: days\nowner: ana\ndescription: Days.\npath: {}\n"
    (folder / "days.yaml").write_text(f"project: days\n---\n{source.format('good.csv')}")
    with open_workspace(folder) as workspace:
        workspace.data.commit_source("days")

    def reading(path):
        (folder / "days.yaml").write_text(f"project: days\n---\n{source.format(path)}")
        return open_workspace(folder)

    return folder, reading


@each_refused
def test_a_source_is_refused_and_its_dataset_stays_as_it_was(name, data, code, says, project):
    folder, reading = project
    path = written(folder, name, data)
    with reading(name) as workspace:
        before = kept(workspace)
        with pytest.raises(TondoError) as raised:
            workspace.data.commit_source("days")
        assert (raised.value.code, kept(workspace)) == (code, before)
    path.unlink()


@pytest.mark.parametrize("case", ["Latin-1", "an open quote", "a corrupt page", "a JSON key twice"])
def test_the_command_line_says_it_in_one_coded_line(case, tmp_path, capsys, monkeypatch):
    name, data, code, says = REFUSED[case]
    written(tmp_path, name, data)
    monkeypatch.chdir(tmp_path)
    for words in (["stats", name], ["schema", "infer", name]):
        assert main(words) == 1
        out, said = capsys.readouterr()
        assert said.startswith(f"{code}: ")
        assert says in said
        assert "Traceback" not in out + said


@pytest.mark.parametrize("twentieth", range(20))
def test_parquet_cut_anywhere_is_refused(twentieth, tmp_path):
    path = written(tmp_path, "f.parquet", WHOLE[: len(WHOLE) * twentieth // 20])
    assert refused(path).code == "TD-DATA-003"


READ = {
    "a mark of UTF-8": ("f.csv", b"\xef\xbb\xbfa\n1\n", [1.0]),
    "CRLF": ("f.csv", b"a,b\r\n1,2\r\n3,4\r\n", [1.0, 3.0]),
    "lone CR": ("f.csv", b"a,b\r1,2\r3,4\r", [1.0, 3.0]),
    "a blank line before the header": ("f.csv", b"\n\na,b\n1,2\n", [1.0]),
    "a header alone": ("f.csv", b"a,b\n", []),
    "a header alone without its end": ("f.csv", b"a,b", []),
    "a quote in a bare cell": ("f.csv", b'a,b\n5" nail,1\n6,2\n', ['5" nail', "6"]),
    "doubled quotes": ("f.csv", b'a,b\n"say ""x"", y",1\n', ['say "x", y']),
    "a line break in quotes": ("f.csv", b'"a\nb",c\n"1\n2",3\n', ["1\n2"]),
    "infinite": ("f.csv", b"a\n1e999\n-inf\n1\n", [float("inf"), float("-inf"), 1.0]),
    "no numbers": (
        "f.csv",
        "a\n0x10\n1_000\n\u0661\u0662\n".encode(),
        ["0x10", "1_000", "\u0661\u0662"],
    ),
    "a name of two lines": ("two\nlines.csv", GOOD, [1.0, 3.0]),
    "a name with a bracket": ("days [1].csv", GOOD, [1.0, 3.0]),
    "a leap second": ("f.csv", b"a\n2016-12-31T23:59:60Z\n", ["2016-12-31T23:59:60Z"]),
    "a year beyond all": ("f.csv", b"a\n292278-01-01T00:00:00Z\n", ["292278-01-01T00:00:00Z"]),
    "a member that leads out": ("f.zip", zipped(("../../x.csv", "a\n1\n")), [1.0]),
    "a member with a root": ("f.zip", zipped(("/etc/x.csv", "a\n1\n")), [1.0]),
    "JSON with a mark of UTF-8": ("f.jsonl", b'\xef\xbb\xbf{"a":1}\n', [1.0]),
    "JSON text that looks like keys": ("f.jsonl", rb'{"a":"x\":","b":"\":"}', ['x":']),
}


@pytest.mark.parametrize(("name", "data", "first"), READ.values(), ids=READ)
def test_what_can_be_meant_one_way_only_is_read(name, data, first, tmp_path):
    from tondo.stages.data.definitions import SourceDefinition
    from tondo.stages.data.sources import read_source

    path = written(tmp_path, name, data)
    table = read_source(SourceDefinition(name="s", path=str(path)), base=tmp_path)
    assert table.column(0).to_pylist() == first
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert tondo.statistics(path).rows == len(first)


def test_a_name_that_is_no_text_is_read_and_told(tmp_path, capsys):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")
    Path(path).write_bytes(GOOD)
    assert tondo.statistics(path).rows == 2
    Path(path).write_bytes(b"a,b\n1\n")
    assert r"(\xff.csv)" in refused(path).message
    assert main(["stats", path]) == 1
    assert "TD-DATA-003" in capsys.readouterr().err


def test_a_cell_of_tens_of_megabytes_is_read(tmp_path):
    path = written(tmp_path, "f.csv", b"a,b\n1," + b"x" * 20_000_000 + b"\n2,y\n")
    assert tondo.statistics(path).columns["b"].length.max == 20_000_000


def test_a_quote_that_swallows_the_file_is_named_by_its_line(tmp_path):
    path = written(tmp_path, "f.csv", b'a,b\n1,2\n3,"' + b"x,y\n" * 3_000_000)
    assert "line 3" in refused(path).message


@pytest.mark.parametrize("name", ["f.csv.gz", "f.zip"])
def test_a_bomb_is_stopped_at_the_limit_that_is_told(name, project):
    folder, reading = project
    text = b"a\n" + b"0" * (300 << 20)
    with gzip.open(folder / "f.csv.gz", "wb", compresslevel=1) as file:
        file.write(text)
    with zipfile.ZipFile(folder / "f.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("f.csv", text)
    error = refused(folder / name)
    assert (error.code, "200 times its size" in error.message) == ("TD-DATA-042", True)
    with reading(f"{name}\nexpanded_mb: 10") as workspace:
        before = kept(workspace)
        with pytest.raises(TondoError, match=r"TD-DATA-042.*more than 10 MB \(`expanded_mb`\)"):
            workspace.data.commit_source("days")
        assert kept(workspace) == before


def test_parquet_that_promises_more_than_memory_is_not_read(tmp_path):
    # A column of one value: a few kilobytes a million rows, eight megabytes in memory.
    some = pa.table({f"c{each}": pa.repeat(1.0, 1_000_000) for each in range(40)})
    with pq.ParquetWriter(tmp_path / "f.parquet", some.schema) as writer:
        for _ in range(14):
            writer.write_table(some)
    began = time.monotonic()
    assert refused(tmp_path / "f.parquet").code == "TD-DATA-042"
    assert time.monotonic() - began < 10


def no_files(folder):
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "gone.csv").symlink_to(folder / "nothing.csv")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("folder.csv", "is a folder"),
        ("pipe.csv", "is a pipe"),
        ("loop.csv", "symbolic links"),
        ("gone.csv", "a link to nothing"),
        ("/dev/zero", "is a device"),
    ],
)
def test_what_is_no_file_is_never_opened(name, says, tmp_path):
    no_files(tmp_path)
    error = refused(tmp_path / name)
    assert (error.code, says in error.message) == ("TD-DATA-043", True)


def test_a_glob_that_matches_a_pipe_does_not_hang(project):
    folder, reading = project
    (folder / "some").mkdir()
    written(folder / "some", "a.csv", GOOD)
    os.mkfifo(folder / "some" / "b.csv")
    with reading("some/*.csv") as workspace:
        before = kept(workspace)
        with pytest.raises(TondoError, match=r"TD-DATA-043.*b\.csv is a pipe"):
            workspace.data.commit_source("days")
        assert kept(workspace) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_file_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    path = written(tmp_path, "f.csv", GOOD)
    path.chmod(0)
    engine_ready = tondo.statistics(pa.table({"a": [1.0]}))
    assert engine_ready.rows == 1
    os.seteuid(65534)
    try:
        from tondo.stages.data.definitions import SourceDefinition
        from tondo.stages.data.sources import read_source

        with pytest.raises(TondoError, match=r"TD-DATA-003.*Permission denied"):
            read_source(SourceDefinition(name="s", path=str(path)), base=tmp_path)
    finally:
        os.seteuid(0)


def test_a_folder_that_changes_while_it_is_read_is_refused(project):
    """A writer replaces files all the time: each commit is of one moment, or refused."""
    folder, reading = project
    days = folder / "changing"
    days.mkdir()
    rows = "".join(f"{each},0\n" for each in range(2000))
    for number in range(4):
        (days / f"{number}.csv").write_text(f"a,generation\n{rows}")
    stop = threading.Event()

    def rewrite():
        generation = 0
        while not stop.is_set():
            generation += 1
            for number in range(4):
                text = "a,generation\n" + rows.replace(",0\n", f",{generation}\n")
                (days / f"{number}.new").write_text(text)
                with contextlib.suppress(OSError):
                    (days / f"{number}.new").rename(days / f"{number}.csv")

    writer = threading.Thread(target=rewrite)
    codes = []
    with reading("changing/*.csv") as workspace:
        writer.start()
        try:
            for _ in range(8):
                before = kept(workspace)
                try:
                    workspace.data.commit_source("days")
                except TondoError as error:
                    codes.append(error.code)
                    assert kept(workspace) == before
        finally:
            stop.set()
            writer.join()
    assert set(codes) == {"TD-DATA-027"}


def test_the_files_of_a_folder_have_one_header(project):
    folder, reading = project
    (folder / "two").mkdir()
    written(folder / "two", "a.csv", b"a,b\n1,2\n")
    written(folder / "two", "b.csv", b"b,a\n1,x\n")
    with reading("two/*.csv") as workspace:
        before = kept(workspace)
        with pytest.raises(TondoError, match=r"TD-DATA-008.*b\.csv.*in a"):
            workspace.data.commit_source("days")
        assert kept(workspace) == before


def test_ten_thousand_columns_are_read_and_committed_in_seconds(project):
    folder, reading = project
    names = ",".join(f"c{each}" for each in range(10_000))
    row = ",".join(["1"] * 10_000)
    (folder / "wide.csv").write_text(f"{names}\n" + f"{row}\n" * 5)
    with reading("wide.csv") as workspace:
        began = time.monotonic()
        workspace.data.commit_source("days")
        assert len(workspace.data.snapshot("days").columns) == 10_000
        assert time.monotonic() - began < 120


def test_a_range_of_keys_that_fails_leaves_no_object(tmp_path):
    import sqlite3

    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("create table visits (id integer, v)")
        rows = [(each, float(each) if each < 90 else "word") for each in range(100)]
        database.executemany("insert into visits values (?, ?)", rows)
        database.commit()
    (tmp_path / "shop.yaml").write_text(
        "project: shop\n---\nsource: days\nowner: ana\ndescription: Visits.\n"
        "url: sqlite:///shop.db\ntable: visits\nkey: [id]\nchunk_rows: 20\n"
    )
    with open_workspace(tmp_path) as workspace:
        with pytest.raises(TondoError, match="TD-DATA-00"):
            workspace.data.commit_source("days")
        assert list(workspace.parts.blobs.digests()) == []
