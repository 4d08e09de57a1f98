"""Puts the scorer together: one of the two places that construct adapters.

Also library mode: `load(package).predict(row)` gives the scorer's answers without a server.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.clocks.system import SystemClock
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.core.errors import MissingExtraError, NotFoundError
from tondo.core.ids import IdSource
from tondo.core.settings import ONLINE_SETTINGS, read_settings
from tondo.faces.scorer.fetching import check_digest, package_bytes
from tondo.faces.scorer.library import LibraryModel
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from starlette.routing import Route as UrlRoute

    from tondo.faces.scorer.grpc.server import GrpcServer
    from tondo.faces.scorer.metrics import Metrics
    from tondo.faces.scorer.pool.members import Kind
    from tondo.faces.scorer.pool.membership import Membership
    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.sources import Source
    from tondo.faces.scorer.tracing import Spans
    from tondo.faces.scorer.wire import Wire
    from tondo.faces.web.guard import Guard
    from tondo.ports.blobs import Blobs
    from tondo.ports.eventlog import EventLog
    from tondo.ports.launcher import MemberLauncher
    from tondo.ports.online import OnlineStore
    from tondo.ports.packages import PackageSource
    from tondo.ports.runtime import RuntimeLoader
    from tondo.ports.services import FeatureService, ServiceSettings

_MOST_THREADS = 4
"""Threads that answer slow and large requests, where the machine has as many processors."""


def runtime_loaders() -> dict[str, RuntimeLoader]:
    """Return every runtime by name; each imports its library when a package asks for it."""
    loaders: list[RuntimeLoader] = [OnnxLoader(), LightGBMLoader()]
    return {each.name: each for each in loaders}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer is told; exactly one of `root` and `packages`."""

    root: Path | None = None
    """A workspace: plan, blobs, online store and event log lie under it."""
    packages: Path | None = None
    """A bare folder of `*.tondo` packages."""
    log: Path | None = None
    """Event log's folder in packages mode; None logs nothing there."""
    grpc: bool = False
    """Whether V2 is spoken over gRPC too."""
    memory_mb: int | None = None
    """What all models together may take; None is no limit."""
    only: str | None = None
    """The one deployment that is served here: an isolated one."""
    shared: Path | None = None
    """Where plan, blobs, key and online settings lie instead, for several scorers that each have a
    `root` with their own log."""

    @property
    def common(self) -> Path:
        """Where the plan and all that it names lie."""
        return self.shared or self.root or Path()


def make_service(settings: Settings, membership: Membership | None = None) -> Service:
    """Return a service with its source, not loaded yet."""
    # Late, so that library mode, which is here too, does not wait for what serves.
    import secrets

    from tondo.adapters.eventlog.files.log import FilesEventLog
    from tondo.faces.scorer.appenders import Appenders
    from tondo.faces.scorer.isolation import Isolation
    from tondo.faces.scorer.residency import Residency
    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.sources import OnlySource
    from tondo.faces.scorer.table import TableBuilder
    from tondo.faces.scorer.threads import Threads

    source = _source_of(settings)
    if settings.root is not None:
        key = _workspace_key(settings.common / "key")
        log: EventLog | None = FilesEventLog(settings.root / "eventlog")
        online = _online_of(settings.common / ONLINE_SETTINGS, settings.root / "online")
    else:
        key = None
        log = None if settings.log is None else FilesEventLog(settings.log)
        online = _no_online
    if settings.only is not None:
        source = OnlySource(source, settings.only)
    membership = membership or make_membership(None, [])
    metrics = _metrics_of(membership)
    # Unique among live writers, also where process ids repeat (containers on one volume).
    appenders = Appenders(log, f"scorer-{os.getpid()}-{secrets.token_hex(4)}")
    builder = TableBuilder(
        clock=SystemClock(),
        ids=IdSource(),
        metrics=metrics,
        appender_for=appenders.for_deployment,
        online=online,
        open_service=open_feature_service,
        further=_grpc_shapes() if settings.grpc else (),
    )
    most_bytes = None if settings.memory_mb is None else settings.memory_mb << 20
    service = Service(
        source=source,
        residency=Residency(runtime_loaders(), key=key, most_bytes=most_bytes),
        builder=builder,
        appenders=appenders,
        metrics=metrics,
        threads=Threads(min(_MOST_THREADS, len(os.sched_getaffinity(0)))),
        isolation=Isolation(membership.run, metrics),
        membership=membership,
    )
    membership.isolated = lambda: service.isolated
    membership.figures, membership.roll = service.figures, appenders.roll
    return service


def _metrics_of(membership: Membership) -> Metrics:
    """Return counters; where there are several processes, any that is asked tells the sum."""
    from tondo.faces.scorer.metrics import Metrics

    cells = membership.cells()
    return Metrics(cells, lambda: membership.counted_by_all(cells))


def _source_of(settings: Settings) -> Source:
    from tondo.faces.scorer.sources import FolderSource, PlanSource

    if settings.root is None:
        log_mode = "off" if settings.log is None else "written"
        return FolderSource(settings.packages or Path(), log_mode=log_mode)
    for folder in (settings.root, settings.common):
        if not folder.is_dir():
            raise NotFoundError(
                "TD-SCORER-005",
                f"there is no folder {folder}",
                expected="a workspace's folder",
                path=str(folder),
            )
    pointer = settings.common / "serving" / "pointer.json"
    return PlanSource(pointer, _blobs_of(settings.common / "blobs"))


