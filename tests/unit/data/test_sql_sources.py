import gzip
import json
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tondo.adapters.sources.obstore.objects import ObstoreObjects
from tondo.adapters.sources.sqlalchemy.databases import SqlDatabases
from tondo.core.errors import (
    CallerError,
    DataError,
    DefinitionError,
    MissingExtraError,
    NotFoundError,
    OutsideError,
)
from tondo.stages.data.definitions import parse_source
from tondo.stages.data.pieces import write_pieces
from tondo.stages.data.snapshots import snapshot_table
from tondo.stages.data.sources import read_pieces, read_source
from tondo.stages.data.statistics import statistics

ROWS = [
    (1, "EWR", 5.5, True, "2013-01-01", "2013-01-01T10:00:00Z"),
    (2, "JFK", None, False, "2013-01-02", "2013-01-01T11:30:00Z"),
    (3, None, -0.25, None, "2013-01-02", None),
    (4, "Zürich", 7.0, True, None, "2013-02-01T00:00:00Z"),
]
NAMES = ["n", "origin", "delay", "late", "day", "at"]
DDL = "create table flights (n integer, origin text, delay double precision, late boolean, day date, at timestamp with time zone)"


@pytest.fixture
def base(tmp_path):
    """The same rows in a SQLite file, a CSV, Parquet and JSON lines."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute(DDL)
        database.executemany("insert into flights values (?,?,?,?,?,?)", ROWS)
    database.close()
    dicts = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(each) + "\n" for each in dicts))
    cells = [
        ",".join(
            ""
            if v is None
            else str(v).lower()
            if v in (True, False) and isinstance(v, bool)
            else str(v)
            for v in row
        )
        for row in ROWS
    ]
    (tmp_path / "f.csv").write_text("\n".join([",".join(NAMES), *cells]) + "\n")
    typed = read_source(parse_source({"source": "f", "path": "f.csv"}), base=tmp_path)
    pq.write_table(typed, tmp_path / "f.parquet")
    return tmp_path


def read(base, environ=None, **keys):
    definition = parse_source({"source": "flights", **keys})
    return read_source(definition, base=base, databases=SqlDatabases(environ or {}))


def same_statistics(tables, engine):
    found = [statistics(each, engine=engine) for each in tables]
    assert all(each == found[0] for each in found[1:])


def test_the_same_rows_have_identical_statistics_from_every_source(base, engine):
    tables = [read(base, path=name) for name in ("f.csv", "f.parquet", "f.jsonl")]
    tables.append(read(base, url="sqlite:///shop.db", table="flights"))
    assert all(each.schema == tables[0].schema for each in tables)
    assert all(each.equals(tables[0]) for each in tables)
    same_statistics(tables, engine)


def test_a_query_answers_in_the_databases_own_sql(base):
    table = read(
        base,
        url="sqlite:///shop.db",
        query="select origin, ':x' as colon, n * 2 as twice from flights where n < 3 -- two",
    )
    assert table.to_pydict() == {
        "origin": ["EWR", "JFK"],
        "colon": [":x", ":x"],
        "twice": [2.0, 4.0],
    }


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_ranges_of_keys_lose_and_double_no_row(tmp_path, size):
    keys = [3, 1, 1, 1, None, 2, 5, None, 3, 4]
    with sqlite3.connect(tmp_path / "k.db") as database:
        database.execute("create table t (k integer, row integer)")
        database.executemany("insert into t values (?, ?)", list(zip(keys, range(10), strict=True)))
    database.close()
    body = {"source": "t", "url": "sqlite:///k.db", "table": "t", "key": ["k"], "chunk_rows": size}
    pieces = list(read_pieces(parse_source(body), base=tmp_path, databases=SqlDatabases({})))
    rows = [row for piece in pieces for row in piece["row"].to_pylist()]
    assert sorted(rows) == list(range(10))
    for piece in pieces[:-1]:
        assert piece.num_rows <= size + 2  # three rows share a key and stay together


def test_pieces_become_files_of_one_snapshot(base, blobs, engine):
    body = {
        "source": "f",
        "url": "sqlite:///shop.db",
        "table": "flights",
        "key": ["n"],
        "chunk_rows": 1,
    }
    definition = parse_source(body)
    pieces = read_pieces(definition, base=base, databases=SqlDatabases({}))
    snapshot = write_pieces(pieces, blobs=blobs)
    assert [file.rows for file in snapshot.files] == [1, 1, 1, 1]
    assert snapshot.columns["delay"] == "double"
    whole = engine.scan(snapshot_table(snapshot, blobs=blobs))
    assert whole.equals(read(base, url="sqlite:///shop.db", table="flights"))
    again = write_pieces(
        read_pieces(definition, base=base, databases=SqlDatabases({})), blobs=blobs
    )
    assert again.id == snapshot.id


def test_a_column_without_values_takes_the_type_of_later_pieces(blobs, engine):
    pieces = [
        pa.table({"s": pa.array([None, None], pa.float64())}),
        pa.table({"s": ["a"]}),
        pa.table({"s": pa.array([None], pa.float64())}),
    ]
    snapshot = write_pieces(pieces, blobs=blobs)
    assert snapshot.columns == {"s": "string"}
    table = engine.scan(snapshot_table(snapshot, blobs=blobs))
    assert table["s"].to_pylist() == [None, None, "a", None]


def test_pieces_of_other_types_are_refused(blobs):
    pieces = [pa.table({"s": ["a"]}), pa.table({"s": [1.0]})]
    with pytest.raises(CallerError, match=r"TD-DATA-008.*piece 2"):
        write_pieces(pieces, blobs=blobs)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "sqlite:///x.db"}, "exactly one of"),
        ({"url": "sqlite:///x.db", "table": "t", "query": "select 1"}, "exactly one of"),
        ({"url": "sqlite:///x.db", "table": "t", "path": "x.csv"}, "beside"),
        ({"url": "sqlite:///x.db", "table": "t", "chunk_rows": 5}, "no `key:`"),
        ({"url": "sqlite:///x.db", "table": "t", "chunk_rows": 0, "key": ["k"]}, "chunk_rows: 0"),
        ({"path": "x.csv", "table": "t"}, "no `url:`"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys, said):
    with pytest.raises(DefinitionError, match=rf"TD-DATA-024.*{said}"):
        parse_source({"source": "t", **keys})


@pytest.mark.parametrize(
    "url",
    ["postgresql://ann:hunter2@h/d", "postgresql://h/d?password=hunter2", "x://a:${B}hunter2@h/d"],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url):
    with pytest.raises(DefinitionError, match=r"TD-DATA-025") as caught:
        parse_source({"source": "t", "url": url, "table": "t"})
    assert "hunter2" not in str(caught.value.to_json())


def test_a_variable_that_is_not_set_is_named(tmp_path):
    with pytest.raises(DefinitionError, match=r"TD-DATA-025.*\$\{DB_PASSWORD\}"):
        read(tmp_path, url="postgresql://ann:${DB_PASSWORD}@h/d", table="t")


def test_what_the_environment_holds_is_never_told(tmp_path):
    environ = {"DB": "no such address hunter2"}
    with pytest.raises(DefinitionError, match=r"TD-DATA-024.*\$\{DB\}") as caught:
        read(tmp_path, environ, url="${DB}", table="t")
    assert "hunter2" not in str(caught.value.to_json())
    assert caught.value.__cause__ is None


def test_a_missing_file_table_or_column_is_named(base):
    with pytest.raises(NotFoundError, match=r"TD-DATA-002.*shop\.db"):
        read(base, url="sqlite:///shp.db", table="flights")
    assert not (base / "shp.db").exists()
    with pytest.raises(NotFoundError, match=r"TD-DATA-002.*'flights'"):
        read(base, url="sqlite:///shop.db", table="flihgts")
    with pytest.raises(OutsideError, match=r"TD-DATA-026.*no such column"):
        read(base, url="sqlite:///shop.db", query="select delya from flights")


def test_a_query_cannot_write(base):
    for query in ("delete from flights", "select 1) as x; drop table flights; --"):
        with pytest.raises(OutsideError, match=r"TD-DATA-026"):
            read(base, url="sqlite:///shop.db", query=query)
    assert read(base, url="sqlite:///shop.db", table="flights").num_rows == 4


def test_values_of_no_column_type_are_refused(tmp_path):
    sqlite3.connect(tmp_path / "b.db").close()
    with pytest.raises(DataError, match=r"TD-DATA-007"):
        read(tmp_path, url="sqlite:///b.db", query="select x'00ff' as b")
    with pytest.raises(DataError, match=r"TD-DATA-007.*'b'"):
        read(tmp_path, url="sqlite:///b.db", query="select 1 as b union all select 'x'")


def test_a_workspace_commits_a_database_in_ranges(base, clock):
    from tondo.workspace.bootstrap import open_workspace

    (base / "sources.yaml").write_text(
        "source: flights\nurl: sqlite:///shop.db\ntable: flights\nkey: [n]\nchunk_rows: 3\n"
    )
    with open_workspace(base, clock=clock) as workspace:
        made = workspace.data.commit_source("flights")
        assert workspace.data.commit_source("flights") == made
        assert [file.rows for file in workspace.data.snapshot("flights").files] == [3, 1]
        assert workspace.data.sql("select sum(n) as s from flights") == [{"s": 10.0}]


# Object stores


@pytest.fixture
def stores():
    """An object store in memory, with three days of rows."""
    found = ObstoreObjects()
    for day in (1, 2, 3):
        put(found, f"days/d{day}.csv", f"n,day\n{day},{day}\n")
    put(found, "days/old/d0.csv", "n,day\n0,0\n")
    return found


def put(objects, key, text):
    obstore.put(objects._store("memory://shop"), key, text.encode())


def read_objects(objects, path, **keys):
    return read_source(
        parse_source({"source": "days", "path": path, **keys}), base=Path(), objects=objects
    )


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("memory://shop/days/d2.csv", [2]),
        ("memory://shop/days/*.csv", [1, 2, 3]),
        ("memory://shop/*/d[12].csv", [1, 2]),
        ("memory://shop/days/", [1, 2, 3, 0]),
    ],
)
def test_objects_are_read_by_name_glob_and_prefix(stores, path, rows):
    assert read_objects(stores, path)["n"].to_pylist() == rows


def test_a_file_url_reads_like_the_path(base):
    by_url = read_objects(ObstoreObjects(), f"file://{base}/f.csv")
    assert by_url.equals(read(base, path="f.csv"))
    (base / "g.csv.gz").write_bytes(gzip.compress((base / "f.csv").read_bytes()))
    assert read_objects(ObstoreObjects(), f"file://{base}/*.csv.gz").equals(by_url)


def test_an_object_that_is_not_there_and_an_unknown_store_are_told(stores):
    with pytest.raises(NotFoundError, match=r"TD-DATA-002"):
        read_objects(stores, "memory://shop/days/d9.csv")
    with pytest.raises(DefinitionError, match=r"TD-DATA-012.*s3://"):
        read_objects(stores, "ftp://shop/days/d9.csv")


@pytest.mark.parametrize("change", ["other", "added", "gone"])
def test_a_store_that_changes_while_it_is_read_gives_nothing(stores, change):
    fetch = stores.fetch

    def meddling(entry, path):
        fetch(entry, path)
        if entry.url.endswith("d3.csv"):
            if change == "other":
                put(stores, "days/d1.csv", "n,day\n7,7\n")
            elif change == "added":
                put(stores, "days/d4.csv", "n,day\n4,4\n")
            else:
                obstore.delete(stores._store("memory://shop"), "days/d2.csv")

    stores.fetch = meddling
    with pytest.raises(DataError, match=r"TD-DATA-027"):
        read_objects(stores, "memory://shop/days/*.csv")


def test_an_object_that_was_replaced_after_the_listing_is_refused(stores):
    find = stores.find

    def stale(url):
        listed = find(url)
        put(stores, "days/d2.csv", "n,day\n7,7\n")
        return listed

    stores.find = stale
    with pytest.raises(DataError, match=r"TD-DATA-027.*d2\.csv"):
        read_objects(stores, "memory://shop/days/*.csv")


def test_a_directory_that_changes_while_it_is_read_gives_nothing(tmp_path, clock, monkeypatch):
    from tondo.stages.data import sources
    from tondo.workspace.bootstrap import open_workspace

    for day in (1, 2):
        (tmp_path / f"d{day}.csv").write_text(f"n,day\n{day},{day}\n")
    (tmp_path / "sources.yaml").write_text("source: days\npath: d*.csv\n")
    real = sources._read_file

    def meddling(path, definition):
        found = real(path, definition)
        (tmp_path / "d3.csv").write_text("n,day\n3,3\n")
        return found

    with open_workspace(tmp_path, clock=clock) as workspace:
        monkeypatch.setattr(sources, "_read_file", meddling)
        with pytest.raises(DataError, match=r"TD-DATA-027.*d3\.csv"):
            workspace.data.commit_source("days")
        assert workspace.data.datasets() == []
        monkeypatch.undo()
        assert workspace.data.commit_source("days").rows == 3


# PostgreSQL


def unprivileged():
    """How to run a command as somebody who may start PostgreSQL; None when nobody here may."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    return None


