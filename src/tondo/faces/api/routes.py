"""One Litestar handler for each row of the table of operations."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response  # noqa: TC002 - the framework reads the annotations

from tondo.faces.api.answers import answer_of, json_answer
from tondo.faces.api.arguments import bind, read_body
from tondo.faces.api.openapi import Verb, document
from tondo.workspace.operations import OPERATIONS
from tondo.workspace.signatures import parameters_of, result_type, verb_of

if TYPE_CHECKING:
    from tondo.faces.api.worker import Worker
    from tondo.workspace.operation import Operation
    from tondo.workspace.signatures import Parameter


def operation_routes(worker: Worker) -> list[HTTPRouteHandler]:
    """Return a handler for each operation."""
    return [_route(each, worker) for each in OPERATIONS]


def _route(operation: Operation, worker: Worker) -> HTTPRouteHandler:
    @cache
    def described() -> tuple[Any, list[Parameter]]:
        # Types are read when first wanted: reading all of them imports every stage.
        function = verb_of(worker.workspace, operation)
        return function, _taken(operation, function)

    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        function, parameters = await worker.call(described)
        arguments = await _arguments(request, parameters)
        result = await worker.call(function, **arguments)
        return answer_of(result)

    method, path = operation.http
    decorate = HTTPRouteHandler(
        re.sub(r"{(\w+)}", r"{\1:str}", path),
        http_method=method,  # type: ignore[arg-type]  # the table holds the words that it takes
        name=operation.name,
        status_code=200,
    )
    return decorate(handle)


def _taken(operation: Operation, function: Any) -> list[Parameter]:
    """Return the parameters that callers of the network may give."""
    return [each for each in parameters_of(function) if each.name not in operation.local]


async def _arguments(
    request: Request[Any, Any, Any], parameters: list[Parameter]
) -> dict[str, Any]:
    texts = [(name, str(value)) for name, value in request.path_params.items()]
    texts += request.query_params.multi_items()
    body = {}
    if request.method != "GET":
        body = read_body(await request.body(), request.headers.get("content-type", ""))
    return bind(parameters, texts=texts, body=body)


def schema_route(worker: Worker) -> HTTPRouteHandler:
    """Return the handler of `/schema`, the OpenAPI document."""

    @get("/schema", name="schema")
    async def schema() -> Response[bytes]:
        verbs = await worker.call(_verbs, workspace=worker.workspace)
        return json_answer(document(verbs, version=version("tondo")))

    return schema


def _verbs(workspace: Any) -> list[Verb]:
    functions = [(each, verb_of(workspace, each)) for each in OPERATIONS]
    return [
        Verb(operation=each, parameters=_taken(each, function), result=result_type(function))
        for each, function in functions
    ]


def health_route() -> HTTPRouteHandler:
    """Return the handler of `/health`, the sign of life."""

    @get("/health", name="health")
    async def health() -> Response[bytes]:
        return json_answer({"live": True})

    return health
