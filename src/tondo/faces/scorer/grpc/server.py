"""The gRPC server, in the scorer's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from tondo.core.errors import CallerError, PlatformError, TondoError
from tondo.faces.scorer.grpc.handler import ROUTE, GrpcHandler, call_of
from tondo.faces.scorer.grpc.messages import MESSAGES, PACKAGE
from tondo.faces.scorer.protocols import v2
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES
from tondo.faces.scorer.waiting import answer
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.wire import Wire
    from tondo.faces.web.guard import Guard

SERVICE: Final = f"{PACKAGE}.GRPCInferenceService"

SHAPES: Final = ((ROUTE, GrpcHandler),)
"""Its routes in the table, as the others' are."""

MOST_CALLS: Final = 256
"""Calls under way at once; at half a millisecond each the last waits an eighth of a second. What is
beyond is refused as RESOURCE_EXHAUSTED at once."""

_CODES: Final = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""Status over HTTP to the one of gRPC; INVALID_ARGUMENT for all others of the caller's."""

_OK: Final = 200


class GrpcServer:
    """Speaks for a service on a port of its own; nothing listens before `start`."""

    def __init__(
        self, service: Service, guard: Guard, host: str, wire: Wire, *, shared: bool = False
    ) -> None:
        """`shared` is whether workers have the port too."""
        self._shared = shared
        self._service = service
        self._guard = guard
        self._host = host
        self._wire = wire
        self.address = ""
        """Host and port, once it has started."""

    async def start(self) -> None:
        """Begin to listen; TD-SCORER-001 where the port is taken."""
        options = [
            ("grpc.so_reuseport", int(self._shared)),
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
        ]
        self._server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MOST_CALLS)
        calls = _Calls(self._service, self._guard)
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(call) for name, call in calls.by_name()
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )
        self.address = f"{self._host}:{self._bind()}"
        await self._server.start()

    def _bind(self) -> int:
        address = f"{self._host}:{self._wire.grpc_port}"
        try:
            if self._wire.tls_cert is None or self._wire.tls_key is None:
                port: int = self._server.add_insecure_port(address)
                return port
            pair = (self._wire.tls_key.read_bytes(), self._wire.tls_cert.read_bytes())
            secure: int = self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except RuntimeError:
            raise PlatformError(
                "TD-SCORER-001",
                f"gRPC cannot listen on {address}",
                expected="an address of this machine with a port nobody else uses",
                fix="Choose another --grpc-port (0 takes a free one).",
                port=self._wire.grpc_port,
            ) from None
        return secure

    async def stop(self, grace_s: float) -> None:
        """Take no more calls; those under way have `grace_s`."""
        await self._server.stop(grace_s)


class _Calls:
    """The protocol's methods: bytes to bytes."""

    def __init__(self, service: Service, guard: Guard) -> None:
        self._service = service
        self._guard = guard

    def by_name(self) -> list[tuple[str, Callable[[bytes, Any], Awaitable[bytes]]]]:
        """Return every method of the service; `ModelInfer` reads its message itself."""
        named = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._server,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model,
        }
        calls = [(name, self._checked(self._simple(name, call))) for name, call in named.items()]
        return [*calls, ("ModelInfer", self._checked(self._infer))]

    def _checked(
        self, call: Callable[[bytes, Any], Awaitable[bytes]]
    ) -> Callable[[bytes, Any], Awaitable[bytes]]:
        """Return the call with the token demanded, and coded errors as statuses."""

        async def checked(data: bytes, context: Any) -> bytes:
            try:
                headers = dict(context.invocation_metadata() or ())
                refused = self._guard.token_refusal(str(headers.get("authorization", "")).encode())
                if refused is not None:
                    raise refused
                return await call(data, context)
            except TondoError as error:
                await _abort(context, status_of(error), str(error))
                raise

        return checked

    def _simple(
        self, name: str, call: Callable[[Any], Awaitable[dict[str, Any]]]
    ) -> Callable[[bytes, Any], Awaitable[bytes]]:
        request, response = MESSAGES[f"{name}Request"], MESSAGES[f"{name}Response"]

        async def simple(data: bytes, _: Any) -> bytes:
            try:
                message = request.FromString(data)
            except DecodeError as error:
                raise _unreadable(error) from None
            answered: bytes = response(**await call(message)).SerializeToString()
            return answered

        return simple

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

    async def _infer(self, data: bytes, context: Any) -> bytes:
        headers = {
            name: value
            for name, value in context.invocation_metadata() or ()
            if name == "x-request-id" and isinstance(value, str)
        }
        try:
            call = call_of(data, headers)
        except ValueError as error:
            raise _unreadable(error) from None
        name, version = call.message.model_name, call.message.model_version or None
        await self._service.ensure(name, version)
        further = "" if version is None else f"/versions/{version}"
        table = self._service.require_table()
        route = table.routes[ROUTE.format(name=name, version=further).encode()]
        status, payload = await answer(self._service, route, call)
        if status != _OK:
            await _abort(context, status, payload.decode())
        return payload


async def _abort(context: Any, status: int, text: str) -> None:
    """End the call with a status; raises."""
    if status == 503:
        context.set_trailing_metadata((("retry-after", "1"),))
    await context.abort(_CODES.get(status, grpc.StatusCode.INVALID_ARGUMENT), text)


def _unreadable(error: Exception) -> CallerError:
    return CallerError(
        "TD-SCORE-005",
        f"the message cannot be read: {error}",
        expected="a message of the Open Inference Protocol",
    )
