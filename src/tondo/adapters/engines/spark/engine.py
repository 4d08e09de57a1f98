"""The Spark engine: tables that lie on one machine or on many."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tondo.adapters.engines.spark import session as opened
from tondo.adapters.engines.spark.tables import frame, names_of
from tondo.language.walk import columns_of
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import LookupJoin, WindowJoin


class SparkEngine:
    """Batch work on Spark; opened when first asked, and closed by `close`.

    `url`: `local[*]`, a cluster's address, or `sc://host:15002` for Spark Connect. Workers must
    be able to read the files of a FileTable under the same paths. `memory_limit_mb`: of Spark in
    local mode; its own 1 GB when None, and what does not fit goes to `temp_directory`.
    """

    name = "spark"
    gaps: ClassVar[frozenset[str]] = frozenset({"query"})
    """Methods of the port, and functions of the language, that Spark does not offer."""

    def __init__(
        self,
        *,
        url: str = "local[*]",
        memory_limit_mb: int | None = None,
        temp_directory: Path | None = None,
    ) -> None:
        self._url = url
        self._memory_mb = memory_limit_mb
        self._folder = temp_directory or self._own_directory()
        self._opening = threading.Lock()
        self._session: Any = None
        self._ours = False

    def _own_directory(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="tondo-"))
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return path

    @property
    def session(self) -> Any:
        """The Spark session (TD-INSTALL-001, TD-SPARK-001, -002 when there can be none)."""
        with self._opening:
            if self._session is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._session, self._ours = opened.connect(
                    self._url, memory_mb=self._memory_mb, folder=self._folder
                )
            return self._session

    def close(self) -> None:
        """Stop Spark, where it was started here."""
        with self._opening:
            if self._session is not None and self._ours:
                self._session.stop()
            self._session = None

    def scan(self, table: Any, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table, or some of its columns, in its own order."""
        return self.evaluate({}, table, keep=names_of(table) if columns is None else columns)

    def evaluate(
        self, expressions: Mapping[str, Node], table: Any, *, keep: Sequence[str] = ()
    ) -> pa.Table:
        """Return `keep` columns and one column per checked expression, rows in input order.

        Errors: TD-LANG-014 (no lowering), TD-ENGINE-005, -008, TD-SPARK-003.
        """
        from tondo.adapters.engines.spark import evaluate

        session = self.session
        with opened.coded_errors():
            return evaluate.evaluate(session, expressions, table, keep=keep)

    def point_in_time(
        self,
        spine: Any,
        *,
        time: str,
        lookups: Sequence[LookupJoin],
        windows: Sequence[WindowJoin],
    ) -> pa.Table:
        """Return the spine, every row once and in order, with the joined features added.

        Errors: TD-LANG-012 (a value too large for an exact sum), -014, TD-ENGINE-005, -008,
        TD-SPARK-003.
        """
        from tondo.adapters.engines.spark import joins

        session = self.session
        with opened.coded_errors():
            return joins.point_in_time(session, spine, time=time, lookups=lookups, windows=windows)

    def profile(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
        weight: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return exact statistics per column (`ports/engine.py` names the entries).

        Errors: TD-STATS-004 (a value of `weight` is not a weight), TD-SPARK-003.
        """
        from tondo.adapters.engines.spark import profile

        session = self.session
        with opened.coded_errors():
            return profile.profile(
                frame(session, table, _named(columns, [weight] if weight else [])),
                columns,
                extent=profile.Extent(top=top, labels=labels, buckets=buckets),
                weight=weight,
            )

    def profile_slices(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        by: Sequence[Mapping[str, str]] = (),
        where: Mapping[str, Node] | None = None,
        least_rows: int = 1,
        most: int = 100,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
    ) -> list[dict[str, Any]]:
        """Return exact statistics per slice and column, all slices in the same jobs."""
        from tondo.adapters.engines.spark import profile, slices

        trees = where or {}
        read = {name for keys in by for name in keys}
        read |= {name for tree in trees.values() for name in columns_of(tree)}
        session = self.session
        with opened.coded_errors():
            return slices.profile_slices(
                frame(session, table, _named(columns, sorted(read))),
                columns,
                by=by,
                where=trees,
                least_rows=least_rows,
                most=most,
                extent=profile.Extent(top=top, labels=labels, buckets=buckets),
            )

    def crosses(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        label: str | None = None,
        most_values: int = 100,
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what pairs of columns say of each other (`ports/engine.py` names the entries)."""
        from tondo.adapters.engines.spark import crosses

        session = self.session
        with opened.coded_errors():
            read = frame(session, table, _named(columns, [label] if label else []))
            known = table.columns if isinstance(table, FileTable) else columns
            return crosses.crosses(read, columns, label=label, types=known, most_values=most_values)


def _named(columns: Mapping[str, str], others: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*columns, *others]))
