"""Objects of S3, Google Cloud, Azure, folders and memory: listed and copied."""

from __future__ import annotations

import contextlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from tondo.core.errors import DataError, DefinitionError, OutsideError
from tondo.core.instants import to_micros
from tondo.ports.objects import ObjectEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMES = ("s3", "gs", "az", "file", "memory")
_WILD = "*?["


class ObstoreObjects:
    """Reads object stores; their credentials are those of the environment.

    `memory` are stores by name, for `memory://name/...`: the twin for tests and notebooks.
    """

    def __init__(self, memory: dict[str, MemoryStore] | None = None) -> None:
        self.memory = memory or {}

    def find(self, url: str) -> list[ObjectEntry]:
        """Return the objects of a URL, glob or prefix, by URL (TD-DATA-012, TD-DATA-028)."""
        root, key = _split(url)
        entries = []
        with _coded(url):
            for page in obstore.list(self._store(root), prefix=_folder(key)):
                found = [meta for meta in page if _matches(str(meta["path"]), key)]
                entries += [_entry(root, meta) for meta in found]
        return sorted(entries, key=lambda each: each.url)

    def fetch(self, entry: ObjectEntry, path: Path) -> None:
        """Copy an object to `path`; TD-DATA-027 when it is no longer what was listed."""
        root, key = _split(entry.url)
        with _coded(entry.url):
            try:
                answer = obstore.get(self._store(root), key)
            except FileNotFoundError:
                raise _changed(entry) from None
            if _entry(root, answer.meta) != entry:
                raise _changed(entry)
            with path.open("wb") as file:
                for chunk in answer:
                    file.write(chunk)
        if path.stat().st_size != entry.bytes:
            raise _changed(entry)

    def _store(self, root: str) -> Any:
        scheme, _, name = root.partition("://")
        if scheme == "memory":
            return self.memory.setdefault(name, MemoryStore())
        return LocalStore() if scheme == "file" else from_url(root)


def _split(url: str) -> tuple[str, str]:
    """Return the store's part of a URL and the key within it.

    >>> _split("s3://bucket/days/1.csv"), _split("file:///tmp/x.csv")
    (('s3://bucket', 'days/1.csv'), ('file://', 'tmp/x.csv'))
    """
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES or not urlsplit(url).path.strip("/"):
        raise DefinitionError(
            "TD-DATA-012",
            f"'{url}' is no address of an object",
            expected="an object, a glob or a prefix/ in " + ", ".join(f"{s}://" for s in _SCHEMES),
            path=url,
        )
    name, _, key = rest.partition("/")
    return f"{scheme}://{name}", key


def _folder(key: str) -> str | None:
    """Return the part of a key before its last slash that comes before any wildcard.

    >>> _folder("days/2013-*.csv"), _folder("x.csv")
    ('days', None)
    """
    plain = key
    for sign in _WILD:
        plain = plain.partition(sign)[0]
    return plain.rpartition("/")[0] or None


def _matches(path: str, key: str) -> bool:
    if key.endswith("/"):
        return path.startswith(key)
    wanted, found = key.split("/"), path.split("/")
    # A star stays within its folder, as in a path of this machine.
    return len(wanted) == len(found) and all(map(_fits, found, wanted))


def _fits(part: str, wanted: str) -> bool:
    return part == wanted or fnmatchcase(part, wanted)


def _entry(root: str, meta: Any) -> ObjectEntry:
    return ObjectEntry(
        url=f"{root}/{meta['path']}",
        bytes=meta["size"],
        etag=meta["e_tag"],
        modified_at_us=to_micros(meta["last_modified"]),
    )


def _changed(entry: ObjectEntry) -> DataError:
    return DataError(
        "TD-DATA-027",
        f"{entry.url} changed while it was read",
        expected=f"the object of {entry.bytes:,} bytes that was listed",
        fix="Wait until it is written and commit again; nothing of it was kept.",
        files=[entry.url],
    )


@contextlib.contextmanager
def _coded(url: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise OutsideError(
            "TD-DATA-028",
            f"{url} cannot be read: {said}",
            expected="a store that answers, and the right to read it",
            fix="Check the address and the credentials in the environment.",
            url=url,
        ) from None
