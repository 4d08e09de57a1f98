"""Tags of data sets: names for commits, moved by compare-and-swap, every move kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.stages.data.commits import REMOVED, Commit, pointer_name
from tondo.stages.data.version_names import check_version_name, tag_pointer

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Move


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A name of one commit of a data set, as it stands now."""

    dataset: str
    name: str
    commit: str
    by: str
    why: str
    moved_at_us: int
    moves: int
    """How often it was moved; 1 for a new tag."""


def set_tag(commit: Commit, name: str, *, ledger: Ledger, by: str, why: str) -> Tag:
    """Point a tag of the commit's data set at it, from wherever it stands.

    Errors: TD-DATA-022 (a reserved word), TD-DATA-023 (a branch has the name), TD-LEDGER-003
    (somebody else moved it meanwhile).
    """
    check_version_name(name, "tag")
    if ledger.pointer(pointer_name(commit.dataset, name)) is not None:
        raise ConflictError(
            "TD-DATA-023",
            f"'{commit.dataset}' has a branch '{name}', so no tag can have the name",
            expected="a name that no branch has or had",
            fix="Choose another name.",
            name=name,
        )
    pointer = ledger.pointer(tag_pointer(commit.dataset, name))
    expect = None if pointer is None else pointer.target
    if expect != commit.id:
        ledger.move(tag_pointer(commit.dataset, name), commit.id, expect=expect, by=by, why=why)
    return _tag(commit.dataset, name, ledger=ledger)


def remove_tag(dataset: str, name: str, *, ledger: Ledger, by: str, why: str) -> None:
    """Take a tag away; its history stays (TD-DATA-020 when there is none)."""
    present = _tag(dataset, name, ledger=ledger)
    ledger.move(tag_pointer(dataset, name), REMOVED, expect=present.commit, by=by, why=why)


def tags(dataset: str, *, ledger: Ledger) -> list[Tag]:
    """Return the tags of a data set, by name."""
    start = tag_pointer(dataset, "")
    return [
        _tag(dataset, each.name.removeprefix(start), ledger=ledger)
        for each in ledger.pointers(start)
        if each.target != REMOVED
    ]


def tag_history(dataset: str, name: str, *, ledger: Ledger) -> list[Move]:
    """Return every move of a tag, the newest first (TD-DATA-020 when it never was)."""
    moves = ledger.history(tag_pointer(dataset, name))
    if not moves:
        raise _no_tag(dataset, name, ledger=ledger)
    return moves[::-1]


def _tag(dataset: str, name: str, *, ledger: Ledger) -> Tag:
    pointer = ledger.pointer(tag_pointer(dataset, name))
    if pointer is None or pointer.target == REMOVED:
        raise _no_tag(dataset, name, ledger=ledger)
    return Tag(
        dataset=dataset,
        name=name,
        commit=pointer.target,
        by=pointer.by,
        why=pointer.why,
        moved_at_us=pointer.moved_at_us,
        moves=pointer.number,
    )


def _no_tag(dataset: str, name: str, *, ledger: Ledger) -> NotFoundError:
    return NotFoundError(
        "TD-DATA-020",
        f"'{dataset}' has no tag '{name}'",
        expected="the name of one of its tags",
        fix=near(name, [each.name for each in tags(dataset, ledger=ledger)]),
        ref=f"{dataset}@{name}",
    )
