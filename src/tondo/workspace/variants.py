"""From versions with weights to the variants that share a deployment's traffic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.scoring.plan import PlannedVariant
    from tondo.workspace.bootstrap import Parts


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
