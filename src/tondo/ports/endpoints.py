"""The endpoints port: a scorer that is asked over the network, as callers ask it."""

from __future__ import annotations

from typing import Protocol


class Endpoint(Protocol):
    """One scorer, asked one request after the other."""

    @property
    def address(self) -> str:
        """Where it answers."""
        ...

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a JSON body; return HTTP's status and the answer's body.

        OutsideError TD-SERVING-017 when no whole answer comes.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
