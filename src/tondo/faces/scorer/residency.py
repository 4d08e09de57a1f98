"""Which models are in memory, what each takes, and which has to go when room is needed."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest_bytes
from tondo.core.errors import PlatformError, TondoError
from tondo.faces.scorer.calibration import Cost, cost_of
from tondo.faces.scorer.memory import give_back, resident_bytes
from tondo.scoring.model import LoadedModel, load_model
from tondo.scoring.package import open_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tondo.ports.runtime import RuntimeLoader
    from tondo.scoring.package import PackageContents

_log = logging.getLogger("tondo.scorer")

_LEAST_BYTES = 64 << 10
"""What a model takes at least: decoders and compiled features, in pages that others share."""


class Resident(msgspec.Struct, frozen=True, eq=False):
    """A model in memory."""

    digest: str
    model: LoadedModel
    cost: Cost
    bytes: int
    """By how much the process has grown when it was loaded."""


class Residency:
    """Loads packages by digest, measures them, and knows whether they fit.

    `most_bytes` is what all models together may take; None is no limit. One package at a time is
    loaded: what it takes is the growth of the process meanwhile. Requests that are answered
    meanwhile add to that; they free what they take.
    """

    def __init__(
        self,
        loaders: Mapping[str, RuntimeLoader],
        *,
        key: bytes | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self.most_bytes = most_bytes
        self.models: dict[str, Resident] = {}
        self.loads = 0
        self.evictions = 0
        """Models that had to go although they may be asked for again."""
        self._loaders = loaders
        self._key = key
        self._sizes: dict[str, int] = {}
        self._pins: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._guard = threading.Lock()

    @property
    def total_bytes(self) -> int:
        """What the models in memory take together."""
        return sum(each.bytes for each in list(self.models.values()))

    def fits(self, digests: Iterable[str], *, beside: int | None = None) -> bool:
        """Return whether packages, as far as their size is known, fit `beside` what is loaded."""
        if self.most_bytes is None:
            return True
        taken = self.total_bytes if beside is None else beside
        more = sum(self._sizes.get(each, 0) for each in digests if each not in self.models)
        return taken + more <= self.most_bytes

    def bytes_of(self, digests: Iterable[str]) -> int:
        """Return what packages take that are in memory."""
        return sum(self.models[each].bytes for each in digests if each in self.models)

    def load(self, digest: str, package: Callable[[str], bytes]) -> Resident:
        """Return the model of a package, loaded now if it is not; for any thread but the loop's.

        It stays until it is unpinned. TD-SCORER-008 when the bytes are not those of the digest,
        TD-SCORER-014 when it alone takes more than all models may, TD-SCORER-015 when it cannot
        be loaded for a reason nobody foresaw, and what opening a package may raise.
        """
        with self._guard:
            found = self.models.get(digest)
            if found is None:
                found = self._load(digest, package)
                self.models[digest] = found
                self._sizes[digest] = found.bytes
                self.loads += 1
            self._pins[digest] += 1
            return found

    def unpin(self, digests: Iterable[str]) -> None:
        """Take back the pins of loads: what was loaded is in use now, or not wanted."""
        with self._guard:
            self._pins.subtract(digests)

    def release(self, digest: str) -> Resident | None:
        """Forget a model that is in no use; None when it is pinned, or not there."""
        with self._guard:
            return None if self._pins[digest] > 0 else self.models.pop(digest, None)

    @staticmethod
    def close(released: Iterable[Resident | None]) -> None:
        """Free released models; may take a while, for any thread but the loop's."""
        for resident in released:
            if resident is not None:
                resident.model.close()
        give_back()

    def _load(self, digest: str, package: Callable[[str], bytes]) -> Resident:
        contents = self._verified(digest, package)
        if contents.runtime not in self._begun:
            # The first of a runtime brings the library with it, which is no model's memory.
            self._opened(contents, digest)[0].close()
            self._begun.add(contents.runtime)
        del contents
        give_back()
        before = resident_bytes()
        model, cost = self._opened(self._verified(digest, package), digest)
        model_bytes = sum(map(len, model.contents.files.values()))
        model.contents = msgspec.structs.replace(
            model.contents, files={}, baseline={}, training={}, environment={}, importance={}
        )
        give_back()
        grown = max(resident_bytes() - before, model_bytes, _LEAST_BYTES)
        if self.most_bytes is not None and grown > self.most_bytes:
            model.close()
            self._sizes[digest] = grown
            raise _too_large(model.contents.name, grown, self.most_bytes)
        return Resident(digest, model, cost, grown)

    def _verified(self, digest: str, package: Callable[[str], bytes]) -> PackageContents:
        data = package(digest)
        if digest_bytes(data) != digest:
            raise PlatformError(
                "TD-SCORER-008",
                f"the package {digest[:16]} has other bytes than its name says",
                fix="Restore the blob, or register the model again.",
            )
        return open_package(data, key=self._key)

    def _opened(self, contents: PackageContents, digest: str) -> tuple[LoadedModel, Cost]:
        try:
            model = load_model(contents, self._loaders)
            return model, cost_of(model)
        except TondoError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: others are loaded all the same
            _log.exception("the package %s cannot be loaded", digest[:16])
            raise PlatformError(
                "TD-SCORER-015",
                f"the package {digest[:16]} cannot be loaded: {type(error).__name__}: {error}",
                fix="The scorer's log has the details; register the model again.",
            ) from None


def _too_large(name: str, found: int, most: int) -> PlatformError:
    return PlatformError(
        "TD-SCORER-014",
        f"the model '{name}' takes {found >> 20} MB, more than all models of this scorer may",
        expected=f"at most {most >> 20} MB (--memory)",
        fix="Start the scorer with a larger --memory, or deploy a smaller model.",
        model=name,
    )
