"""The scorer's state: what is loaded, what is followed, what was refused."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tondo.core.errors import PlatformError, TondoError
from tondo.faces.scorer.leaving import Leaving
from tondo.faces.scorer.pool.rolls import roll_everywhere
from tondo.faces.scorer.status import figures_of, metrics_of, status_of_service
from tondo.scoring.plan import packages_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.faces.scorer.appenders import Appenders
    from tondo.faces.scorer.handing import AwayRoute
    from tondo.faces.scorer.isolation import Isolation
    from tondo.faces.scorer.metrics import Metrics
    from tondo.faces.scorer.pool.membership import Membership
    from tondo.faces.scorer.pool.rolls import Segments
    from tondo.faces.scorer.residency import Residency
    from tondo.faces.scorer.route import Route
    from tondo.faces.scorer.sources import Desired, Source
    from tondo.faces.scorer.table import RouteTable, TableBuilder
    from tondo.faces.scorer.threads import Threads
    from tondo.faces.scorer.units import Key, Unit

_log = logging.getLogger("tondo.scorer")

WATCH_S = 0.05
"""One stat of one file; a new plan is seen before anybody wonders."""

RETRY_S = 2.0
"""A plan or a model that could not be loaded is tried again: its blobs may come back."""


class Service:
    """Loads what its source desires and holds the table that answers.

    Loading is done in threads of its own; what is loaded is taken into use by the event loop.
    """

    def __init__(
        self,
        *,
        source: Source,
        residency: Residency,
        builder: TableBuilder,
        appenders: Appenders,
        metrics: Metrics,
        threads: Threads,
        isolation: Isolation,
        membership: Membership,
    ) -> None:
        self.source = source
        self.residency = residency
        self.metrics = metrics
        self.appenders = appenders
        self.threads = threads
        self.isolation = isolation
        self.membership = membership
        self.table: RouteTable | None = None
        self.refused: TondoError | None = None
        """Why the newest plan is not served."""
        self.fast: dict[bytes, Route | AwayRoute] = {}
        self.fast_answers = 0
        self.lag_s = 0.0
        """By how much the event loop was late at the last look."""
        self._builder = builder
        self._leaving = Leaving(residency)
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._loads: dict[Key, asyncio.Task[None]] = {}
        self._package: Callable[[str], bytes] | None = None
        self._tried: dict[Key, float] = {}
        self._started = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether there is a plan to answer from."""
        return self.table is not None

    @property
    def problem(self) -> TondoError | None:
        """Why the newest plan is not served, or not all of it."""
        if self.refused is not None or self.table is None:
            return self.refused
        return next((unit.error for unit in self.table.units.values() if unit.error), None)

    @property
    def isolated(self) -> set[str]:
        """The deployments whose models run in processes of their own."""
        planned = self.table.plan.deployments if self.table else {}
        return {name for name, each in planned.items() if each.isolate == "process"}

    def is_isolated(self, name: str) -> bool:
        """Return whether a deployment's models run in a process of their own."""
        planned = self.table.plan.deployments.get(name) if self.table else None
        return planned is not None and planned.isolate == "process"

    def require_table(self) -> RouteTable:
        """Return the table; TD-SCORER-002 while no plan was loaded."""
        if self.table is None:
            raise self.refused or PlatformError(
                "TD-SCORER-002",
                "no serving plan has been published yet",
                expected="a pointer file in the workspace's serving folder",
                fix="Deploy a model version; the scorer will follow by itself.",
            )
        return self.table

    def load(self) -> None:
        """Load what is desired and take it into use, before the event loop runs."""
        self._install(self._prepare())

    def _prepare(self) -> RouteTable | None:
        """Return a new plan's table, or None; on a refusal `refused` says why. For any thread."""
        number = self.table.plan.number if self.table else None
        pinned: list[str] = []
        try:
            desired = self.source.read(number)
            table = None if desired is None else self._build_table(desired, pinned)
        except TondoError as error:
            _log.warning("the new plan was refused: %s", error)
            self.refused = error
            self.residency.unpin(pinned)
            return None
        except OSError as error:
            self.refused = PlatformError("TD-SCORER-007", f"the plan cannot be read: {error}")
            return None
        self.refused = None
        return table

    def _build_table(self, desired: Desired, pinned: list[str]) -> RouteTable:
        """Load what a plan needs to begin with.

        The first plan serves what can be loaded, as far as there is room. A later one must be
        whole: its new packages are tried, and what answered before answers at once again.
        """
        before = self.table
        table = self._builder.begin(desired.plan, before)
        self._package = desired.package
        known = packages_of(before.plan) if before is not None else set()
        for unit in sorted(table.units.values(), key=lambda each: each.key[1] is not None):
            if unit.resident or not self._wanted(unit, before, known):
                continue
            try:
                table.place(self._build(unit, desired.package, pinned))
            except TondoError as error:
                if before is not None:
                    raise
                _log.warning("'%s' cannot be served: %s", unit.name, error)
                unit.error = error
        table.pinned = pinned
        return table

    def _wanted(self, unit: Unit, before: RouteTable | None, known: set[str]) -> bool:
        if before is None:
            return self.residency.fits(unit.packages)
        old = before.units.get(unit.key)
        return old is None or old.resident or not unit.packages <= known

    def _build(self, unit: Unit, package: Callable[[str], bytes], pinned: list[str]) -> Unit:
        models = {}
        for digest in sorted(unit.packages):
            models[digest] = self.residency.load(digest, package)
            pinned.append(digest)
        return self._builder.build(unit, models)

    def _install(self, table: RouteTable | None) -> None:
        """Take a table into use; for the event loop's thread."""
        if table is None:
            return
        before, self.table, self.fast = self.table, table, table.fast
        self.residency.unpin(table.pinned)
        table.pinned = []
        if before is not None:
            kept = set(map(id, table.units.values()))
            self._leaving.add(unit for unit in before.units.values() if id(unit) not in kept)
        self._make_room(None)
        table.fast.update(self.isolation.follow(table.plan))
        _log.info("serving plan %d", table.plan.number)

    async def ensure(self, name: str, version: str | None = None) -> None:
        """Return when a deployment, or a version of it, is in memory.

        A cold one is loaded in a thread; whoever asks for it meanwhile waits for the same load.
        """
        while True:
            unit = self.require_table().unit_of(name, version)
            unit.used_at = time.monotonic()
            if unit.resident:
                return
            if unit.error is not None and unit.used_at < self._tried.get(unit.key, 0.0) + RETRY_S:
                raise unit.error
            await asyncio.shield(self._load_of(unit))

    async def route_of(self, name: str, version: str | None, url: bytes) -> Route:
        """Return the route of a scoring URL once its models are in memory, to be used at once."""
        await self.ensure(name, version)
        return self.require_table().routes[url]

    def _load_of(self, unit: Unit) -> asyncio.Task[None]:
        """Return the load of a unit that is under way, or begin it."""
        load = self._loads.get(unit.key)
        if load is None:
            load = self._loads[unit.key] = asyncio.create_task(self._warm_up(unit))
        return load

    async def _warm_up(self, unit: Unit) -> None:
        assert self._package is not None
        self._make_room(unit)
        pinned: list[str] = []
        loop = asyncio.get_running_loop()
        try:
            built = await loop.run_in_executor(
                self._loader, self._build, unit, self._package, pinned
            )
        except TondoError as error:
            _log.warning("'%s' cannot be served: %s", unit.name, error)
            unit.error = error
        else:
            table = self.require_table()
            if table.units.get(unit.key) is unit:
                built.used_at = unit.used_at
                table.place(built)
                self._make_room(built)
            else:
                self._leaving.add([built])
        finally:
            self.residency.unpin(pinned)
            self._tried[unit.key] = time.monotonic()
            del self._loads[unit.key]

    def _make_room(self, coming: Unit | None) -> None:
        """Let go of what was not asked for longest until what is there, and comes, fits."""
        table = self.table
        if table is None or self.residency.most_bytes is None:
            return
        self.look_at_use()
        others = sorted(
            (unit for unit in table.units.values() if unit.resident and unit is not coming),
            key=lambda unit: unit.used_at,
        )
        wanted = coming.packages if coming is not None else set()
        for unit in others:
            beside = self.residency.bytes_of(table.resident_packages())
            if self.residency.fits(wanted, beside=beside):
                return
            table.drop(unit)
            self.residency.evictions += 1
            self._leaving.add([unit])

    def look_at_use(self) -> None:
        """Note which units have answered since the last look."""
        now = time.monotonic()
        for unit in self.table.units.values() if self.table else ():
            for route in unit.routes.values():
                if route.used:
                    route.used = False
                    unit.used_at = now

    async def watch(self) -> None:
        """Follow the source for ever; loading happens in threads."""
        loop = asyncio.get_running_loop()
        next_try = 0.0
        while True:
            due = loop.time() + WATCH_S
            await asyncio.sleep(WATCH_S)
            self.lag_s = max(0.0, loop.time() - due)
            again = self.refused is not None and time.monotonic() >= next_try
            if self.source.changed() or again:
                self._install(await loop.run_in_executor(None, self._prepare))
                next_try = time.monotonic() + RETRY_S
            await self._leaving.tend(self.table)
            self._retry_failed()

    def _retry_failed(self) -> None:
        now = time.monotonic()
        for unit in self.table.units.values() if self.table else ():
            if unit.error is not None and now >= self._tried.get(unit.key, 0.0) + RETRY_S:
                self._load_of(unit)

    def status(self) -> dict[str, Any]:
        """Return what GET /v1/status answers."""
        return status_of_service(self, self._started)

    def figures(self) -> dict[str, Any]:
        """Return what the other workers tell of us."""
        return figures_of(self, self._started)

    def metrics_text(self) -> str:
        """Return what GET /metrics answers."""
        return metrics_of(self)

    async def roll(self) -> Segments:
        """Close the segments of the log in every process; return stream to what was closed.

        TD-SCORER-016 when one of them does not answer.
        """
        return await roll_everywhere(self.membership)
