"""The ledger: one object over all tables."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tondo.core.ids import IdSource
from tondo.ledger import events, lineage, pointers, records, schema
from tondo.ledger.database import Database
from tondo.ledger.executions import ExecutionRows
from tondo.ledger.steps import StepRows
from tondo.ledger.values import Edge, Event, Lineage, Move, Pointer, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tondo.ports.clock import Clock

T = TypeVar("T")
Parent = Edge | tuple[str, str, str]
"""An edge, or (kind, id, role) of a parent."""


class Ledger:
    """Records with lineage, pointers with history, events; every call is one commit.

    >>> from tondo.adapters.clocks.manual import ManualClock
    >>> ledger = Ledger.open("sqlite://", clock=ManualClock(1_364_774_400_000_000))
    >>> _ = ledger.put("snapshot", "s1", {"rows": 3})
    >>> _ = ledger.put("run", "r1", {"seed": 7}, parents=[("snapshot", "s1", "training data")])
    >>> [node.id for node in ledger.lineage("run", "r1", direction="up").nodes]
    ['r1', 's1']
    >>> ledger.move("model/late@live", "r1", expect=None, by="ann", why="first").number
    1
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.clock = clock
        self._database = database
        self._ids = IdSource()
        self.executions = ExecutionRows(database)
        self.steps = StepRows(database)

    @classmethod
    def open(cls, url: str, *, clock: Clock) -> Ledger:
        """Open `sqlite:///path` or `sqlite://` (in memory); make or migrate it when needed.

        Raises TD-LEDGER-004 (cannot be written), TD-LEDGER-007 (damaged), TD-LEDGER-008 (newer).
        """
        database = Database(url)
        try:
            schema.prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database, clock=clock)

    @property
    def place(self) -> str:
        """The file, or "in memory"."""
        return self._database.place

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def new_id(self) -> str:
        """Return a new UUIDv7 by the clock."""
        return self._ids.make(self.clock.now_us())

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Make everything inside one commit, or nothing of it; inner blocks join the outer.

        Without `durable` a power failure (never a kill) may lose the commit, and it costs no
        flush to the device. TD-LEDGER-005 when another process keeps the ledger locked.
        """
        with self._database.transaction(durable=durable):
            yield

    def put(
        self,
        kind: str,
        id: str,  # noqa: A002 - the word of the glossary
        body: Any,
        *,
        parents: Iterable[Parent] = (),
    ) -> Record:
        """Keep a record and the edges to its parents; the same again is no change.

        Raises TD-LEDGER-002 for another body, TD-LEDGER-001 for a parent that is not there.
        """
        with self._database.transaction() as connection:
            record = records.put(connection, (kind, id), body=body, now_us=self.clock.now_us())
            for parent in parents:
                lineage.link(connection, _edge(parent, child=(kind, id)))
            return record

    def find(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """Return the record, or None."""
        with self._database.reading() as connection:
            return records.find(connection, (kind, id))

    def get(self, kind: str, id: str) -> Record:  # noqa: A002
        """Return the record; TD-LEDGER-001 with near ids when it is not there."""
        with self._database.reading() as connection:
            return records.require(connection, (kind, id))

    def read(self, kind: str, id: str, type_: type[T]) -> T:  # noqa: A002
        """Return the body of a record as a `type_` (TD-LEDGER-001, TD-LEDGER-009)."""
        return records.decode(self.get(kind, id), type_)

    def records(
        self,
        kind: str,
        *,
        where: Mapping[str, Any] | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[Record]:
        """Return the records of a kind.

        `where` compares top-level fields of the body with scalars; `before` is a record's
        sequence, for paging.
        """
        with self._database.reading() as connection:
            return records.select_records(
                connection,
                kind,
                where=where or {},
                newest_first=newest_first,
                limit=limit,
                before=before,
            )

    def count(self, kind: str) -> int:
        """Return how many records of a kind there are."""
        with self._database.reading() as connection:
            return records.count(connection, kind)

    def find_by_prefix(self, id_prefix: str, *, limit: int = 20) -> list[Record]:
        """Return the records of any kind whose id begins with `id_prefix`, newest first."""
        with self._database.reading() as connection:
            return records.by_prefix(connection, id_prefix, limit=limit)

    def link(self, parent: tuple[str, str], child: tuple[str, str], role: str) -> None:
        """Keep an edge between two records (kind, id); the same again is no change."""
        with self._database.transaction() as connection:
            lineage.link(connection, _edge((*parent, role), child=child))

    def lineage(
        self,
        kind: str,
        id: str,  # noqa: A002
        *,
        direction: Literal["up", "down"],
        depth: int = 50,
    ) -> Lineage:
        """Return what a record came from ("up") or led to ("down"), itself first."""
        with self._database.reading() as connection:
            return lineage.walk(connection, (kind, id), direction=direction, depth=depth)

    def pointer(self, name: str) -> Pointer | None:
        """Return where a pointer stands, or None when it was never moved."""
        with self._database.reading() as connection:
            return pointers.find(connection, name)

    def pointers(self, prefix: str = "") -> list[Pointer]:
        """Return the pointers whose names begin with `prefix`, by name."""
        with self._database.reading() as connection:
            return pointers.beginning_with(connection, prefix)

    def move(self, name: str, target: str, *, expect: str | None, by: str, why: str) -> Move:
        """Move a pointer that stands at `expect` (None: nowhere yet), else TD-LEDGER-003."""
        with self._database.transaction() as connection:
            return pointers.move(
                connection,
                name,
                target=target,
                expect=expect,
                by=by,
                why=why,
                now_us=self.clock.now_us(),
            )

    def history(self, name: str) -> list[Move]:
        """Return every move of a pointer, oldest first."""
        with self._database.reading() as connection:
            return pointers.history(connection, name)

    def event(self, kind: str, subject: str, body: Any) -> Event:
        """Tell an event about a subject, for example `deployment/late_arrival`."""
        with self._database.transaction() as connection:
            return events.tell(
                connection,
                kind,
                id_=self.new_id(),
                subject=subject,
                body=body,
                now_us=self.clock.now_us(),
            )

    def events(
        self,
        *,
        kind: str | None = None,
        subject: str | None = None,
        after: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Event]:
        """Return events in the order they were told, after a sequence number."""
        with self._database.reading() as connection:
            return events.select_events(
                connection,
                kind=kind,
                subject=subject,
                after=after,
                limit=limit,
                newest_first=newest_first,
            )


def _edge(parent: Parent, *, child: tuple[str, str]) -> Edge:
    if isinstance(parent, Edge):
        return parent
    kind, id_, role = parent
    return Edge(parent_kind=kind, parent_id=id_, child_kind=child[0], child_id=child[1], role=role)
