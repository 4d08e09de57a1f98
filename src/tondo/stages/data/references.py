"""References: one way of naming a version of a data set, wherever one is named.

`flights` is the newest commit of `main`. After an `@` stands a branch, a tag, `v3` (the third
commit of `main`), an instant (the head of `main` as it was then; a date is its first moment in
UTC), or the start of a commit's or snapshot's id. The start of an id stands alone as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError, NotFoundError, near
from tondo.core.instants import format_instant, parse_instant
from tondo.stages.data.commits import (
    REMOVED,
    Commit,
    find_head,
    head,
    history,
    pointer_name,
    read_commit,
    recorded_snapshot,
)
from tondo.stages.data.tags import tags
from tondo.stages.data.version_names import commit_number, tag_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Record
    from tondo.stages.data.snapshots import Snapshot

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# As many characters as a UUIDv7's or digest's start needs to be told from a word.
_LEAST_ID = 4


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference led to."""

    ref: str
    snapshot: str
    """Id of the content."""
    commit: Commit | None = None
    """None when the reference is the start of a snapshot's id alone."""


def resolve(ref: str, *, ledger: Ledger) -> Version:
    """Return the version that a reference names.

    Errors: TD-WORKSPACE-003 (no data set, commit or snapshot), TD-DATA-020 (the data set has no
    such version), TD-DATA-021 (there was none yet at that instant, or an id's start is shared).
    """
    dataset, mark, word = ref.partition("@")
    if not mark:
        found = find_head(dataset, ledger=ledger)
        return _of(ref, found) if found else _by_id(ref, ref, ledger=ledger)
    if dataset not in datasets(ledger=ledger):
        raise _unknown(ref, ledger=ledger)
    return _within(ref, dataset, word, ledger=ledger)


def version_of(dataset: str, at: str, *, ledger: Ledger) -> Commit:
    """Return a commit of a data set by the word after the `@`, or by a whole reference to it.

    An empty `at` is the head of `main`. Errors: as `resolve`; TD-DATA-020 for another data set's.
    """
    if not at:
        return head(dataset, ledger=ledger)
    mark = "@" in at or at == dataset
    found = resolve(at if mark else f"{dataset}@{at}", ledger=ledger)
    commit = found.commit
    if commit is None:
        same = _all_commits(dataset, ledger=ledger)
        commit = next((each for each in same if each.snapshot == found.snapshot), None)
    if commit is None or commit.dataset != dataset:
        raise _no_version(at, dataset, at, ledger=ledger)
    return commit


def referenced_dataset(ref: str, *, ledger: Ledger) -> str:
    """Return the data set that a reference is of (errors as `resolve`)."""
    found = resolve(ref, ledger=ledger)
    if found.commit is not None:
        return found.commit.dataset
    newest = ledger.records("commit", where={"snapshot": found.snapshot}, limit=1)
    if not newest:
        raise _unknown(ref, ledger=ledger)
    return str(newest[0].body["dataset"])


def referenced_snapshot(ref: str, *, ledger: Ledger) -> Snapshot:
    """Return the content that a reference names (errors as `resolve`; TD-DATA-029 removed)."""
    return recorded_snapshot(resolve(ref, ledger=ledger).snapshot, ledger=ledger)


def datasets(*, ledger: Ledger) -> list[str]:
    """Return the names of the data sets that have a commit, each once."""
    return list(dict.fromkeys(dataset for dataset, _ in _branches(ledger)))


def _branches(ledger: Ledger) -> list[tuple[str, str]]:
    found = []
    for pointer in ledger.pointers("dataset/"):
        if pointer.target != REMOVED:
            dataset, _, branch = pointer.name.removeprefix("dataset/").partition("@")
            found.append((dataset, branch))
    return found


def _within(ref: str, dataset: str, word: str, *, ledger: Ledger) -> Version:
    """Read the word after the `@`: branch, tag, number, instant, start of an id."""
    found = find_head(dataset, ledger=ledger, branch=word)
    if found is None:
        pointer = ledger.pointer(tag_pointer(dataset, word))
        if pointer is not None and pointer.target != REMOVED:
            found = read_commit(pointer.target, ledger=ledger)
    if found is not None:
        return _of(ref, found)
    number = commit_number(word)
    if number is not None:
        return _by_number(ref, dataset, number, ledger=ledger)
    at_us = _instant(word)
    if at_us is not None:
        return _by_instant(ref, dataset, at_us, ledger=ledger)
    return _by_id(ref, word, ledger=ledger, dataset=dataset)


