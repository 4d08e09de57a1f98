"""Where the scorer learns what to serve: a serving plan's pointer file, or a folder of packages."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from tondo.core.canonical import digest_bytes
from tondo.core.errors import DefinitionError, NotFoundError, TondoError
from tondo.scoring.package import open_package
from tondo.scoring.plan import (
    PlannedDeployment,
    PlannedVariant,
    ServingPlan,
    decode_plan,
    read_pointer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tondo.ports.blobs import Blobs

SUFFIX = ".tondo"


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and how to get the bytes of its packages."""

    plan: ServingPlan
    package: Any
    """Digest to bytes; a function."""


class Source(Protocol):
    """What the watcher asks."""

    def changed(self) -> bool:
        """Say whether there may be something new since `mark`; cheap."""
        ...

    def read(self, loaded: int | None) -> Desired | None:
        """Return what is newer than plan number `loaded`, or None."""
        ...


class PlanSource:
    """Follows `<root>/serving/pointer.json`; plans and packages are blobs under their digest."""

    def __init__(self, pointer: Path, blobs: Callable[[], Blobs]) -> None:
        self._pointer = pointer
        self._blobs = blobs
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Say whether the pointer file was replaced since the last call."""
        try:
            stat = self._pointer.stat()
        except OSError:
            return False
        mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        differs = mark != self._seen
        self._seen = mark
        return differs

    def read(self, loaded: int | None) -> Desired | None:
        """Return the plan the pointer names when its number is larger than `loaded`."""
        pointer = read_pointer(self._pointer)
        if pointer is None or (loaded is not None and pointer.number <= loaded):
            return None
        blobs = self._blobs()
        plan = decode_plan(blobs.get(pointer.digest))
        if plan.number != pointer.number:
            raise DefinitionError(
                "TD-PLAN-005",
                f"the pointer says plan {pointer.number}, its blob is plan {plan.number}",
                expected="one number in both",
                fix="Publish the plan again: tondo deployment publish.",
            )
        return Desired(plan=plan, package=blobs.get)


class FolderSource:
    """Serves every package of a folder under its own name, as version 1."""

    def __init__(self, folder: Path, *, log_mode: str) -> None:
        self._folder = folder
        self._log_mode = log_mode
        self._seen: Any = None
        self._number = 0

    def changed(self) -> bool:
        """Say whether a package came, went or changed since the last call."""
        try:
            mark = sorted(
                (path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in self._paths()
            )
        except OSError:
            return False
        differs = bool(mark != self._seen)
        self._seen = mark
        return differs

    def read(self, loaded: int | None) -> Desired:
        """Return a plan made of the packages that are there now."""
        if not self._folder.is_dir():
            raise NotFoundError(
                "TD-SCORER-005",
                f"there is no folder {self._folder}",
                expected=f"a folder with packages, files ending in {SUFFIX}",
                path=str(self._folder),
            )
        packages: dict[str, Path] = {}
        deployments: dict[str, PlannedDeployment] = {}
        origin: dict[str, str] = {}
        for path in self._paths():
            data = path.read_bytes()
            digest = digest_bytes(data)
            packages[digest] = path
            name = open_package(data).name
            if name in origin:
                raise DefinitionError(
                    "TD-SCORER-006",
                    f"{origin[name]} and {path.name} both hold a package named '{name}'",
                    expected="each name once in the folder",
                    fix="Remove one, or serve a plan, which knows versions.",
                )
            origin[name] = path.name
            deployments[name] = self._deployment(name, digest)
        self._number = max(self._number, loaded or 0) + 1
        plan = ServingPlan(number=self._number, published_at_us=0, deployments=deployments)
        return Desired(plan=plan, package=lambda digest: packages[digest].read_bytes())

    def _paths(self) -> list[Path]:
        return sorted(
            path for path in self._folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")
        )

    def _deployment(self, name: str, digest: str) -> PlannedDeployment:
        variant = PlannedVariant(
            name="live",
            weight=1.0,
            model=name,
            version=1,
            model_version_id=f"package-{digest[:16]}",
            package=digest,
        )
        return msgspec.convert(
            {
                "name": name,
                "variants": [msgspec.to_builtins(variant)],
                "log_mode": self._log_mode,
                "as_of": "caller",
            },
            PlannedDeployment,
        )


class OnlySource:
    """Another source, of which one deployment is served here: what an isolated process follows."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name

    def changed(self) -> bool:
        """Say whether the other may have something new."""
        return self._source.changed()

    def read(self, loaded: int | None) -> Desired | None:
        """Return what is newer, with the one deployment, if it is there."""
        desired = self._source.read(loaded)
        if desired is None:
            return None
        found = desired.plan.deployments.get(self._name)
        here = {} if found is None else {self._name: replace(found, isolate="none")}
        return Desired(plan=replace(desired.plan, deployments=here), package=desired.package)


class IsolatedLimits:
    """Which deployments of a source run in processes of their own, and with how much memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._number: int | None = None
        self._limits: dict[str, int | None] = {}

    def __call__(self) -> dict[str, int | None]:
        """Return deployment to MB, None for no limit; one that cannot be read changes nothing."""
        if self._source.changed():
            with contextlib.suppress(TondoError, OSError):
                desired = self._source.read(self._number)
                if desired is not None:
                    self._number = desired.plan.number
                    self._limits = {
                        name: each.memory_mb
                        for name, each in desired.plan.deployments.items()
                        if each.isolate == "process"
                    }
        return self._limits
