"""The table of scoring routes: what a plan makes answerable, with what is in memory of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tondo.core.errors import NotFoundError, PlatformError, near
from tondo.faces.scorer.aside import Twins, aside_model
from tondo.faces.scorer.calibration import worst
from tondo.faces.scorer.protocols import invocations, rows, sagemaker, tensorflow, v2
from tondo.faces.scorer.route import Route
from tondo.faces.scorer.units import Key, Unit, references_of, units_of
from tondo.scoring.asked import AskedViews
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import deployment_of
from tondo.scoring.serving import Serving, shared_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.core.ids import IdSource
    from tondo.faces.scorer.batch import GatheringAppender
    from tondo.faces.scorer.calibration import Cost
    from tondo.faces.scorer.handing import AwayRoute
    from tondo.faces.scorer.metrics import Metrics
    from tondo.faces.scorer.residency import Resident
    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Appender
    from tondo.ports.online import OnlineStore
    from tondo.ports.services import FeatureService, ServiceSettings
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan

SHAPES: Final[tuple[tuple[str, Any], ...]] = (
    (rows.ROUTE, rows.RowsHandler),
    (v2.ROUTE, v2.V2Handler),
    *tensorflow.SHAPES,
    (sagemaker.ROUTE, sagemaker.InvokeEndpoint),
    (invocations.ROUTE, invocations.Invocations),
)
"""Scoring URLs and what reads their bodies; `version` is empty or `/versions/{reference}`."""


class RouteTable:
    """Everything one plan serves; for the event loop's thread.

    `place` and `drop` change it while it is in use; a new plan has a new table.
    """

    def __init__(self, plan: ServingPlan) -> None:
        self.plan = plan
        self.units: dict[Key, Unit] = {unit.key: unit for unit in units_of(plan)}
        self.references: dict[str, dict[str, Key]] = {name: {} for name in plan.deployments}
        """Deployment to what its versions may be called, to the unit; the first of a name wins."""
        self.routes: dict[bytes, Route] = {}
        self.fast: dict[bytes, Route | AwayRoute] = {}
        """The routes that may be answered at once, not those that wait for a disk, a service or a
        thread; and those of other processes."""
        self.pinned: list[str] = []
        """Packages whose loads hold their models until the table is in use."""
        for unit in self.units.values():
            known = self.references[unit.key[0]]
            for variant in unit.variants:
                for reference in references_of(variant):
                    if reference not in known:
                        known[reference] = unit.key
                        unit.references.append(reference)

    def place(self, unit: Unit) -> None:
        """Make a unit that was built answerable."""
        self.units[unit.key] = unit
        for url, route in unit.routes.items():
            self.routes[url] = route
            if not (route.synced or route.asks or route.slow or route.reads_headers):
                self.fast[url] = route

    def drop(self, unit: Unit) -> None:
        """Make a unit cold: its models are not asked any more."""
        for url in unit.routes:
            self.routes.pop(url, None)
            self.fast.pop(url, None)
        self.units[unit.key] = unit.cold()

    def resident_packages(self) -> set[str]:
        """Return the digests of the packages that answer."""
        units = self.units.values()
        return {digest for unit in units if unit.resident for digest in unit.packages}

    def unit_of(self, name: str, version: str | None = None) -> Unit:
        """Return the unit that answers; TD-PLAN-003 and TD-PLAN-004 list what there is."""
        deployment_of(self.plan, name)
        if (name, None) not in self.units:
            raise PlatformError(
                "TD-SCORER-012",
                f"'{name}' has moved to a process of its own while the request waited",
                fix="Send the request again.",
                deployment=name,
            )
        if version is None:
            return self.units[name, None]
        key = self.references[name].get(version)
        if key is None:
            raise NotFoundError(
                "TD-PLAN-003",
                f"deployment '{name}' serves no version '{version}'",
                expected="a version's number, id or tag, or a variant's name",
                fix=near(version, self.references[name]),
                deployment=name,
                version=version,
            )
        return self.units[key]

    def path_of(self, name: str, version: str | None = None) -> ScoringPath:
        """Return a deployment's path, or a version's; TD-SCORER-011 while it is not loaded."""
        unit = self.unit_of(name, version)
        if unit.path is None:
            raise unit.error or PlatformError(
                "TD-SCORER-011",
                f"the models of '{unit.name}' are not in memory",
                fix="Send the request again; they are loaded when they are asked for over HTTP.",
                deployment=name,
            )
        return unit.path if version is None else unit.versions[version]

    def version_numbers(self, name: str) -> list[str]:
        """Return the numbers of the versions that answer under a name, oldest first."""
        planned = self.plan.deployments[name]
        numbers = {each.version for each in (*planned.variants, *planned.addressable)}
        return [str(each) for each in sorted(numbers)]


class TableBuilder:
    """Builds tables and their units with everything that outlives a plan."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        metrics: Metrics,
        appender_for: Callable[[PlannedDeployment], GatheringAppender | None],
        online: Callable[[], OnlineStore | None],
        open_service: Callable[[ServiceSettings], FeatureService] | None = None,
        further: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._appender_for = appender_for
        self._online = online
        self._open_service = open_service
        self._shapes = (*SHAPES, *further)
        self._asked: AskedViews | None = None

    def begin(self, plan: ServingPlan, before: RouteTable | None) -> RouteTable:
        """Return a plan's table; what answers as `before` is taken over, all else is cold."""
        table = RouteTable(plan)
        asked = self._services(plan)
        kept = before is not None and asked is self._asked
        self._asked = asked
        for key, unit in list(table.units.items()):
            old = before.units.get(key) if before is not None else None
            if old is None:
                continue
            unit.used_at = old.used_at
            if kept and old.resident and unit.same_as(old):
                table.place(old)
        return table

    def _services(self, plan: ServingPlan) -> AskedViews | None:
        """Return the plan's services: those before, with what is known of them, if unchanged."""
        if self._open_service is None or not plan.services:
            return None
        if self._asked is not None and self._asked.settings == plan.services:
            return self._asked
        return AskedViews(plan.services, self._open_service)

    def build(self, unit: Unit, models: Mapping[str, Resident]) -> Unit:
        """Return a unit as it answers; `models` by digest of their packages. For any thread."""
        built = unit.cold()
        cost = worst([models[each].cost for each in unit.packages])
        whole_routes: list[tuple[str, Route]] = []
        if unit.key[1] is None:
            whole = self._maker(unit.deployment, unit.variants, models)
            built.path = whole()
            whole_routes = self._routes(built.path, whole, cost)
            _add(built, "", whole_routes)
        for variant in unit.variants:
            alone = self._maker(unit.deployment, (variant,), models)
            only = len(unit.variants) == 1 and built.path is not None
            path = built.path if only and built.path is not None else alone()
            routes = whole_routes if only else self._routes(path, alone, cost)
            built.path = built.path or path
            for reference in references_of(variant):
                if reference in built.references and reference not in built.versions:
                    built.versions[reference] = path
                    _add(built, f"/versions/{reference}", routes)
        return built

    def _maker(
        self,
        deployment: PlannedDeployment,
        variants: Sequence[PlannedVariant],
        models: Mapping[str, Resident],
    ) -> Callable[..., ScoringPath]:
        """Return what makes paths over variants: one for the loop's thread, others for aside."""
        reads = any(models[each.package].model.contents.view_features for each in variants)

        def make(*, aside: bool = False, appender: Appender | None = None) -> ScoringPath:
            online = self._online() if reads else None
            servings = []
            for each in variants:
                model = models[each.package].model
                model = aside_model(model) if aside else model
                servings.append(Serving(each, model, online=online))
            return ScoringPath(
                deployment,
                servings,
                inputs=shared_inputs(servings, deployment.name),
                clock=self._clock,
                ids=self._ids,
                appender=appender if aside else self._appender_for(deployment),
                asked=self._asked,
            )

        return make

    def _routes(
        self, path: ScoringPath, make: Callable[..., ScoringPath], cost: Cost
    ) -> list[tuple[str, Route]]:
        """Return the routes of a path, one a shape, with their URLs' patterns."""
        routes = []
        for pattern, handler in self._shapes:
            route = Route(
                handler(path), self._metrics.route(path.deployment.name, handler.protocol)
            )
            route.slow = cost.slow
            route.most_bytes = min(route.most_bytes, cost.most_bytes)
            route.twins = Twins(handler, make, logged=path.appender is not None)
            routes.append((pattern, route))
        return routes


def _add(unit: Unit, version: str, routes: Sequence[tuple[str, Route]]) -> None:
    """Let routes answer under the URLs of a version, or of the deployment."""
    for pattern, route in routes:
        url = pattern.format(name=unit.key[0], version=version)
        unit.routes[url.encode()] = route
