"""The scorer's state: what is loaded, what is followed, what was refused."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.canonical import digest_bytes
from tondo.core.errors import PlatformError, TondoError
from tondo.faces.scorer.batch import Batch, GatheringAppender
from tondo.scoring.frames import stream_of
from tondo.scoring.model import LoadedModel, load_model
from tondo.scoring.package import open_package
from tondo.scoring.plan import packages_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.faces.scorer.metrics import Metrics
    from tondo.faces.scorer.route import Route
    from tondo.faces.scorer.sources import Desired, Source
    from tondo.faces.scorer.table import RouteTable, TableBuilder
    from tondo.ports.eventlog import EventLog
    from tondo.ports.runtime import RuntimeLoader
    from tondo.scoring.plan import PlannedDeployment

_log = logging.getLogger("tondo.scorer")

WATCH_S = 0.05
"""One stat of one file; a new plan is seen before anybody wonders."""

RETRY_S = 2.0
"""A plan that could not be loaded is tried again: its blobs may come back."""


class Appenders:
    """One appender a stream, kept across plans."""

    def __init__(self, log: EventLog | None, writer: str) -> None:
        self._log = log
        self._writer = writer
        self._open: dict[str, GatheringAppender] = {}
        self.batch = Batch()

    def for_deployment(self, deployment: PlannedDeployment) -> GatheringAppender | None:
        """Return the appender of a deployment's predictions, None where nothing is logged."""
        if self._log is None or deployment.log_mode == "off":
            return None
        stream = stream_of(deployment.name)
        if stream not in self._open:
            appender = self._log.appender(stream, self._writer, durability="written")
            self._open[stream] = GatheringAppender(appender)
            self.batch.appenders = list(self._open.values())
        return self._open[stream]

    def sync(self) -> None:
        """Flush to the device what was written since the last time; for any thread."""
        for appender in list(self._open.values()):
            appender.sync()

    def roll(self) -> dict[str, str | None]:
        """Close every current segment; return stream to segment name."""
        self.batch.flush()
        return {stream: appender.roll() for stream, appender in self._open.items()}


class Service:
    """Loads what its source desires and holds the table that answers."""

    def __init__(
        self,
        *,
        source: Source,
        loaders: Mapping[str, RuntimeLoader],
        appenders: Appenders,
        metrics: Metrics,
        key: bytes | None,
    ) -> None:
        self.source = source
        self.metrics = metrics
        self.appenders = appenders
        self.table: RouteTable | None = None
        self.problem: TondoError | None = None
        self.fast: dict[bytes, Route] = {}
        self.fast_answers = 0
        self.builder: TableBuilder
        self._loaders = loaders
        self._key = key
        self._started = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether there is a plan to answer from."""
        return self.table is not None

    def require_table(self) -> RouteTable:
        """Return the table; TD-SCORER-002 while no plan was loaded."""
        if self.table is None:
            raise self.problem or PlatformError(
                "TD-SCORER-002",
                "no serving plan has been published yet",
                expected="a pointer file in the workspace's serving folder",
                fix="Deploy a model version; the scorer will follow by itself.",
            )
        return self.table

    def load(self) -> None:
        """Load what is desired now; on any refusal the old table stays and `problem` says why."""
        number = self.table.plan.number if self.table else None
        try:
            desired = self.source.read(number)
            table = None if desired is None else self._build(desired)
        except TondoError as error:
            _log.warning("the new plan was refused: %s", error)
            self.problem = error
            return
        except OSError as error:
            self.problem = PlatformError("TD-SCORER-007", f"the plan cannot be read: {error}")
            return
        self.problem = None
        if table is not None:
            self.table, self.fast = table, table.fast
            _log.info("serving plan %d", table.plan.number)

    def _build(self, desired: Desired) -> RouteTable:
        kept = self.table.models if self.table else {}
        models: dict[str, LoadedModel] = {}
        for digest in sorted(packages_of(desired.plan)):
            models[digest] = kept.get(digest) or self._load_package(digest, desired)
        return self.builder.build(desired.plan, models)

    def _load_package(self, digest: str, desired: Desired) -> LoadedModel:
        data: bytes = desired.package(digest)
        if digest_bytes(data) != digest:
            raise PlatformError(
                "TD-SCORER-008",
                f"the package {digest[:16]} has other bytes than its name says",
                fix="Restore the blob, or register the model again.",
            )
        return load_model(open_package(data, key=self._key), self._loaders)

    async def watch(self) -> None:
        """Follow the source for ever; loading happens in a thread."""
        loop = asyncio.get_running_loop()
        next_try = 0.0
        while True:
            await asyncio.sleep(WATCH_S)
            retry = self.problem is not None and time.monotonic() >= next_try
            if self.source.changed() or retry:
                await loop.run_in_executor(None, self.load)
                next_try = time.monotonic() + RETRY_S

    def status(self) -> dict[str, Any]:
        """Return what GET /v1/status answers."""
        table = self.table
        return {
            "ready": self.ready,
            "plan": table.plan.number if table else None,
            "problem": self.problem.to_json() if self.problem else None,
            "deployments": {} if table is None else _deployments(table),
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._started, 3),
            "memory_bytes": resident_bytes(),
            "counters": self.metrics.totals(),
            "fast_answers": self.fast_answers,
        }

    def gauges(self) -> dict[str, float]:
        """Return what GET /metrics shows besides the counters."""
        return {
            "tondo_plan_number": self.table.plan.number if self.table else 0,
            "tondo_plan_refused": int(self.problem is not None),
            "tondo_models_loaded": len(self.table.models) if self.table else 0,
            "process_resident_memory_bytes": resident_bytes(),
        }


def _deployments(table: RouteTable) -> dict[str, Any]:
    return {
        name: {
            "log_mode": deployment.log_mode,
            "as_of": deployment.as_of,
            "variants": [
                {
                    "name": each.name,
                    "weight": each.weight,
                    "model": each.model,
                    "version": each.version,
                    "model_version_id": each.model_version_id,
                    "tags": each.tags,
                }
                for each in deployment.variants
            ],
            "addressable": [each.version for each in deployment.addressable],
        }
        for name, deployment in table.plan.deployments.items()
    }


def resident_bytes() -> int:
    """Return the resident memory of this process, 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
