"""The parts of one workspace."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tondo.core.ids import IdSource
from tondo.core.settings import ONLINE_SETTINGS, Settings, read_settings
from tondo.workspace.bootstrap.bare import check_engine
from tondo.workspace.bootstrap.outside import (
    answer_tables,
    redis_store,
    source_databases,
    source_objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tondo.adapters.engines.spark.engine import SparkEngine
    from tondo.flow.executions import Executions
    from tondo.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.endpoints import Endpoint
    from tondo.ports.engine import Engine, Joiner, Profiler
    from tondo.ports.eventlog import EventLog
    from tondo.ports.exporter import Exporter
    from tondo.ports.launcher import Launcher
    from tondo.ports.library import ModelLibrary
    from tondo.ports.online import OnlineStore
    from tondo.ports.runtime import RuntimeLoader
    from tondo.ports.services import FeatureService, ServiceSettings
    from tondo.stages.features.views import FeatureView
    from tondo.stages.monitoring.streams import StreamTable
    from tondo.workspace.project import Project


STATE_FOLDER = ".tondo"


class Defined:
    """What a project's files say, and the engines that its settings ask for."""

    root: Path
    state: Path

    @cached_property
    def project(self) -> Project:
        """The project's definitions, read once."""
        from tondo.workspace.project import load_project

        return load_project(self.root)

    def read_again(self) -> None:
        """Read the definition files again; on a fault the definitions stay as they were."""
        from tondo.workspace.project import load_project

        self.project = load_project(self.root)

    @cached_property
    def settings(self) -> Settings:
        """Settings of the project file, under those of the environment."""
        projects = list(self.project.of("project").values())
        if not projects:
            return read_settings({}, os.environ)
        body = projects[0].body.get("settings") or {}
        return read_settings(body, os.environ, place=str(projects[0].place))

    @cached_property
    def threads(self) -> int:
        """How many threads the engine and training may use."""
        return self.settings.threads or len(os.sched_getaffinity(0))

    @cached_property
    def engine(self) -> Engine:
        """The embedded batch engine."""
        from tondo.adapters.engines.duckdb.engine import DuckDBEngine

        return DuckDBEngine(
            threads=self.threads,
            memory_limit_mb=self.settings.memory_mb or None,
            temp_directory=self.state / "spill",
        )

    @property
    def piece_bytes(self) -> int:
        """How much of a training set is joined at once: a quarter of the engine's limit."""
        from tondo.stages.features.spine_pieces import PIECE_BYTES

        return (self.settings.memory_mb << 18) or PIECE_BYTES

    @cached_property
    def profiler(self) -> Profiler:
        """What computes statistics: the embedded engine, or Spark where the settings say so."""
        return self.engine if self.settings.statistics_engine == "duckdb" else self.spark

    @cached_property
    def spark(self) -> SparkEngine:
        """Spark, by the settings."""
        from tondo.adapters.engines.spark.engine import SparkEngine

        return SparkEngine(
            url=self.settings.spark_url,
            memory_limit_mb=self.settings.memory_mb or None,
            temp_directory=(self.state / "spark").absolute(),
        )

    def joiner(self, name: str) -> Joiner:
        """Return what computes features, `duckdb` or `spark`; TD-SPARK-004 for another name."""
        check_engine(name)
        return self.engine if name == "duckdb" else self.spark


