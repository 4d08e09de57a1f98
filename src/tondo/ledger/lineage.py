"""Lineage: edges between records, walked both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy import Integer, and_, bindparam, func, insert, literal, literal_column, select

from tondo.ledger import records, tables
from tondo.ledger.values import Edge, Lineage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import CTE, Connection

_EDGES = tables.edges.c
_INSERT = insert(tables.edges)
_SAME = (
    select(literal_column("1", Integer))
    .select_from(tables.edges)
    .where(*(column == bindparam(f"of_{column.name}") for column in tables.edges.c))
)
Direction = Literal["up", "down"]


def link(connection: Connection, edge: Edge) -> None:
    """Keep an edge between two records that are there; the same again is no change.

    A circle is not refused: things named by their content can truly turn in one (a change and
    its undoing lead back to the same snapshot), and walking stops at what was already seen.
    """
    values = msgspec.structs.asdict(edge)
    if connection.execute(_SAME, {f"of_{name}": each for name, each in values.items()}).first():
        return
    records.require(connection, (edge.parent_kind, edge.parent_id), role=f"parent, {edge.role}")
    records.require(connection, (edge.child_kind, edge.child_id), role=f"child, {edge.role}")
    connection.execute(_INSERT, values)


def walk(
    connection: Connection, key: tuple[str, str], *, direction: Direction, depth: int
) -> Lineage:
    """Return what the record came from ("up") or led to ("down"), nearest first."""
    start = records.require(connection, key)
    reached = _reached(key, direction=direction, depth=depth)
    nearest = (
        select(reached.c.kind, reached.c.id, func.min(reached.c.depth).label("depth"))
        .group_by(reached.c.kind, reached.c.id)
        .subquery()
    )
    rows = tables.records
    query = (
        select(rows.c.kind, rows.c.id, rows.c.body, rows.c.created_at_us, rows.c.sequence)
        .join(nearest, and_(rows.c.kind == nearest.c.kind, rows.c.id == nearest.c.id))
        .order_by(nearest.c.depth, rows.c.sequence)
    )
    nodes = [records.from_row(row) for row in connection.execute(query)]
    edges = _edges_among(connection, {(node.kind, node.id) for node in nodes}, reached)
    return Lineage(nodes=nodes or [start], edges=edges)


def _reached(key: tuple[str, str], *, direction: Direction, depth: int) -> CTE:
    start = select(
        literal(key[0]).label("kind"),
        literal(key[1]).label("id"),
        literal_column("0", Integer).label("depth"),
    ).cte("reached", recursive=True)
    near, far = ("child", "parent") if direction == "up" else ("parent", "child")
    # UNION, not UNION ALL: a node is followed once for each depth, so circles come to an end.
    step = select(
        _EDGES[f"{far}_kind"], _EDGES[f"{far}_id"], (start.c.depth + 1).label("depth")
    ).where(
        _EDGES[f"{near}_kind"] == start.c.kind,
        _EDGES[f"{near}_id"] == start.c.id,
        start.c.depth < depth,
    )
    return start.union(step)


def _edges_among(connection: Connection, nodes: set[tuple[str, str]], reached: CTE) -> list[Edge]:
    query = (
        select(
            _EDGES.parent_kind, _EDGES.parent_id, _EDGES.child_kind, _EDGES.child_id, _EDGES.role
        )
        .join(reached, and_(_EDGES.child_kind == reached.c.kind, _EDGES.child_id == reached.c.id))
        .distinct()
        .order_by(
            _EDGES.child_kind, _EDGES.child_id, _EDGES.role, _EDGES.parent_kind, _EDGES.parent_id
        )
    )
    return [_edge(row) for row in connection.execute(query) if (row[0], row[1]) in nodes]


def _edge(row: Sequence[Any]) -> Edge:
    parent_kind, parent_id, child_kind, child_id, role = row
    return Edge(
        parent_kind=parent_kind,
        parent_id=parent_id,
        child_kind=child_kind,
        child_id=child_id,
        role=role,
    )
