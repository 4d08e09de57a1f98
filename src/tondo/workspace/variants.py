"""What a project and its registry say of a deployment: settings, pace, variants, targets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.scoring.plan import PlannedVariant, Target
    from tondo.stages.deployment.deploy import Settings
    from tondo.stages.deployment.pace import Pace
    from tondo.workspace.bootstrap import Parts

_NOT_SETTINGS = ("deployment", "model", "owner", "description", "label_horizon")


def settings_of(parts: Parts, deployment: str, *, staging: bool = False) -> Settings | None:
    """Return how the project defines that a deployment answers, None where it does not.

    One for `staging` that is not defined lets callers give `as_of`.
    """
    from tondo.stages.deployment.deploy import Settings
    from tondo.workspace.definitions import read_body

    found = _definition(parts, deployment)
    if found is None:
        return Settings(staging=True, as_of="caller") if staging else None
    body, place = found
    body.pop("rollout", None)
    settings = read_body(body, Settings, place=place)
    return msgspec.structs.replace(settings, staging=True) if staging else settings


def pace_of(parts: Parts, deployment: str, kind: str | None) -> Pace:
    """Return how fast the project wants rollouts, `rollout:`; its guards with another kind's steps.

    :raises DefinitionError: TD-DEPLOY-013 for a kind that there is not.
    """
    from tondo.stages.deployment.pace import STEPS, Pace
    from tondo.workspace.definitions import read_body

    found = _definition(parts, deployment)
    wanted = None if found is None else found[0].get("rollout")
    place = "" if found is None else f"{found[1]} rollout"
    pace = Pace() if wanted is None else read_body(wanted, Pace, place=place)
    if kind is None or kind == pace.kind:
        return pace
    known = [each for each in STEPS if each == kind]
    if not known:
        raise DefinitionError(
            "TD-DEPLOY-013",
            f"no rollout is of kind '{kind}'",
            expected=f"one of {', '.join(STEPS)}",
            kind=kind,
        )
    return msgspec.structs.replace(pace, kind=known[0], steps=(), min_seconds=None)


def _definition(parts: Parts, deployment: str) -> tuple[dict[str, Any], str] | None:
    found = parts.project.of("deployment").get(deployment)
    if found is None:
        return None
    body = {name: value for name, value in found.body.items() if name not in _NOT_SETTINGS}
    return body, str(found.place)


def deal_variants(
    parts: Parts, deployment: str, weights: Mapping[str, float]
) -> list[PlannedVariant]:
    """Return variants for versions with weights of any sum, the heaviest first.

    :raises DefinitionError: TD-DEPLOY-007 when no weight is above zero, or one is no number.
    """
    from tondo.stages.deployment.deploy import get_deployment
    from tondo.stages.deployment.state import variant_of
    from tondo.workspace.consistency import check_served
    from tondo.workspace.verbs.registry import RegistryVerbs

    before = get_deployment(deployment, ledger=parts.ledger)
    answering = {each.model_version_id for each in before.desired.variants}
    total = math.fsum(weights.values())
    if not all(0 <= each < math.inf for each in weights.values()) or not total > 0:
        raise DefinitionError(
            "TD-DEPLOY-007",
            f"the weights {dict(weights)} do not share the traffic",
            expected="weights of at least 0, one of them above",
            fix="Write for example v3=90 v4=10.",
        )
    variants = []
    for reference, weight in sorted(weights.items(), key=lambda each: -each[1]):
        number = reference[1:] if reference[:1] == "v" and reference[1:].isdecimal() else reference
        version = RegistryVerbs(parts).version(before.main.model, number)
        if version.id not in answering:
            check_served(parts, version)
        name = f"v{version.number}"
        variants.append(variant_of(version, name=name, weight=weight / total))
    return variants


def read_targets(
    parts: Parts, texts: Sequence[str], variants: Sequence[PlannedVariant]
) -> list[Target]:
    """Read targets against the columns that all variants take; TD-DEPLOY-009 for a wrong one."""
    from tondo.scoring.package import open_package
    from tondo.stages.deployment.targets import parse_target

    if not texts:
        return []
    columns: dict[str, str] = {}
    for variant in variants:
        contents = open_package(parts.blobs.get(variant.package), key=parts.key)
        columns.update(contents.inputs)
    return [parse_target(each, variants, columns=columns) for each in texts]