def _of(ref: str, commit: Commit) -> Version:
    return Version(ref=ref, snapshot=commit.snapshot, commit=commit)


def _by_number(ref: str, dataset: str, number: int, *, ledger: Ledger) -> Version:
    line = history(dataset, ledger=ledger)
    if 1 <= number <= len(line):
        return _of(ref, line[-number])
    raise NotFoundError(
        "TD-DATA-020",
        f"'{dataset}' has no commit v{number}: main has {len(line)}",
        expected=f"v1 to v{len(line)}",
        fix=f"The newest is '{dataset}'.",
        ref=ref,
    )


def _instant(word: str) -> int | None:
    """Return the microseconds of a date or RFC 3339 text, None for any other word."""
    if _DATE.fullmatch(word[:10]) is None:
        return None
    return parse_instant(f"{word}T00:00:00Z" if len(word) == len("2013-04-01") else word)


def _by_instant(ref: str, dataset: str, at_us: int, *, ledger: Ledger) -> Version:
    moves = ledger.history(pointer_name(dataset))
    then = [move for move in moves if move.moved_at_us <= at_us]
    if then and then[-1].target != REMOVED:
        return _of(ref, read_commit(then[-1].target, ledger=ledger))
    first = f"its first is of {format_instant(moves[0].moved_at_us)}" if moves else "main is empty"
    raise NotFoundError(
        "TD-DATA-021",
        f"'{dataset}' had no commit at {format_instant(at_us)}: {first}",
        expected="an instant at or after a commit of main",
        fix=f"Name a later instant, or '{dataset}@v1'.",
        ref=ref,
    )


def _by_id(ref: str, start: str, *, ledger: Ledger, dataset: str | None = None) -> Version:
    found = _records(start, ledger=ledger, dataset=dataset)
    if len(found) > 1:
        raise CallerError(
            "TD-DATA-021",
            f"'{start}' is the start of {len(found)} ids",
            expected="enough characters to mean one commit or snapshot",
            fix=near(start, [each.id for each in found]),
            ref=ref,
        )
    if not found:
        if dataset is None:
            raise _unknown(ref, ledger=ledger)
        raise _no_version(ref, dataset, start, ledger=ledger)
    if found[0].kind == "snapshot":
        return Version(ref=ref, snapshot=found[0].id)
    return _of(ref, read_commit(found[0].id, ledger=ledger))


def _records(start: str, *, ledger: Ledger, dataset: str | None) -> Sequence[Record]:
    if len(start) < _LEAST_ID or not start.isascii():
        return []
    found = [each for each in ledger.find_by_prefix(start) if each.kind in {"commit", "snapshot"}]
    if dataset is None:
        return found
    contents = {each.snapshot for each in _all_commits(dataset, ledger=ledger)}
    return [
        each
        for each in found
        if (each.id in contents if each.kind == "snapshot" else each.body["dataset"] == dataset)
    ]


def _all_commits(dataset: str, *, ledger: Ledger) -> list[Commit]:
    records = ledger.records("commit", where={"dataset": dataset})
    return [msgspec.convert(each.body, Commit) for each in records]


def _no_version(ref: str, dataset: str, word: str, *, ledger: Ledger) -> NotFoundError:
    known = [branch for name, branch in _branches(ledger) if name == dataset]
    known += [each.name for each in tags(dataset, ledger=ledger)]
    return NotFoundError(
        "TD-DATA-020",
        f"'{dataset}' has no version '{word}'",
        expected="a branch, a tag, vN, an instant, or the start of an id",
        fix=near(ref, [f"{dataset}@{each}" for each in known]),
        ref=ref,
    )


def _unknown(ref: str, *, ledger: Ledger) -> NotFoundError:
    return NotFoundError(
        "TD-WORKSPACE-003",
        f"'{ref}' is no dataset, commit or snapshot",
        expected="a dataset, dataset@branch, dataset@tag, dataset@v3, dataset@2013-04-01, "
        "or the start of one commit's or snapshot's id",
        fix=near(ref.partition("@")[0], datasets(ledger=ledger)),
        ref=ref,
    )
