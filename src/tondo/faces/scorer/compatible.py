"""Pages of the shapes that other servers made known: TensorFlow Serving, SageMaker, MLflow."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route as UrlRoute

from tondo.core.errors import CallerError
from tondo.faces.scorer.asking import ask, body_of, json_response, name_of
from tondo.faces.scorer.doorman import handed_on
from tondo.faces.scorer.protocols import invocations, rows, sagemaker, tensorflow

if TYPE_CHECKING:
    from starlette.requests import Request

    from tondo.faces.scorer.service import Service

DEPLOYMENT: Final = "x-tondo-deployment"
"""Header that says which deployment `/invocations` is."""

_LABELS: Final = ("", "/versions/{version}", "/labels/{version}")


def compatible_routes(service: Service, *, invoked: str | None) -> list[UrlRoute]:
    """Return the routes; `invoked` is the deployment that `/invocations` is, unless told."""
    pages = _Pages(service, invoked)
    get, post = ["GET"], ["POST"]
    routes = [
        UrlRoute("/ping", pages.ping, methods=get),
        UrlRoute("/health", pages.ping, methods=get),
        UrlRoute("/version", pages.version, methods=get),
        UrlRoute("/invocations", pages.invocations, methods=post),
        UrlRoute("/endpoints/{name}/invocations", pages.endpoint, methods=post),
    ]
    for further in _LABELS:
        model = f"/v1/models/{{name}}{further}"
        routes += [
            UrlRoute(f"{model}:predict", pages.tensorflow, methods=post, name="predict"),
            UrlRoute(f"{model}:classify", pages.tensorflow, methods=post, name="classify"),
            UrlRoute(f"{model}:regress", pages.tensorflow, methods=post, name="regress"),
            UrlRoute(f"{model}/metadata", pages.metadata, methods=get),
            UrlRoute(model, pages.status, methods=get),
        ]
    routes.append(UrlRoute("/v1/models/{rest:path}", pages.no_such_verb, methods=post))
    return routes


class _Pages:
    def __init__(self, service: Service, invoked: str | None) -> None:
        self._service = service
        self._invoked = invoked

    async def ping(self, _: Request) -> Response:
        return Response(b"", 200 if self._service.ready else 503)

    async def version(self, _: Request) -> Response:
        return Response(metadata.version("tondo"), media_type="text/plain")

    async def invocations(self, request: Request) -> Response:
        told = request.headers.get(DEPLOYMENT) or request.headers.get(sagemaker.TARGET_MODEL)
        name = self._one(told or self._invoked)
        variant = request.headers.get(sagemaker.TARGET_VARIANT)
        if self._service.is_isolated(name):
            return await handed_on(self._service, name, request.scope, await body_of(request))
        await self._service.ensure(name, variant)
        request.path_params["name"] = name
        return await ask(self._service, request, invocations.ROUTE, variant)

    def _one(self, told: str | None) -> str:
        """Return the deployment that is meant; TD-SCORER-020 where it could be several."""
        if told is not None:
            return told
        names = sorted(self._service.require_table().plan.deployments)
        if len(names) == 1:
            return names[0]
        raise CallerError(
            "TD-SCORER-020",
            f"/invocations could be any of {len(names)} deployments",
            expected=f"the header {DEPLOYMENT} with one of " + ", ".join(names),
            fix="Or start the scorer with --invocations NAME.",
        )

    async def endpoint(self, request: Request) -> Response:
        variant = request.headers.get(sagemaker.TARGET_VARIANT)
        await self._service.ensure(name_of(request), variant)
        answered = await ask(self._service, request, sagemaker.ROUTE, variant)
        answered.status_code = sagemaker.status_in_aws(answered.status_code)
        return answered

    async def tensorflow(self, request: Request) -> Response:
        verb = request.scope["path"].rpartition(":")[2]
        pattern = tensorflow.ROUTE.format(verb=verb)
        return await ask(self._service, request, pattern, request.path_params.get("version"))

    async def no_such_verb(self, request: Request) -> Response:
        raise rows.unreachable(f"there is nothing to POST at {request.scope['path']}")

    async def status(self, request: Request) -> Response:
        table, version = self._service.require_table(), request.path_params.get("version")
        if version is None:
            table.path_of(name_of(request))
            return json_response(tensorflow.status(table.version_numbers(name_of(request))))
        path = table.path_of(name_of(request), version)
        versions = {str(each.variant.version) for each in path.servings.values()}
        return json_response(tensorflow.status(sorted(versions)))

    async def metadata(self, request: Request) -> Response:
        table = self._service.require_table()
        path = table.path_of(name_of(request), request.path_params.get("version"))
        return json_response(tensorflow.metadata(path, next(iter(path.servings.values()))))