@pytest.fixture
def postgres():
    """The URL of a private PostgreSQL that lives as long as the test."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    as_whom = unprivileged()
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("PostgreSQL's initdb and pg_ctl are not here")
    if as_whom is None:
        pytest.skip("nobody here may start PostgreSQL, which refuses root")
    # Not below pytest's own folders, which others than their owner may not enter.
    with tempfile.TemporaryDirectory(prefix="tondo-pg-") as name:
        folder = Path(name)
        if as_whom:
            os.chown(folder, as_whom["user"], as_whom["group"])
        yield from running(folder, as_whom)


def running(folder, as_whom):
    """Start PostgreSQL in a folder, yield its URL, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = folder / "data"
    (folder / "password").write_text("s:e/c@r#t")
    initdb = ["initdb", "-D", data, "-U", "ann", "-A", "scram-sha-256", "-N"]
    subprocess.run([*initdb, f"--pwfile={folder / 'password'}"], **run, **as_whom, check=True)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    pg_ctl = ["pg_ctl", "-D", data, "-w"]
    subprocess.run(
        [*pg_ctl, "-o", options, "-l", folder / "log", "start"], **run, **as_whom, check=True
    )
    yield f"postgresql+psycopg://ann:${{PG_PASSWORD}}@127.0.0.1:{port}/postgres"
    subprocess.run([*pg_ctl, "-m", "immediate", "stop"], **run, **as_whom, check=True)


