"""Garbage: blobs that nothing names, and their deletion after a time of grace.

A blob is named by the text of a record, a pointer or a step's result, or by a named blob that is
JSON itself (a manifest). Facts about removed content (its statistics, its row sums) do not keep
it. A blob that was put lately may belong to a commit that is being made, so it stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data import logical_digest, removal
from tondo.stages.data.references import datasets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Record
    from tondo.ports.blobs import Blobs, KeptBlob
    from tondo.ports.clock import Clock

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# These tell about content, or are read from the snapshots that are kept; they keep none of it.
_ABOUT_CONTENT = {"commit", "statistics", removal.KIND, logical_digest.KIND}
# The printable signs that an id may begin with: a record of any kind is found by its id's start.
_FIRST_SIGNS = [chr(code) for code in range(33, 127)]
_ALL = 2**31
# A manifest is some hundred bytes a file; what is larger and JSON is somebody's data.
_LARGEST_MANIFEST_BYTES = 64 << 20


class Garbage(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection found and did."""

    blobs: int
    """Objects that nothing names and that are past the time of grace."""
    bytes: int
    """What they take."""
    digests: tuple[str, ...]
    young: int
    """Objects that nothing names yet: they were put within the time of grace."""
    kept: int
    """Objects that are named."""
    deleted: bool
    """False when it was only asked what would go."""


def collect_garbage(
    *, ledger: Ledger, blobs: Blobs, clock: Clock, grace_us: int, dry_run: bool
) -> Garbage:
    """Delete the blobs that nothing names, put `grace_us` ago or earlier; or only tell of them.

    Errors: TD-BLOB-003 (one cannot be deleted; what was deleted before it stays deleted).
    """
    # Listed before what is named is gathered: a commit made meanwhile names young blobs only.
    listed = list(blobs.kept())
    named = named_digests(ledger=ledger, blobs=blobs)
    unnamed = [each for each in listed if each.digest not in named]
    oldest_us = clock.now_us() - grace_us
    old = [each for each in unnamed if _is_old(each, oldest_us=oldest_us, grace_us=grace_us)]
    if not dry_run:
        for each in old:
            blobs.delete(each.digest)
    return Garbage(
        blobs=len(old),
        bytes=sum(each.bytes for each in old),
        digests=tuple(sorted(each.digest for each in old)),
        young=len(unnamed) - len(old),
        kept=len(listed) - len(unnamed),
        deleted=not dry_run,
    )


def _is_old(blob: KeptBlob, *, oldest_us: int, grace_us: int) -> bool:
    if blob.kept_at_us is None:
        return grace_us == 0
    return blob.kept_at_us <= oldest_us


def named_digests(*, ledger: Ledger, blobs: Blobs) -> set[str]:
    """Return every digest that something kept names, directly or through a manifest."""
    gone = removal.removed_snapshots(ledger=ledger)
    named = {found for text in _texts(gone, ledger=ledger) for found in _found(text)}
    waiting = list(named - gone)
    while waiting:
        inner = _found(_manifest(waiting.pop(), blobs=blobs))
        waiting += inner - named - gone
        named |= inner
    return named


def _found(text: bytes) -> set[str]:
    return {each.decode() for each in _DIGEST.findall(text)}


def _texts(gone: set[str], *, ledger: Ledger) -> Iterator[bytes]:
    living = set(datasets(ledger=ledger))
    for sign in _FIRST_SIGNS:
        for record in ledger.find_by_prefix(sign, limit=_ALL):
            if _keeps(record, gone, living):
                yield record.id.encode() + b" " + msgspec.json.encode(record.body)
    for pointer in ledger.pointers():
        yield pointer.target.encode()
    for execution in ledger.executions.newest(limit=_ALL):
        for step in ledger.steps.of(execution.id):
            yield (step.result or "").encode()


def _keeps(record: Record, gone: set[str], living: set[str]) -> bool:
    if record.kind in _ABOUT_CONTENT:
        return False
    if record.kind == "snapshot":
        return record.id not in gone
    if record.kind == "derivation":
        return record.body.get("dataset") in living
    return True


def _manifest(digest: str, *, blobs: Blobs) -> bytes:
    """Return the bytes of a blob that is JSON, nothing of any other."""
    if not blobs.has(digest):
        return b""
    path = blobs.local_path(digest)
    if path.stat().st_size > _LARGEST_MANIFEST_BYTES:
        return b""
    with path.open("rb") as file:
        first = file.read(1)
        return first + file.read() if first in {b"{", b"["} else b""
