"""Features that an outside service computes: asked within a time limit, else a stated default.

A row then holds, beside the values, `@view.defaulted[key]` where the service did not answer, so
that the log tells defaults from answers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from time import monotonic
from typing import TYPE_CHECKING, Any

from tondo.core.errors import OutsideError, TondoError
from tondo.language.values import READERS
from tondo.scoring.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from tondo.ports.services import FeatureService, ServiceSettings
    from tondo.scoring.hops import Needed
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.request import Row, ScoreRequest
    from tondo.scoring.serving import Serving

MOST_AT_ONCE = 16
"""Threads that wait for services; more requests than that wait for a thread, within the limit."""
DEFAULTED = "defaulted"
"""No feature of an asked view may have this name."""


class AskedViews:
    """The services of a scorer, with their breakers; shared by all its deployments."""

    def __init__(
        self,
        services: Mapping[str, ServiceSettings],
        open_service: Callable[[ServiceSettings], FeatureService],
    ) -> None:
        self.settings = dict(services)
        self._services = {name: open_service(each) for name, each in services.items()}
        self._breakers = {
            name: Breaker(failures=each.failures, pause_us=each.pause_us)
            for name, each in services.items()
        }
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="tondo-ask")

    def close(self) -> None:
        """Close the services; a request that still waits is let go."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for service in self._services.values():
            service.close()

    def start(
        self, view: str, keys: Sequence[Any], features: Sequence[str], as_of_us: int
    ) -> Future[list[dict[str, Any]]] | None:
        """Begin to ask; None where the breaker is open."""
        if not self._breakers[view].allows(_now_us()):
            return None
        return self._pool.submit(self._services[view].ask, keys, features, as_of_us=as_of_us)

    def note(self, view: str, *, answered: bool) -> None:
        """Tell the view's breaker how it went."""
        if answered:
            self._breakers[view].succeeded()
        else:
            self._breakers[view].failed(_now_us())


class AskedFeatures:
    """What one deployment's models ask of services."""

    def __init__(
        self, needed: Sequence[Needed], layouts: Mapping[str, ViewLayout], views: AskedViews
    ) -> None:
        self._views = views
        groups: dict[tuple[str, str], list[Needed]] = {}
        for each in needed:
            groups.setdefault((each[1], each[3]), []).append(each)
        self._groups = [
            _Group(outputs, layouts[view], views.settings[view])
            for (view, _), outputs in groups.items()
        ]

    def fill(self, request: ScoreRequest, *, as_of_us: int) -> None:
        """Put the values into the request's rows; views that got defaults into `defaulted`."""
        started = monotonic()
        waiting = []
        for group in self._groups:
            keys = group.keys_of(request.rows)
            future = self._views.start(group.view, keys, group.features, as_of_us) if keys else None
            waiting.append((group, keys, future))
        for group, keys, future in waiting:
            left_s = group.timeout_s - (monotonic() - started)
            values = self._values(group, keys, future, left_s)
            if keys and values is None:
                request.defaulted = (*request.defaulted, group.view)
            group.fill(request.rows, values)

    def _values(
        self,
        group: _Group,
        keys: Sequence[Any],
        future: Future[list[dict[str, Any]]] | None,
        left_s: float,
    ) -> dict[Any, list[Any]] | None:
        """Return the features by key, None where the service gave none in time."""
        if future is None:
            return None
        try:
            done, _ = wait([future], timeout=max(left_s, 0.0))
            values = group.read(keys, future.result()) if done else None
        except TondoError:
            values = None
        self._views.note(group.view, answered=values is not None)
        return values


def asked_features(servings: Iterable[Serving], views: AskedViews) -> AskedFeatures | None:
    """Return what some variants ask of services, None where none asks any."""
    needed: dict[str, Needed] = {}
    layouts: dict[str, ViewLayout] = {}
    for serving in servings:
        contents = serving.model.contents
        for each in contents.view_features:
            if contents.views[each[1]].asked and each[1] in views.settings:
                needed[each[0]] = each
                layouts[each[1]] = contents.views[each[1]]
    return AskedFeatures(list(needed.values()), layouts, views) if needed else None


class _Group:
    """The features of one view under one key column."""

    def __init__(
        self, outputs: Sequence[Needed], layout: ViewLayout, settings: ServiceSettings
    ) -> None:
        self.view = layout.view
        self.timeout_s = settings.timeout_us / 1e6
        self.features = [each[2] for each in outputs]
        self._names = [each[0] for each in outputs]
        self._key = outputs[0][3]
        self._flag = f"@{layout.view}.{DEFAULTED}[{self._key}]"
        self._readers = [READERS[layout.features[each]] for each in self.features]
        self._defaults = [settings.defaults.get(each) for each in self.features]

    def keys_of(self, rows: Sequence[Row]) -> list[Any]:
        found = (row.get(self._key) for row in rows)
        return list(dict.fromkeys(each for each in found if each is not None))

    def read(self, keys: Sequence[Any], rows: Sequence[dict[str, Any]]) -> dict[Any, list[Any]]:
        """Return the values in their types; OutsideError when one does not fit."""
        try:
            return {
                key: [
                    None if row.get(name) is None else read(row[name], name)
                    for name, read in zip(self.features, self._readers, strict=True)
                ]
                for key, row in zip(keys, rows, strict=True)
            }
        except TondoError as error:
            raise OutsideError("TD-SERVICE-001", error.message, view=self.view) from None

    def fill(self, rows: Sequence[Row], values: Mapping[Any, list[Any]] | None) -> None:
        nothing = [None] * len(self._names)
        for row in rows:
            key = row.get(self._key)
            if key is None:
                row.update(zip(self._names, nothing, strict=True))
            elif values is None:
                row.update(zip(self._names, self._defaults, strict=True))
                row[self._flag] = True
            else:
                row.update(zip(self._names, values[key], strict=True))


def _now_us() -> int:
    return int(monotonic() * 1e6)
