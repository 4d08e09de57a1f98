"""The table of scoring routes: what a plan makes answerable, built whole and swapped at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import NotFoundError, near
from tondo.faces.scorer.protocols import rows, v2
from tondo.faces.scorer.route import Route
from tondo.scoring.asked import AskedViews
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import deployment_of
from tondo.scoring.serving import Serving, shared_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tondo.core.ids import IdSource
    from tondo.faces.scorer.batch import GatheringAppender
    from tondo.faces.scorer.metrics import Metrics
    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.ports.services import FeatureService, ServiceSettings
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan


class RouteTable:
    """Everything one plan serves. Never changed after it is built."""

    def __init__(self, plan: ServingPlan, models: Mapping[str, LoadedModel]) -> None:
        self.plan = plan
        self.models = dict(models)
        self.paths: dict[str, ScoringPath] = {}
        self.versions: dict[str, dict[str, ScoringPath]] = {}
        self.routes: dict[bytes, Route] = {}
        self.fast: dict[bytes, Route] = {}
        """The routes that may be answered at once: not those that wait for a disk or a service."""

    def path_of(self, name: str, version: str | None = None) -> ScoringPath:
        """Return a deployment's path, or a version's; TD-PLAN-003, TD-PLAN-004 list choices."""
        deployment_of(self.plan, name)
        if version is None:
            return self.paths[name]
        found = self.versions[name].get(version)
        if found is None:
            raise NotFoundError(
                "TD-PLAN-003",
                f"deployment '{name}' serves no version '{version}'",
                expected="a version's number, id or tag, or a variant's name",
                fix=near(version, self.versions[name]),
                deployment=name,
                version=version,
            )
        return found

    def version_numbers(self, name: str) -> list[str]:
        """Return the numbers of the versions that answer under a name, oldest first."""
        planned = self.plan.deployments[name]
        numbers = {each.version for each in (*planned.variants, *planned.addressable)}
        return [str(each) for each in sorted(numbers)]


class TableBuilder:
    """Builds route tables with everything that outlives a plan."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        metrics: Metrics,
        appender_for: Callable[[PlannedDeployment], GatheringAppender | None],
        online: Callable[[], OnlineStore | None],
        open_service: Callable[[ServiceSettings], FeatureService] | None = None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._appender_for = appender_for
        self._online = online
        self._open_service = open_service
        self._asked: AskedViews | None = None

    def build(self, plan: ServingPlan, models: Mapping[str, LoadedModel]) -> RouteTable:
        """Return the table of `plan`; `models` by digest of their packages."""
        table = RouteTable(plan, models)
        needs_online = any(model.contents.view_features for model in models.values())
        online = self._online() if needs_online else None
        self._asked = self._services(plan)
        for name, deployment in plan.deployments.items():
            appender = self._appender_for(deployment)
            servings = {
                each.name: Serving(each, models[each.package], online=online)
                for each in (*deployment.variants, *deployment.addressable)
            }
            live = [servings[each.name] for each in deployment.variants]
            path = self._path(deployment, live, appender)
            table.paths[name] = path
            self._add(table, f"/v1/deployments/{name}/score", rows.RowsHandler(path))
            self._add(table, f"/v2/models/{name}/infer", v2.V2Handler(path))
            self._add_versions(table, deployment, servings, appender)
        return table

    def _path(
        self,
        deployment: PlannedDeployment,
        servings: list[Serving],
        appender: GatheringAppender | None,
    ) -> ScoringPath:
        return ScoringPath(
            deployment,
            servings,
            inputs=shared_inputs(servings, deployment.name),
            clock=self._clock,
            ids=self._ids,
            appender=appender,
            asked=self._asked,
        )

    def _services(self, plan: ServingPlan) -> AskedViews | None:
        """Return the plan's services: those before, with what is known of them, if unchanged."""
        if self._open_service is None or not plan.services:
            return None
        if self._asked is not None and self._asked.settings == plan.services:
            return self._asked
        return AskedViews(plan.services, self._open_service)

    def _add_versions(
        self,
        table: RouteTable,
        deployment: PlannedDeployment,
        servings: Mapping[str, Serving],
        appender: GatheringAppender | None,
    ) -> None:
        name = deployment.name
        known = table.versions.setdefault(name, {})
        for serving in servings.values():
            path = self._path(deployment, [serving], appender)
            by_rows, by_v2 = rows.RowsHandler(path), v2.V2Handler(path)
            for reference in _references(serving.variant):
                if reference in known:
                    continue
                known[reference] = path
                self._add(table, f"/v1/deployments/{name}/versions/{reference}/score", by_rows)
                self._add(table, f"/v2/models/{name}/versions/{reference}/infer", by_v2)

    def _add(self, table: RouteTable, url: str, handler: Any) -> None:
        route = Route(handler, self._metrics.route(handler.path.deployment.name, handler.protocol))
        table.routes[url.encode()] = route
        if not route.synced and not route.asks:
            table.fast[url.encode()] = route


def _references(variant: PlannedVariant) -> list[str]:
    """Return what a version may be called: number, id, variant name, tags; the first wins."""
    return [str(variant.version), variant.model_version_id, variant.name, *variant.tags]
