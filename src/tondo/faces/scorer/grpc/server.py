"""The gRPC server, in the scorer's event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from tondo.core.errors import PlatformError
from tondo.faces.scorer.grpc.calls import Calls, refusal
from tondo.faces.scorer.grpc.messages import PACKAGE
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tondo.faces.scorer.grpc.calls import Call
    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.wire import Wire
    from tondo.faces.web.guard import Guard

SERVICE: Final = f"{PACKAGE}.GRPCInferenceService"

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
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(self._spoken(call))
            for name, call in Calls(self._service).by_name().items()
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

    def _spoken(self, call: Call) -> Callable[[bytes, Any], Awaitable[bytes]]:
        """Return a method as grpc calls it: the token demanded, what is refused as a status."""

        async def spoken(data: bytes, context: Any) -> bytes:
            headers = {
                name: value
                for name, value in context.invocation_metadata() or ()
                if isinstance(value, str)
            }
            error = self._guard.token_refusal(headers.get("authorization", "").encode())
            refused = None if error is None else refusal(error)
            status, payload = refused or await call(data, headers)
            if status != _OK:
                await _abort(context, status, payload.decode())
            return payload

        return spoken


async def _abort(context: Any, status: int, text: str) -> None:
    """End the call with a status; raises."""
    if status == 503:
        context.set_trailing_metadata((("retry-after", "1"),))
    await context.abort(_CODES.get(status, grpc.StatusCode.INVALID_ARGUMENT), text)
