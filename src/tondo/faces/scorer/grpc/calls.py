"""The protocol's methods for one service: bytes to a status over HTTP and bytes.

What is asked of an isolated deployment is handed on to its process, which has the same methods as
pages (`pages.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from tondo.core.errors import CallerError, TondoError
from tondo.faces.scorer.grpc.handler import ROUTE, GrpcHandler, call_of
from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.faces.scorer.protocols import v2
from tondo.faces.scorer.tracing import valid_request_id
from tondo.faces.scorer.waiting import answer
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from tondo.faces.scorer.service import Service

Answer = tuple[int, bytes]
"""200 and a message, or another status and the text of a coded error."""

Call = Callable[[bytes, Mapping[str, str]], Awaitable[Answer]]
"""A method: a message and the headers beside it, names in lower case."""

SHAPES: Final = ((ROUTE, GrpcHandler),)
"""Its routes in the table, as the others' are."""

PAGE: Final = "/grpc/{method}"
"""Where the process of an isolated deployment answers a method."""

_OK: Final = 200

_REQUEST_ID: Final = "x-request-id"


class Calls:
    """The methods; `by_name` has them all."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def by_name(self) -> dict[str, Call]:
        """Return every method of the protocol by its name."""
        told = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._server,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model,
        }
        calls = {name: self._telling(name, call) for name, call in told.items()}
        return {name: _coded(call) for name, call in {**calls, "ModelInfer": self._infer}.items()}

    def _telling(self, method: str, call: Callable[[Any], Awaitable[dict[str, Any]]]) -> Call:
        """Return a method that answers by a message with the fields that `call` returns."""
        request, response = MESSAGES[f"{method}Request"], MESSAGES[f"{method}Response"]

        async def telling(data: bytes, headers: Mapping[str, str]) -> Answer:
            try:
                message = request.FromString(data)
            except DecodeError as error:
                raise _unreadable(error) from None
            name = getattr(message, "name", None)
            if name is not None and self._service.is_isolated(name):
                return await self._hand_on(method, name, data, headers)
            return _OK, response(**await call(message)).SerializeToString()

        return telling

    async def _live(self, _: Any) -> dict[str, Any]:
        return {"live": True}

    async def _ready(self, _: Any) -> dict[str, Any]:
        return {"ready": self._service.ready}

    async def _server(self, _: Any) -> dict[str, Any]:
        return v2.SERVER

    async def _model_ready(self, message: Any) -> dict[str, Any]:
        await self._service.ensure(message.name, message.version or None)
        return {"ready": True}

    async def _model(self, message: Any) -> dict[str, Any]:
        name, version = message.name, message.version or None
        await self._service.ensure(name, version)
        table = self._service.require_table()
        path = table.path_of(name, version)
        serving = next(iter(path.servings.values()))
        versions = (
            table.version_numbers(name) if version is None else [str(serving.variant.version)]
        )
        told = v2.metadata(path, serving, versions)
        del told["parameters"]  # the message has no place for them
        return told

    async def _infer(self, data: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer `ModelInfer`, which reads its message itself."""
        told = {name: value for name, value in headers.items() if name == _REQUEST_ID}
        try:
            call = call_of(data, told)
        except ValueError as error:
            raise _unreadable(error) from None
        name, version = call.message.model_name, call.message.model_version or None
        if self._service.is_isolated(name):
            return await self._hand_on("ModelInfer", name, data, headers)
        await self._service.ensure(name, version)
        further = "" if version is None else f"/versions/{version}"
        table = self._service.require_table()
        route = table.routes[ROUTE.format(name=name, version=further).encode()]
        return await answer(self._service, route, call)

    async def _hand_on(
        self, method: str, name: str, data: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """Return what the process of an isolated deployment answers."""
        request_id = valid_request_id(headers.get(_REQUEST_ID))
        told = [] if request_id is None else [(_REQUEST_ID.encode(), request_id.encode())]
        page = PAGE.format(method=method).encode()
        answered = await self._service.isolation.forwarder(name).forward(b"POST", page, told, data)
        return answered.status, answered.body


def _coded(call: Call) -> Call:
    """Return a method that answers by a coded error instead of raising it."""

    async def coded(data: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            return await call(data, headers)
        except TondoError as error:
            return refusal(error)

    return coded


def refusal(error: TondoError) -> Answer:
    """Return an error as an answer."""
    return status_of(error), str(error).encode()


def _unreadable(error: Exception) -> CallerError:
    return CallerError(
        "TD-SCORE-005",
        f"the message cannot be read: {error}",
        expected="a message of the Open Inference Protocol",
    )
