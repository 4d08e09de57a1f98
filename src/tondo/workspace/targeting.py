"""Targets of a deployment: those written by hand, and after them those of its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, NotFoundError
from tondo.stages.deployment.publish import tagged
from tondo.stages.deployment.state import LIVE, variant_of
from tondo.stages.deployment.targets import Targeted, define_target, parse_target, refused
from tondo.workspace.deployment_definition import definition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.plan import PlannedVariant, Target
    from tondo.stages.deployment.targets import DefinedTarget
    from tondo.workspace.bootstrap import Parts


def targeted(
    parts: Parts,
    deployment: str,
    variants: Sequence[PlannedVariant],
    *,
    written: Sequence[str] = (),
    live: str | None = None,
) -> Targeted:
    """Return the targets `written` by hand, then the definition's, and the versions they need.

    Written ones lead to one of `variants`. A definition's may lead to any version of the model,
    which then answers beside the variants; its `live` is the variant of that name, by default
    the first. TD-DEPLOY-009 for one that fits no column or no version.
    """
    by_hand = _by_hand(parts, written, variants)
    found = definition_of(parts, deployment)
    if found is None or not found[0].targets:
        return Targeted(by_hand)
    definition, place = found
    resolved = _Resolved(parts, variants, {LIVE, definition.tag}, live or variants[0].name)
    wheres = [f"{place}: targets[{at}]" for at in range(len(definition.targets))]
    names = [
        resolved.variant(each, where)
        for each, where in zip(definition.targets, wheres, strict=True)
    ]
    columns = _columns(parts, [*variants, *resolved.beside])
    defined = [
        define_target(each, name, columns=columns, where=where)
        for each, name, where in zip(definition.targets, names, wheres, strict=True)
    ]
    return Targeted([*by_hand, *defined], resolved.beside)


class _Resolved:
    """The variants that defined targets lead to; versions that are none yet are put beside."""

    def __init__(
        self, parts: Parts, variants: Sequence[PlannedVariant], live: set[str | None], name: str
    ) -> None:
        self.beside: list[PlannedVariant] = []
        self._parts = parts
        self._model = variants[0].model
        self._names = {each.model_version_id: each.name for each in reversed(variants)}
        self._live = live
        self._live_name = name

    def variant(self, target: DefinedTarget, where: str) -> str:
        """Return the name of the variant that a target leads to."""
        from tondo.workspace.consistency import check_served
        from tondo.workspace.verbs.registry import RegistryVerbs

        if target.version in self._live:
            return self._live_name
        try:
            version = RegistryVerbs(self._parts).version(self._model, str(target.version))
        except (NotFoundError, CallerError) as error:
            said = f"leads to '{target.version}'"
            raise refused(where, said, error.expected, error.fix) from None
        if version.id not in self._names:
            check_served(self._parts, version)
            added = variant_of(version, name=f"v{version.number}", weight=0.0)
            self.beside.append(added)
            self._names[version.id] = added.name
        return self._names[version.id]


def _by_hand(
    parts: Parts, texts: Sequence[str], variants: Sequence[PlannedVariant]
) -> list[Target]:
    if not texts:
        return []
    columns = _columns(parts, variants)
    known = tagged(variants, variants[0].model, ledger=parts.ledger)
    return [parse_target(each, known, columns=columns) for each in texts]


def _columns(parts: Parts, variants: Sequence[PlannedVariant]) -> dict[str, str]:
    """Return the request columns that variants read, with their types."""
    from tondo.scoring.package import open_package

    columns: dict[str, str] = {}
    for variant in variants:
        contents = open_package(parts.blobs.get(variant.package), key=parts.key)
        columns.update(contents.inputs)
    return columns
