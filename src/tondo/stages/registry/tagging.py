"""Tags: pointers at versions, moved by compare-and-swap, with who, when and why."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError
from tondo.core.names import check_name
from tondo.stages.registry.resolve import ledger_version
from tondo.stages.registry.versions import ModelVersion, pointer_name

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ledger.values import Move


def tag(
    name: str,
    tag_name: str,
    version: ModelVersion,
    *,
    by: str,
    why: str,
    ledger: Ledger,
    expect: str | EllipsisType | None = ...,
) -> Move:
    """Move a tag to `version` and return the move; a tag that stands there already stays.

    `expect` is the version id it must stand at (None: nowhere yet; left out: wherever it is),
    else TD-LEDGER-003. TD-REGISTRY-004 when the version is of another model.
    """
    check_name(tag_name, "tag")
    if version.name != name:
        raise ConflictError(
            "TD-REGISTRY-004",
            f"version {version.number} is of model '{version.name}', not of '{name}'",
            expected="a version of the same model",
        )
    pointer = pointer_name(name, tag_name)
    with ledger.transaction():
        present = ledger.pointer(pointer)
        stands_at = None if present is None else present.target
        if stands_at == version.id and expect in (..., version.id):
            return ledger.history(pointer)[-1]
        known = stands_at if isinstance(expect, EllipsisType) else expect
        return ledger.move(pointer, version.id, expect=known, by=by, why=why)


def tag_history(name: str, tag_name: str, *, ledger: Ledger) -> list[Move]:
    """Return every move of a tag, the oldest first."""
    return ledger.history(pointer_name(name, tag_name))


def former_target(moves: list[Move]) -> str | None:
    """Return where a tag stood before it came to where it stands now, None when nowhere.

    A move back to the target before is read as undoing a step, so that rolling back twice
    goes back two steps and not forth again.
    """
    path: list[str] = []
    for move in moves:
        if len(path) >= 2 and path[-2] == move.target:
            path.pop()
        else:
            path.append(move.target)
    return path[-2] if len(path) >= 2 else None


def rollback_tag(name: str, tag_name: str, *, by: str, why: str, ledger: Ledger) -> ModelVersion:
    """Move a tag back to its former version and return that; TD-REGISTRY-003 when it has none."""
    pointer = pointer_name(name, tag_name)
    with ledger.transaction():
        moves = ledger.history(pointer)
        former = former_target(moves)
        if former is None:
            raise ConflictError(
                "TD-REGISTRY-003",
                f"the tag '{tag_name}' of model '{name}' has never stood elsewhere",
                expected="an earlier version to go back to",
                fix="Tag the version you want.",
            )
        ledger.move(pointer, former, expect=moves[-1].target, by=by, why=why)
        return ledger_version(former, ledger=ledger)
