"""From what people write to a model version: number, id, beginning of an id, or tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, NotFoundError, near
from tondo.stages.registry.versions import KIND, ModelVersion, pointer_name

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger

SHORTEST_PREFIX = 8
"""Characters of an id that may stand for it: the first ones tell the day, not the version."""


def models(*, ledger: Ledger) -> list[str]:
    """Return the names of all models, in alphabetical order."""
    names = [pointer.name.removeprefix("model/") for pointer in ledger.pointers("model/")]
    return [name for name in names if "@" not in name]


def versions(name: str, *, ledger: Ledger) -> list[ModelVersion]:
    """Return a model's versions, the newest first; TD-REGISTRY-001 when there is no such model."""
    if ledger.pointer(pointer_name(name)) is None:
        raise NotFoundError(
            "TD-REGISTRY-001",
            f"no model '{name}' is registered",
            fix=near(name, models(ledger=ledger)),
            model=name,
        )
    found = [
        ledger_version(record.id, ledger=ledger)
        for record in ledger.records(KIND, where={"name": name})
    ]
    return sorted(found, key=lambda version: -version.number)


def tags(name: str, *, ledger: Ledger) -> dict[str, str]:
    """Return a model's tags: tag to version id."""
    start = pointer_name(name, "")
    return {pointer.name.removeprefix(start): pointer.target for pointer in ledger.pointers(start)}


def resolve(name: str, reference: str | int, *, ledger: Ledger) -> ModelVersion:
    """Return the version that a number, an id, an id's beginning or a tag means.

    TD-REGISTRY-001 lists the choices; TD-REGISTRY-006 when a beginning fits several ids.
    """
    text = str(reference).strip()
    known = tags(name, ledger=ledger)
    if text in known:
        return ledger_version(known[text], ledger=ledger)
    every = versions(name, ledger=ledger)
    number = text.removeprefix("v")
    for version in every:
        if text == version.id or number == str(version.number):
            return version
    fitting = [each for each in every if each.id.startswith(text)]
    if len(text) >= SHORTEST_PREFIX and len(fitting) > 1:
        raise CallerError(
            "TD-REGISTRY-006",
            f"'{text}' begins {len(fitting)} version ids of '{name}'",
            expected="enough of the id to tell it from the others",
            fix="These are " + ", ".join(each.id for each in fitting[:5]) + ".",
        )
    if len(text) >= SHORTEST_PREFIX and fitting:
        return fitting[0]
    choices = [str(version.number) for version in every] + list(known)
    raise NotFoundError(
        "TD-REGISTRY-001",
        f"model '{name}' has no version '{text}'",
        expected="a version's number, id or tag",
        fix=near(text, choices),
        model=name,
        version=text,
    )


def ledger_version(version_id: str, *, ledger: Ledger) -> ModelVersion:
    """Return the version of an id; TD-LEDGER-001 when it is not there."""
    return ledger.read(KIND, version_id, ModelVersion)
