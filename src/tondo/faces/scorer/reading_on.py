"""Reads on before a request is refused early: whoever still sends would not hear the refusal.

A connection that is closed while its caller sends is reset, and most callers then tell of the
reset and not of the answer. What is read here is dropped at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_DROPPED_BYTES: Final = 4 * MAX_BODY_BYTES
"""What is read in vain of one request: a body too large by mistake, not one without an end."""

_BEGINS: Final = "http.response.start"


class ReadOn:
    """ASGI middleware: an answer begins when the request is whole, or far too much has come.

    A caller who asks before he sends (`Expect: 100-continue`) and was not told to is answered at
    once.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more = not any(name == b"expect" for name, _ in scope["headers"])

        async def receiving() -> Any:
            nonlocal more
            message = await receive()
            more = message.get("more_body", False)
            return message

        async def sending(message: Any) -> None:
            dropped = 0
            while more and message["type"] == _BEGINS and dropped <= MAX_DROPPED_BYTES:
                dropped += len((await receiving()).get("body", b""))
            await send(message)

        await self._app(scope, receiving, sending)
