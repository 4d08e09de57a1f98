"""The feature service port: values that somebody else computes, asked for when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How an outside service is asked for the features of one view."""

    view: str
    url: str
    """`http://` or `https://`; asked by POST."""
    timeout_us: int = 50_000
    """How long an answer is waited for in all."""
    failures: int = 5
    """So many failures in a row open the breaker: nothing is asked for a while."""
    pause_us: int = 30_000_000
    """How long the breaker stays open before one request tries again."""
    token_env: str = ""
    """Environment variable that holds a bearer token; its value is never kept."""
    defaults: dict[str, Any] = {}
    """Feature to the value used where the service fails; null where none is given."""


class FeatureService(Protocol):
    """One service. Called from several threads."""

    def ask(
        self, keys: Sequence[Any], features: Sequence[str], *, as_of_us: int
    ) -> list[dict[str, Any]]:
        """Return one mapping of features a key, in the keys' order; a missing feature is null.

        OutsideError TD-SERVICE-001 when it cannot be reached, is too slow or answers nonsense.
        """
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...
