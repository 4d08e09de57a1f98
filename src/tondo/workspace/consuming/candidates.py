"""Versions opened to score what others were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedVariant
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.registry.versions import ModelVersion
    from tondo.stages.serving.answers import Purpose
    from tondo.stages.serving.candidate import CandidateAnswerer
    from tondo.workspace.bootstrap import Parts


def package_of(parts: Parts, version_id: str) -> PackageContents:
    """Return the opened package of a registered version."""
    from tondo.scoring.package import open_package
    from tondo.stages.registry.versions import ModelVersion

    version = parts.ledger.read("model_version", version_id, ModelVersion)
    return open_package(parts.blobs.get(version.package), key=parts.key)


def candidate_of(
    parts: Parts, deployment: str, version: str
) -> tuple[ModelVersion, PlannedVariant]:
    """Return a version of a deployment's model, and the variant that it is where it is tried.

    Errors: TD-DEPLOY-001, TD-REGISTRY-001 (no such version), TD-SERVING-003 (it reads columns
    that callers do not send).
    """
    from tondo.stages.deployment.deploy import get_deployment
    from tondo.stages.deployment.state import CANDIDATE, variant_of
    from tondo.stages.serving.candidate import check_inputs
    from tondo.workspace.verbs.registry import RegistryVerbs

    state: DeploymentState = get_deployment(deployment, ledger=parts.ledger)
    chosen = RegistryVerbs(parts).version(state.main.model, version)
    check_inputs(
        package_of(parts, chosen.id),
        package_of(parts, state.main.model_version_id),
        deployment=deployment,
    )
    return chosen, variant_of(chosen, name=CANDIDATE)


def open_model(parts: Parts, variant: PlannedVariant) -> LoadedModel:
    """Return a variant's model, loaded as a scorer loads it."""
    from tondo.scoring.model import load_model
    from tondo.scoring.package import open_package

    contents = open_package(parts.blobs.get(variant.package), key=parts.key)
    return load_model(contents, parts.runtimes)


def answerer_of(
    parts: Parts,
    deployment: str,
    variant: PlannedVariant,
    model: LoadedModel,
    *,
    purpose: Purpose,
) -> CandidateAnswerer:
    """Return what scores logged requests of a deployment by a version."""
    from tondo.stages.serving.candidate import CandidateAnswerer

    return CandidateAnswerer(
        deployment,
        variant,
        model,
        purpose=purpose,
        online=lambda: parts.online,
        package_of=lambda version_id: package_of(parts, version_id),
        clock=parts.clock,
        ids=parts.ids,
    )
