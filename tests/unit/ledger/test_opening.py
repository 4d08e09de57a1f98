from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.core.errors import CallerError, PlatformError
from tondo.flow.executions import Executions
from tondo.ledger import Ledger, tables
from tondo.ledger.database import Database
from tondo.ledger.migrations.run import upgrade

KEPT = Path(__file__).parent / "kept"


def schema_of(path):
    rows = sqlite3.connect(path).execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
    return sorted((*row[:3], "".join((row[3] or "").split())) for row in rows)


def test_a_new_ledger_is_what_the_migrations_make(tmp_path, clock):
    Ledger.open(f"sqlite:///{tmp_path / 'tables.db'}", clock=clock).close()
    database = Database(f"sqlite:///{tmp_path / 'migrated.db'}")
    with database.transaction() as connection:
        upgrade(connection)
    database.close()
    assert schema_of(tmp_path / "tables.db") == schema_of(tmp_path / "migrated.db")


def test_the_newest_migration_is_the_version_of_the_tables():
    import tondo.ledger.migrations as migrations

    files = sorted(Path(migrations.__file__).parent.glob("versions/[0-9]*.py"))
    assert files[-1].name.split("_")[0] == tables.VERSION


@pytest.fixture(params=sorted(KEPT.glob("ledger-*.sql")), ids=lambda path: path.stem)
def kept(request, tmp_path, clock):
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.executescript(request.param.read_text(encoding="utf-8"))
    connection.close()
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    yield opened
    opened.close()


def test_a_kept_ledger_gets_the_tables_of_a_new_one(kept, tmp_path, clock):
    Ledger.open(f"sqlite:///{tmp_path / 'new.db'}", clock=clock).close()
    assert schema_of(kept.place) == schema_of(tmp_path / "new.db")


def test_a_kept_ledger_gives_its_records_and_lineage(kept):
    assert kept.get("snapshot", "a" * 64).body["note"] == "é ' \" ;"
    found = kept.lineage("model_version", "013dc2f5-1000-7000-8000-000000000003", direction="up")
    assert [node.kind for node in found.nodes] == [
        "model_version",
        "run",
        "training_set",
        "snapshot",
    ]
    assert [edge.role for edge in found.edges] == ["trained by", "training data", "spine"]


def test_a_kept_ledger_gives_its_pointers_and_events(kept):
    assert kept.pointer("model/late_arrival@live").number == 2
    assert [move.by for move in kept.history("model/late_arrival@live")] == ["ann", "bo"]
    assert [each.body for each in kept.events(kind="deployed")] == [{"version": 2}]


def test_a_kept_ledger_can_be_written(kept):
    last = kept.records("model_version")[0]
    assert kept.put("report", "r", {}, parents=[(last.kind, last.id, "judged")]).sequence > 6
    kept.move("model/late_arrival@live", "v3", expect=last.id, by="cy", why="test")


def test_a_kept_ledger_gives_its_executions(kept, clock):
    executions = Executions(kept, MemoryBlobs(), clock)
    (execution,) = executions.newest(name="demo")
    assert execution.state == "succeeded"
    assert [(step.name, step.ok) for step in execution.steps] == [("prepare", True)]


def test_opening_imports_no_alembic(tmp_path):
    code = (
        "import sys; from tondo.ledger import Ledger;"
        "from tondo.adapters.clocks.system import SystemClock;"
        f"Ledger.open('sqlite:///{tmp_path / 'ledger.db'}', clock=SystemClock());"
        "print('alembic' in sys.modules)"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], check=False, capture_output=True, text=True
        )
        assert done.stdout == "False\n", done.stderr


def test_the_values_of_the_ledger_load_without_the_database():
    code = "import sys, tondo.ledger, tondo.flow.values; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_a_ledger_of_a_newer_tondo_is_refused(tmp_path, clock):
    path = tmp_path / "ledger.db"
    Ledger.open(f"sqlite:///{path}", clock=clock).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(PlatformError, match=r"TD-LEDGER-008.*9999.*pip install --upgrade"):
        Ledger.open(f"sqlite:///{path}", clock=clock)


def test_a_file_that_is_no_database_is_refused(tmp_path, clock):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"flight,carrier\n" * 1000)
    with pytest.raises(PlatformError, match="TD-LEDGER-007") as caught:
        Ledger.open(f"sqlite:///{path}", clock=clock)
    assert caught.value.fields["path"] == str(path)
    assert path.read_bytes().startswith(b"flight")