class Parts(Defined):
    """The parts of one workspace, each made when first used."""

    def __init__(self, root: Path, clock: Clock, *, state: Path | None = None) -> None:
        self.root = root
        self.state = state or root / STATE_FOLDER
        self.clock = clock
        self.ids = IdSource()
        self.feeds: list[Callable[[int], None]] = []
        """Called with the present instant before a pipeline reads: who brings new rows commits
        them here."""
        self.open_databases = source_databases
        """Opens what reads the databases of sources, when one is read."""
        self.open_objects = source_objects
        """Opens what reads the object stores of sources."""
        self.open_tables = answer_tables
        """Opens what writes answers into databases."""
        self._streams: dict[str, StreamTable] = {}
        self.actor = os.environ.get("TONDO_ACTOR") or os.environ.get("USER") or "somebody"
        """Who is recorded where a verb is not told."""

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, in SQLite under the state folder."""
        from tondo.ledger import Ledger

        return Ledger.open(f"sqlite:///{self.state / 'ledger.db'}", clock=self.clock)

    @cached_property
    def blobs(self) -> Blobs:
        """Blobs by digest."""
        from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs

        return ObstoreBlobs(self.state / "blobs")

    @cached_property
    def online(self) -> OnlineStore:
        """The online store that the scorer reads: LMDB, or the Redis of the settings."""
        self.tell_scorers()
        if self.settings.online_store != "lmdb":
            return redis_store(self.settings.online_store)
        from tondo.adapters.online.lmdb.store import LmdbStore

        # Pushed events are durable in the event log before they come here.
        return LmdbStore(
            self.state / "online", map_size=self.settings.online_mb << 20, relaxed=True
        )

    def tell_scorers(self) -> None:
        """Write down beside the plan which online store scorers are to read.

        The text is that of the setting, its variables not filled in; readable by its owner only.
        """
        path = self.state / ONLINE_SETTINGS
        told = self.settings.online_store, self.settings.online_fallback
        body = msgspec.json.encode(
            dict(zip(("online_store", "online_fallback"), told, strict=True))
        )
        if path.exists() and path.read_bytes() == body:
            return
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(body)
        fresh.replace(path)

    @cached_property
    def eventlog(self) -> EventLog:
        """Streams of predictions, outcomes and pushed events."""
        from tondo.adapters.eventlog.files.log import FilesEventLog

        return FilesEventLog(self.state / "eventlog")

    @cached_property
    def executions(self) -> Executions:
        """Durable executions of memoised steps."""
        from tondo.flow.executions import Executions

        return Executions(self.ledger, self.blobs, self.clock)

    def feature_service(self, settings: ServiceSettings) -> FeatureService:
        """Return what asks an outside service."""
        from tondo.adapters.services.http.service import HttpFeatureService

        return HttpFeatureService(settings)

    def endpoint(self, address: str) -> Endpoint:
        """Return a scorer that is asked over HTTP, with the token of the settings."""
        from tondo.adapters.endpoints.http.endpoint import HttpEndpoint

        return HttpEndpoint(address, token=self.settings.token)

    @cached_property
    def libraries(self) -> dict[str, ModelLibrary]:
        """Model libraries by the algorithms that they fit."""
        from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
        from tondo.adapters.libraries.sklearn.train import SklearnLibrary

        found: dict[str, ModelLibrary] = {}
        known: tuple[ModelLibrary, ...] = (SklearnLibrary(), LightGBMLibrary())
        for library in known:
            for algorithm in library.algorithms:
                found[algorithm] = library
        return found

    @cached_property
    def runtimes(self) -> dict[str, RuntimeLoader]:
        """Runtimes by the name that a package records."""
        from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
        from tondo.adapters.runtimes.onnx.runtime import OnnxLoader

        return {loader.name: loader for loader in (OnnxLoader(), LightGBMLoader())}

    @cached_property
    def exporter(self) -> Exporter:
        """What writes models for other languages."""
        from tondo.adapters.exports.onnx.exporter import OnnxExporter

        return OnnxExporter()

    @cached_property
    def launcher(self) -> Launcher:
        """Starts scorers as processes that end with this one."""
        from tondo.adapters.launchers.processes import ProcessLauncher

        return ProcessLauncher()

    @cached_property
    def web_launcher(self) -> Launcher:
        """Starts the control plane's process: REST and pages."""
        from tondo.adapters.launchers.processes import ProcessLauncher

        return ProcessLauncher("tondo.faces.server")

    @cached_property
    def consumer_launcher(self) -> Launcher:
        """Starts the process of consumers: shadows and streams."""
        from tondo.adapters.launchers.processes import ProcessLauncher

        return ProcessLauncher("tondo.faces.consumer")

    @property
    def plan_pointer(self) -> Path:
        """The file that scorers watch."""
        return self.state / "serving" / "pointer.json"

    @property
    def views(self) -> dict[str, FeatureView]:
        """The feature views that are defined, as they are now, by name."""
        from tondo.stages.features.views import FeatureView

        return {
            pointer.name.removeprefix("view/"): self.ledger.read(
                "feature_view", pointer.target, FeatureView
            )
            for pointer in self.ledger.pointers("view/")
        }

    def predictions(self, deployment: str) -> StreamTable:
        """Return the prediction log of a deployment; reading it again costs only what is new."""
        from tondo.stages.monitoring.predictions import prediction_stream

        return self._stream(f"predictions/{deployment}", prediction_stream, deployment)

    def outcomes(self, deployment: str) -> StreamTable:
        """Return the outcomes of a deployment's predictions."""
        from tondo.stages.monitoring.outcomes import outcome_stream

        return self._stream(f"outcomes/{deployment}", outcome_stream, deployment)

    def _stream(self, name: str, make: Callable[..., StreamTable], deployment: str) -> StreamTable:
        if name not in self._streams:
            self._streams[name] = make(
                deployment, eventlog=self.eventlog, ledger=self.ledger, blobs=self.blobs
            )
        return self._streams[name]

    @cached_property
    def key(self) -> bytes:
        """The key that signs this workspace's packages; made once, readable by its owner only."""
        path = self.state / "key"
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(32))
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass  # another process made it first; its key is the one
            finally:
                fresh.unlink()
        return path.read_bytes()

    def close(self) -> None:
        """Close what was opened."""
        for name in ("online", "spark", "engine", "ledger"):
            part = self.__dict__.get(name)
            if part is not None:
                part.close()
