"""The first tables: records, edges, pointers and moves, events, executions and their steps.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# Written out, not taken from `tables.py`: that file moves on, this one never changes.
_STATEMENTS = """
CREATE TABLE checkpoints (
    "key" TEXT NOT NULL,
    state TEXT,
    done BIGINT,
    total BIGINT,
    note TEXT,
    updated_at_us BIGINT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE events (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    UNIQUE (id)
);
CREATE INDEX events_kind_sequence ON events (kind, sequence);
CREATE INDEX events_subject_sequence ON events (subject, sequence);
CREATE TABLE executions (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    "key" TEXT NOT NULL,
    parameters TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at_us BIGINT NOT NULL,
    ended_at_us BIGINT,
    error TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX executions_name_id ON executions (name, id);
CREATE TABLE leases (
    "key" TEXT NOT NULL,
    fence BIGINT NOT NULL,
    execution TEXT,
    holder TEXT,
    expires_at_us BIGINT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE moves (
    name TEXT NOT NULL,
    number BIGINT NOT NULL,
    previous TEXT,
    target TEXT NOT NULL,
    moved_at_us BIGINT NOT NULL,
    moved_by TEXT NOT NULL,
    why TEXT NOT NULL,
    CONSTRAINT moves_key PRIMARY KEY (name, number)
);
CREATE TABLE pointers (
    name TEXT NOT NULL,
    target TEXT NOT NULL,
    number BIGINT NOT NULL,
    moved_at_us BIGINT NOT NULL,
    moved_by TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE records (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    CONSTRAINT records_kind_id UNIQUE (kind, id)
);
CREATE INDEX records_id ON records (id);
CREATE INDEX records_kind_sequence ON records (kind, sequence);
CREATE TABLE edges (
    parent_kind TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    child_kind TEXT NOT NULL,
    child_id TEXT NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT edges_key PRIMARY KEY (child_kind, child_id, parent_kind, parent_id, role),
    CONSTRAINT edges_parent FOREIGN KEY(parent_kind, parent_id) REFERENCES records (kind, id),
    CONSTRAINT edges_child FOREIGN KEY(child_kind, child_id) REFERENCES records (kind, id)
);
CREATE INDEX edges_by_parent ON edges (parent_kind, parent_id);
CREATE TABLE steps (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    execution TEXT NOT NULL,
    name TEXT NOT NULL,
    "key" TEXT NOT NULL,
    parts TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at_us BIGINT NOT NULL,
    ended_at_us BIGINT,
    seconds FLOAT,
    result TEXT,
    error TEXT,
    log TEXT,
    CONSTRAINT steps_execution FOREIGN KEY(execution) REFERENCES executions (id)
);
CREATE INDEX steps_execution_sequence ON steps (execution, sequence);
CREATE INDEX steps_key ON steps ("key", sequence);
CREATE INDEX steps_name ON steps (name, sequence)
"""


def upgrade() -> None:
    """Make the tables in an empty database."""
    for statement in _STATEMENTS.split(";"):
        op.execute(statement.strip())