def isolated_limits(settings: Settings) -> Callable[[], Mapping[str, int | None]]:
    """Return what tells which deployments are isolated now, with their memory limits in MB."""
    from tondo.faces.scorer.sources import IsolatedLimits

    return dict if settings.root is None else IsolatedLimits(_source_of(settings))


def make_launcher() -> MemberLauncher:
    """Return what starts the processes of a scorer."""
    from tondo.adapters.launchers.members import DetachedLauncher

    return DetachedLauncher()


def make_membership(kind: Kind | None, arguments: Sequence[str], **named: Any) -> Membership:
    """Return what this process is among those of a scorer."""
    from tondo.faces.scorer.pool.membership import Membership

    return Membership(kind, make_launcher(), arguments, **named)


def open_feature_service(settings: ServiceSettings) -> FeatureService:
    """Return what asks an outside service."""
    from tondo.adapters.services.http.service import HttpFeatureService

    return HttpFeatureService(settings)


def _grpc_shapes() -> Sequence[tuple[str, Any]]:
    """Return V2 over gRPC; its library is an extra."""
    with _grpc_or_told():
        from tondo.faces.scorer.grpc.calls import SHAPES
    return SHAPES


def open_grpc(
    service: Service, guard: Guard, host: str, wire: Wire, *, shared: bool
) -> GrpcServer | None:
    """Return what speaks gRPC, None where no port of it is given; `shared` with other workers."""
    if wire.grpc_port is None:
        return None
    with _grpc_or_told():
        from tondo.faces.scorer.grpc.server import GrpcServer

    return GrpcServer(service, guard, host, wire, shared=shared)


def inner_pages(service: Service) -> Sequence[UrlRoute]:
    """Return the pages of an isolated process for what its callers ask over gRPC."""
    from tondo.faces.scorer.grpc.pages import inner_routes

    return inner_routes(service)


@contextlib.contextmanager
def _grpc_or_told() -> Iterator[None]:
    """Say which extra is missing, where that is why an import fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"grpc", "google"}:
            raise
        raise MissingExtraError.of("grpc", "--grpc-port") from None


def open_spans(path: Path | None) -> Spans | None:
    """Return what appends spans to a file, None where none are asked for."""
    from tondo.faces.scorer.tracing import Spans

    return None if path is None else Spans(path, SystemClock())


def load(
    package: bytes | Path | str,
    *,
    online: OnlineStore | None = None,
    digest: str | None = None,
    key: bytes | None = None,
    token: str | None = None,
) -> LibraryModel:
    """Load a sealed package for use in this process.

    `package` is its bytes, a path, or an address: `file://`, `http://` and `https://` (a web
    server, or a control plane's `/v1/models/NAME/versions/VERSION/package`, with `token`), `s3://`,
    `gs://`, `az://`. With `digest` it must be that very package, with `key` one that the
    key's holder sealed.

    Without `online` a row must carry the view features' values under their canonical names
    (`@view.feature[key]`); a missing one is TD-SCORE-012. A damaged package is TD-PACKAGE-001,
    another one TD-PACKAGE-009, one that cannot be had TD-PACKAGE-008 or -010 to -012; a runtime
    that is not installed is TD-INSTALL-001.
    """
    data = package_bytes(package, _package_sources(token))
    if digest is not None:
        check_digest(data, digest)
    model = load_model(open_package(data, key=key), runtime_loaders())
    return LibraryModel(model, clock=SystemClock(), online=online)


def _package_sources(token: str | None) -> dict[str, Callable[[], PackageSource]]:
    """Return what opens the source of an address, by its scheme."""

    def web() -> PackageSource:
        from tondo.adapters.packages.http.source import HttpPackages

        return HttpPackages(token)

    def objects() -> PackageSource:
        from tondo.adapters.packages.obstore.source import ObjectPackages

        return ObjectPackages()

    return {**dict.fromkeys(("http", "https"), web), **dict.fromkeys(("s3", "gs", "az"), objects)}


def _workspace_key(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _blobs_of(path: Path) -> Callable[[], Blobs]:
    def open_blobs() -> Blobs:
        from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs

        return ObstoreBlobs(path)

    return open_blobs


def _no_online() -> None:
    return None


def _online_of(told: Path, folder: Path) -> Callable[[], OnlineStore | None]:
    """Open the online store once, when a plan first needs it."""
    opened: list[Any] = []
    guard = threading.Lock()

    def open_store() -> OnlineStore:
        with guard:
            if not opened:
                opened.append(_open_online(told, folder))
            store: OnlineStore = opened[0]
            return store

    return open_store


def _open_online(path: Path, folder: Path) -> OnlineStore:
    """Open the store that the workspace's settings, or the environment, name."""
    told = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    settings = read_settings(told, os.environ, place=str(path))
    if settings.online_store == "lmdb":
        from tondo.adapters.online.lmdb.store import LmdbStore

        return LmdbStore(folder, readonly=True)
    try:
        from tondo.adapters.online.redis.store import RedisStore
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise MissingExtraError.of("redis", "the workspace's online store") from None
    return RedisStore(settings.online_store, unreachable=settings.online_fallback)
