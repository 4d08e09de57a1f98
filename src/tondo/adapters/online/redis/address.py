"""Addresses of a Redis store: secrets from the environment, never in a text that is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from tondo.core.errors import DefinitionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

SCHEMES = ("redis", "rediss", "unix")
DEFAULT_NAMESPACE = "tondo"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Address:
    """`redis://[user:${PASSWORD}@]host[:port][/number][?namespace=name]`, or `rediss`, `unix`.

    Keys of one namespace lie apart from those of another, so that projects may share a server.
    Raises DefinitionError TD-ONLINE-102 when it is no such address or a variable is not set.

    >>> address = Address("redis://ann:${PW}@store:6380/2?namespace=shop", {"PW": "s/e@c"})
    >>> address.url
    'redis://ann:s%2Fe%40c@store:6380/2'
    >>> address.shown, address.namespace
    ('redis://store:6380/2', 'shop')
    """

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        filled = _VARIABLE.sub(lambda found: quote(_value(found[1], environ), safe=""), text)
        whole = _VARIABLE.fullmatch(text)
        parts = _split(environ[whole[1]] if whole else filled)
        options = dict(parse_qsl(parts.query))
        self.namespace = options.pop("namespace", DEFAULT_NAMESPACE)
        self.url = urlunsplit(parts._replace(query=urlencode(options)))
        _, _, place = parts.netloc.rpartition("@")
        self.shown = urlunsplit((parts.scheme, place, parts.path, "", ""))
        self._secrets = {parts.password, unquote(parts.password or "")} - {None, ""}

    def hide(self, words: Any) -> str:
        """Return what was said without the password."""
        said = str(words)
        for secret in self._secrets:
            said = said.replace(str(secret), "***")
        return said


def _value(name: str, environ: Mapping[str, str]) -> str:
    if name in environ:
        return environ[name]
    raise DefinitionError(
        "TD-ONLINE-102",
        f"the setting 'online_store' names ${{{name}}}, which the environment does not have",
        expected="the variable, set where tondo and its scorer run",
        fix=near(name, [each for each in environ if each[:1] == name[:1]]),
        variable=name,
    )


def _split(text: str) -> SplitResult:
    """Return the parts of an address; what it says is never repeated, it may hold a password."""
    try:
        parts = urlsplit(text)
        number = parts.path.strip("/")
        is_whole = parts.scheme == "unix" or (
            bool(parts.hostname) and parts.port != 0 and (not number or number.isdecimal())
        )
    except ValueError:
        is_whole = False
    if is_whole and parts.scheme in SCHEMES:
        return parts
    raise DefinitionError(
        "TD-ONLINE-102",
        "the setting 'online_store' is no address of a Redis",
        expected="lmdb, or redis://host:port/number, with rediss:// for TLS, unix:// for a socket",
        fix="Correct it; write a password as a variable: redis://:${REDIS_PASSWORD}@host:6379/0.",
    )
