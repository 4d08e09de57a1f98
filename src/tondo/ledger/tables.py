"""The tables of the ledger as they are now; `migrations/` brings older ledgers here.

Columns are plain INTEGER and TEXT, instants are microseconds since 1970 UTC, bodies are
canonical JSON text: what an old SQLite and a PostgreSQL both keep without a change.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

VERSION: Final = "0001"
"""The newest migration. An older ledger is migrated when it is opened."""

metadata = MetaData()
# SQLite counts rows by itself only in a column spelled INTEGER.
_Counter = BigInteger().with_variant(Integer(), "sqlite")

records = Table(
    "records",
    metadata,
    Column("sequence", _Counter, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    UniqueConstraint("kind", "id", name="records_kind_id"),
    Index("records_kind_sequence", "kind", "sequence"),
    Index("records_id", "id"),
    sqlite_autoincrement=True,
)

edges = Table(
    "edges",
    metadata,
    Column("parent_kind", Text, nullable=False),
    Column("parent_id", Text, nullable=False),
    Column("child_kind", Text, nullable=False),
    Column("child_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint(
        "child_kind", "child_id", "parent_kind", "parent_id", "role", name="edges_key"
    ),
    ForeignKeyConstraint(
        ["parent_kind", "parent_id"], ["records.kind", "records.id"], name="edges_parent"
    ),
    ForeignKeyConstraint(
        ["child_kind", "child_id"], ["records.kind", "records.id"], name="edges_child"
    ),
    Index("edges_by_parent", "parent_kind", "parent_id"),
)

pointers = Table(
    "pointers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("moved_at_us", BigInteger, nullable=False),
    Column("moved_by", Text, nullable=False),
    Column("why", Text, nullable=False),
)

moves = Table(
    "moves",
    metadata,
    Column("name", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("previous", Text, nullable=True),
    Column("target", Text, nullable=False),
    Column("moved_at_us", BigInteger, nullable=False),
    Column("moved_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("name", "number", name="moves_key"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", _Counter, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Index("events_kind_sequence", "kind", "sequence"),
    Index("events_subject_sequence", "subject", "sequence"),
    sqlite_autoincrement=True,
)

executions = Table(
    "executions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("error", Text, nullable=True),
    Index("executions_name_id", "name", "id"),
)

leases = Table(
    "leases",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("execution", Text, nullable=True),
    Column("holder", Text, nullable=True),
    Column("expires_at_us", BigInteger, nullable=False),
)

steps = Table(
    "steps",
    metadata,
    Column("sequence", _Counter, primary_key=True, autoincrement=True),
    Column("execution", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("parts", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
    Column("seconds", Float, nullable=True),
    Column("result", Text, nullable=True),
    Column("error", Text, nullable=True),
    Column("log", Text, nullable=True),
    ForeignKeyConstraint(["execution"], ["executions.id"], name="steps_execution"),
    Index("steps_key", "key", "sequence"),
    Index("steps_name", "name", "sequence"),
    Index("steps_execution_sequence", "execution", "sequence"),
    sqlite_autoincrement=True,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=True),
    Column("done", BigInteger, nullable=True),
    Column("total", BigInteger, nullable=True),
    Column("note", Text, nullable=True),
    Column("updated_at_us", BigInteger, nullable=False),
)
