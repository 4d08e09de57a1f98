"""Addresses of databases: secrets from the environment, SQLite files only when they are there."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from tondo.core.errors import DefinitionError, MissingExtraError, NotFoundError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.databases import DatabaseQuery

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Address:
    """A URL with its variables filled in; `hide` takes their values out of any text."""

    def __init__(self, query: DatabaseQuery, environ: Mapping[str, str]) -> None:
        self.shown = query.url
        names = _VARIABLE.findall(query.url)
        for name in names:
            if name not in environ:
                raise _not_set(query, name, environ)
        self._values = {name: environ[name] for name in names}
        self.url = self._parsed(query)
        self._secrets = [*self._values.values(), str(self.url.password or "")]

    def hide(self, text: str) -> str:
        """Return a text without any value of the environment."""
        for secret in filter(None, self._secrets):
            text = text.replace(secret, "***")
        return text

    def _parsed(self, query: DatabaseQuery) -> URL:
        whole = _VARIABLE.fullmatch(query.url)
        try:
            url = make_url(self._values[whole[1]] if whole else query.url)
        except (ArgumentError, ValueError):
            # Not SQLAlchemy's words: they repeat the address with what was filled in.
            raise _no_address(query) from None
        if whole:
            return url
        # Filled in part by part: a password may hold signs that mean something in a URL.
        return url.set(
            username=self._filled(url.username),
            password=self._filled(None if url.password is None else str(url.password)),
            host=self._filled(url.host),
            database=self._filled(url.database),
            query={
                name: self._filled(value) or "" if isinstance(value, str) else value
                for name, value in url.query.items()
            },
        )

    def _filled(self, text: str | None) -> str | None:
        if text is None:
            return None
        return _VARIABLE.sub(lambda found: self._values[found[1]], text)


def open_engine(address: Address, query: DatabaseQuery) -> Engine:
    """Return SQLAlchemy's engine for an address; it keeps no connection."""
    try:
        if address.url.get_backend_name() == "sqlite":
            return _sqlite(address.url, query)
        return create_engine(address.url, poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(
            address.url.get_backend_name(), f"source '{query.source}' ({error.name})"
        ) from None
    except NoSuchModuleError:
        raise _no_address(query) from None


def _sqlite(url: URL, query: DatabaseQuery) -> Engine:
    path = query.base / Path(url.database or "").expanduser()
    if not path.is_file():
        siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise NotFoundError(
            "TD-DATA-002",
            f"source '{query.source}': there is no SQLite file {path}",
            expected=f"a file in {path.parent}",
            fix=near(path.name, siblings),
            path=str(path),
        )

    def connect() -> sqlite3.Connection:
        # Read only, and with no transactions but ours.
        place = f"file:{quote(str(path.absolute()))}?mode=ro"
        return sqlite3.connect(place, uri=True, isolation_level=None)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _not_set(query: DatabaseQuery, name: str, environ: Mapping[str, str]) -> DefinitionError:
    return DefinitionError(
        "TD-DATA-025",
        f"source '{query.source}': its url names ${{{name}}}, which the environment does not have",
        expected="the variable, set where tondo runs",
        fix=near(name, [each for each in environ if each[:1] == name[:1]]),
        variable=name,
    )


def _no_address(query: DatabaseQuery) -> DefinitionError:
    return DefinitionError(
        "TD-DATA-024",
        f"source '{query.source}': '{query.url}' is no address of a database",
        expected="a SQLAlchemy URL such as postgresql://user:${PASSWORD}@host/name",
        fix="Correct `url:`, or what its variables hold.",
        source=query.source,
    )
