"""The values that a ledger takes and gives."""

from __future__ import annotations

from typing import Any

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that never changes: a kind, an id within it and a body."""

    kind: str
    """What it is: snapshot, commit, run, model_version, ..."""
    id: str
    """A digest for what was computed, a UUIDv7 for what happened."""
    body: dict[str, Any]
    """Plain JSON."""
    created_at_us: int
    """When it was put, microseconds since 1970 UTC."""
    sequence: int
    """Grows with each record of the ledger; a place for paging."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One step of lineage: the child was made from the parent, which played a role."""

    parent_kind: str
    parent_id: str
    child_kind: str
    child_id: str
    role: str


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """A name that points at a record or a digest and may be moved."""

    name: str
    target: str
    number: int
    """How often it was moved; the first move is 1."""
    moved_at_us: int
    by: str
    why: str


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a pointer: from where, to where, by whom, when, why."""

    name: str
    number: int
    previous: str | None
    target: str
    moved_at_us: int
    by: str
    why: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened and is told once: a report of a scorer, a decision, an alert."""

    id: str
    sequence: int
    kind: str
    subject: str
    """What it is about, for example `deployment/late_arrival`."""
    body: dict[str, Any]
    created_at_us: int


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """The records reached from one record, nearest first, and the edges among them."""

    nodes: list[Record]
    edges: list[Edge]