def test_a_database_of_something_else_is_refused(tmp_path, clock):
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    with pytest.raises(PlatformError, match="TD-LEDGER-007"):
        Ledger.open(f"sqlite:///{path}", clock=clock)


def test_a_ledger_with_broken_pages_is_a_coded_error(tmp_path, clock):
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{path}", clock=clock)
    for number in range(2000):
        with ledger.transaction(durable=False):
            ledger.put("run", f"r{number}", {"text": "x" * 200})
    ledger.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (path.stat().st_size - 16384))
    with pytest.raises(PlatformError, match="TD-LEDGER-007"):
        Ledger.open(f"sqlite:///{path}", clock=clock).records("run")


@pytest.mark.parametrize("place", ["no/such/folder/ledger.db", ""])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, clock, place):
    with pytest.raises(PlatformError, match="TD-LEDGER-004") as caught:
        Ledger.open(f"sqlite:///{tmp_path / place}", clock=clock)
    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize("folder", ["a?b=c #d", "é%20", "x:y@z"])
def test_a_path_may_hold_any_sign(tmp_path, clock, folder):
    (tmp_path / folder).mkdir()
    ledger = Ledger.open(f"sqlite:///{tmp_path / folder / 'ledger.db'}", clock=clock)
    assert ledger.place == str(tmp_path / folder / "ledger.db")
    ledger.close()
    assert (tmp_path / folder / "ledger.db").stat().st_size > 0


@pytest.mark.parametrize("url", ["ledger.db", "mysql://host/db", ""])
def test_an_address_that_is_no_ledger_is_refused(clock, url):
    with pytest.raises(CallerError, match=r"TD-LEDGER-011.*sqlite:///"):
        Ledger.open(url, clock=clock)


def test_a_full_disk_keeps_nothing_of_the_transaction(tmp_path):
    code = f"""
import resource
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import PlatformError
from tondo.ledger import Ledger
ledger = Ledger.open("sqlite:///{tmp_path / "ledger.db"}", clock=SystemClock())
ledger.put("run", "before", {{}})
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
try:
    with ledger.transaction():
        ledger.put("run", "small", {{}})
        ledger.put("run", "large", {{"text": "x" * 10_000_000}})
except PlatformError as error:
    print(error.code, error.fields["path"])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
ledger.put("run", "after", {{}})
print([each.id for each in ledger.records("run")])
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert first == f"TD-LEDGER-006 {tmp_path / 'ledger.db'}"
    assert second == "['after', 'before']"


def test_a_full_database_is_a_coded_error(tmp_path, clock):
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    with ledger._database.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=60")
    with pytest.raises(PlatformError, match="TD-LEDGER-006"):
        ledger.put("run", "large", {"text": "x" * 1_000_000})
    assert ledger.records("run") == []
    ledger.close()


def test_a_lock_that_is_never_given_back_is_a_coded_error(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("tondo.ledger.database._BUSY_TIMEOUT_S", 0.02)
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{path}", clock=clock)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(PlatformError, match="TD-LEDGER-005"):
        ledger.put("run", "r1", {})
    other.rollback()
    other.close()
    assert ledger.put("run", "r1", {}).id == "r1"
    ledger.close()


def test_every_statement_runs_on_an_old_sqlite(tmp_path, clock):
    said = []

    def listen(_connection, _cursor, statement, *_rest):
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
        with Executions(ledger, MemoryBlobs(), clock).run("all") as execution:
            execution.step("one", lambda progress: progress.checkpoint({"a": 1}))
            execution.explain("one")
        ledger.put("run", "r", {"a": 1}, parents=[("execution", execution.id, "made by")])
        ledger.records("run", where={"a": 1})
        ledger.find_by_prefix("r")
        ledger.lineage("run", "r", direction="up")
        ledger.move("p", "x", expect=None, by="-", why="-")
        ledger.pointers("p")
        ledger.history("p")
        ledger.event("e", "s", {})
        ledger.events(kind="e")
        ledger.close()
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert len(said) > 40
    for word in ("RETURNING", "STRICT", "->", "UNIXEPOCH", "ON CONFLICT"):
        assert [each for each in said if word in each.upper()] == []