def test_postgresql_gives_the_same_rows_too(base, engine, postgres):
    environ = {"PG_PASSWORD": "s:e/c@r#t"}
    fill(postgres, environ)
    tables = [read(base, path="f.csv"), read(base, environ, url=postgres, table="public.flights")]
    query = "select n::numeric as n, origin, delay, late, day, at from flights where origin not like '%q' or true order by n"
    tables.append(read(base, environ, url=postgres, query=query))
    chunked = {"url": postgres, "table": "flights", "key": ["n"], "chunk_rows": 2}
    tables.append(read(base, environ, **chunked))
    assert all(each.equals(tables[0]) for each in tables)
    same_statistics(tables, engine)
    with pytest.raises(OutsideError, match=r"TD-DATA-026") as caught:
        read(base, {"PG_PASSWORD": "wrong-hunter2"}, url=postgres, table="flights")
    assert "hunter2" not in str(caught.value.to_json())


def fill(url, environ):
    import psycopg

    plain = url.replace("+psycopg", "").replace("${PG_PASSWORD}", "s%3Ae%2Fc%40r%23t")
    with psycopg.connect(plain) as connection:
        connection.execute(DDL)
        with connection.cursor() as cursor:
            cursor.executemany("insert into flights values (%s,%s,%s,%s,%s,%s)", ROWS)


def test_a_driver_that_is_not_installed_is_named(tmp_path):
    with pytest.raises((MissingExtraError, DefinitionError)):
        read(tmp_path, url="mysql+pymysql://h/d", table="t")
