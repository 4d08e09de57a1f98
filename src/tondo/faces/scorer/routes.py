"""The table of scoring routes: what a plan makes answerable, built whole and swapped at once."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from tondo.core.errors import NotFoundError, PlatformError, TondoError, near
from tondo.faces.scorer.protocols import rows, v2
from tondo.faces.web.status import status_of
from tondo.scoring.asked import AskedViews
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import deployment_of
from tondo.scoring.request import ScoreRequest
from tondo.scoring.serving import Serving, shared_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.core.ids import IdSource
    from tondo.faces.scorer.batch import GatheringAppender
    from tondo.faces.scorer.metrics import Metrics, RouteMetrics
    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.ports.services import FeatureService, ServiceSettings
    from tondo.scoring.answer import Answer
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan

_log = logging.getLogger("tondo.scorer")


class Route:
    """One URL: a handler with its counts. `answer` never raises."""

    __slots__ = ("_encode_error", "_handler", "appender", "metrics", "path")

    def __init__(self, handler: rows.RowsHandler | v2.V2Handler, metrics: RouteMetrics) -> None:
        self.path = handler.path
        self.appender = handler.path.appender
        self.metrics = metrics
        self._handler = handler
        self._encode_error = (rows if handler.protocol == "rows" else v2).encode_error

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return status and JSON for a request's body; not to be sent before `batch` is flushed."""
        return self.answer_all([body])[0]

    def answer_all(self, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Return `answer` of each body; the work of all is done step by step."""
        start = time.perf_counter_ns()
        return self.finish([self.read(body, start) for body in bodies], start)

    def finish(
        self, outcomes: Sequence[ScoreRequest | tuple[int, bytes]], start: int
    ) -> list[tuple[int, bytes]]:
        """Answer what `read` gave, from `start` on; for the thread of the event loop."""
        requests = [each for each in outcomes if isinstance(each, ScoreRequest)]
        answers = self._score(requests)
        waiting = iter(answers)
        replies = [
            self._reply(next(waiting), outcome) if isinstance(outcome, ScoreRequest) else outcome
            for outcome in outcomes
        ]
        elapsed_ns = time.perf_counter_ns() - start
        predictions = sum(
            0 if isinstance(each, TondoError) else len(each.predictions) for each in answers
        )
        self.metrics.count([status for status, _ in replies], elapsed_ns, predictions)
        return replies

    def read(self, body: bytes, start_ns: int) -> ScoreRequest | tuple[int, bytes]:
        """Return the request of a body, or at once what to answer to one that is none."""
        try:
            return self._handler.read(body, start_ns)
        except TondoError as error:
            return self._refuse(error)
        except Exception:  # noqa: BLE001 - the edge: one bad request must not end the process
            return self._broken()

    def _score(self, requests: list[ScoreRequest]) -> list[Answer | TondoError]:
        try:
            return self.path.score_requests(requests)
        except Exception:  # noqa: BLE001 - the edge: one bad request must not end the others
            if len(requests) == 1:
                _log.exception("a scoring request failed")
                return [_unexpected()]
            return [answer for each in requests for answer in self._score([each])]

    def _reply(self, answer: Answer | TondoError, request: ScoreRequest) -> tuple[int, bytes]:
        if isinstance(answer, TondoError):
            return self._refuse(answer)
        return 200, self._handler.reply(answer, request.request_id)

    def _refuse(self, error: TondoError) -> tuple[int, bytes]:
        return status_of(error), self._encode_error(error)

    def _broken(self) -> tuple[int, bytes]:
        _log.exception("a scoring request failed")
        return self._refuse(_unexpected())

    def not_written(self, error: TondoError) -> tuple[int, bytes] | None:
        """Return the answer in place of one whose frame was lost; None where that may be."""
        if self.path.log_mode == "sampled":
            return None
        self.metrics.correct(200, status_of(error))
        return self._refuse(error)

    @property
    def asks(self) -> bool:
        """Whether outside services are waited for: never on the event loop's thread."""
        return self.path.asked is not None

    def ask(self, request: ScoreRequest) -> None:
        """Ask them; for any thread."""
        self.path.ask(request)

    @property
    def synced(self) -> bool:
        """Whether a reply waits until its frame is on the device."""
        return self.path.synced


def _unexpected() -> TondoError:
    return PlatformError(
        "TD-SCORER-003",
        "the scorer failed on this request",
        fix="The scorer's log has the details; please report them.",
    )


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
                each.model_version_id: Serving(each, models[each.package], online=online)
                for each in (*deployment.variants, *deployment.addressable)
            }
            live = [servings[each.model_version_id] for each in deployment.variants]
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
