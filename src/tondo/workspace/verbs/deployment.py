"""Verbs on deployments: deploy, share traffic, roll back, publish, predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.workspace.publishing import layouts, published, services, tell_scorers

if TYPE_CHECKING:
    from tondo.scoring.answer import Answer
    from tondo.scoring.plan import ServingPlan
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.deployment_changes import DefinitionChange


class DeploymentVerbs:
    """What a workspace does with deployments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def deploy(
        self,
        model: str,
        version: str = "newest",
        *,
        name: str | None = None,
        staging: bool = False,
        by: str = "",
        why: str = "",
    ) -> DeploymentState:
        """Bring a version of a model live under `name`, by default the model's own.

        `version` is a number, an id, a tag, or `newest`. With `staging` it is for trying, under
        MODEL_staging unless named: callers may give `as_of`, and live metrics do not count it.
        """
        from tondo.stages.deployment.deploy import deploy
        from tondo.stages.deployment.state import variant_of
        from tondo.workspace.deployment_definition import settings_of
        from tondo.workspace.targeting import targeted
        from tondo.workspace.verbs.registry import RegistryVerbs

        deployment = name or (f"{model}_staging" if staging else model)
        chosen = RegistryVerbs(self._parts).version(model, version)
        self._check_served(chosen)
        aimed = targeted(self._parts, deployment, [variant_of(chosen)])
        with published(self._parts, by=by) as told:
            state = deploy(
                deployment,
                chosen,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or f"deployed version {version}",
                settings=settings_of(self._parts, deployment, staging=staging),
                targeted=aimed,
            )
            told.append(state.why)
        return state

    def deployments(self) -> list[DeploymentState]:
        """List deployments with the state that holds."""
        from tondo.stages.deployment.deploy import deployments

        return deployments(ledger=self._parts.ledger)

    def traffic(
        self,
        deployment: str,
        weights: dict[str, float],
        *,
        target: list[str] | None = None,
        by: str = "",
        why: str = "",
    ) -> DeploymentState:
        """Share a deployment's traffic among versions; `target` rules beat the weights.

        `weights` are by version (a number, an id, a tag) and may be shares or percentages: only
        their ratios count. A target is `COLUMN=VALUE[,VALUE]:VERSION`, such as `carrier=AA:v4`;
        the targets of the deployment's definition come after them.
        """
        from tondo.stages.deployment.deploy import split
        from tondo.workspace.targeting import targeted
        from tondo.workspace.variants import deal_variants

        variants = deal_variants(self._parts, deployment, weights)
        aimed = targeted(self._parts, deployment, variants, written=target or [])
        with published(self._parts, by=by) as told:
            state = split(
                deployment,
                variants,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or "traffic shared by hand",
                targeted=aimed,
            )
            told.append(state.why)
        return state

    def diff(self, deployment: str) -> list[DefinitionChange]:
        """Tell what a deployment's definition says otherwise than what holds.

        It counts from the next time that a version is deployed; its targets also when traffic is
        shared, or a rollout starts.
        """
        from tondo.workspace.deployment_changes import definition_changes

        return definition_changes(self._parts, deployment)

    def isolate(
        self,
        deployment: str,
        *,
        off: bool = False,
        memory_mb: int | None = None,
        by: str = "",
        why: str = "",
    ) -> DeploymentState:
        """Run a deployment's models in a process of their own; with `off`, beside others again.

        The process is started anew when it ends, or takes more than `memory_mb`. Whatever
        happens to it, other deployments are answered.
        """
        from tondo.stages.deployment.place import place

        with published(self._parts, by=by) as told:
            state = place(
                deployment,
                process=not off,
                memory_mb=memory_mb,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or ("beside others again" if off else "in a process of its own"),
            )
            told.append(state.why)
        return state

    def rollback(self, deployment: str, *, by: str = "", why: str = "") -> DeploymentState:
        """Go back to what answered before; a running rollout is aborted."""
        from tondo.stages.deployment.rollback import rollback

        with published(self._parts, by=by) as told:
            state = rollback(
                deployment,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or "rolled back by hand",
            )
            told.append(state.why)
        return state

    def publish(self, *, by: str = "", why: str = "") -> ServingPlan:
        """Publish the desired state of all deployments to the scorers."""
        from tondo.stages.deployment.publish import publish_plan

        return publish_plan(
            ledger=self._parts.ledger,
            blobs=self._parts.blobs,
            clock=self._parts.clock,
            pointer_path=self._parts.plan_pointer,
            by=by or self._parts.actor,
            why=why or "published by hand",
            views=layouts(self._parts),
            services=services(self._parts),
        )

    def reconcile(self) -> int:
        """Tell the scorers the last committed plan again; return its number, 0 without one."""
        return tell_scorers(self._parts)

    def predict(self, deployment: str, row: dict[str, Any], *, as_of: str | None = None) -> Answer:
        """Score one row in this process, on the plan that the scorers serve; it is logged."""
        from tondo.core.instants import parse_instant
        from tondo.workspace.answering import Answering

        return Answering(self._parts).score(
            deployment, [row], as_of_us=None if as_of is None else parse_instant(as_of)
        )

    def _check_served(self, version: ModelVersion) -> None:
        """Refuse a damaged package, and one that would serve other features than were learned."""
        from tondo.workspace.consistency import check_served

        check_served(self._parts, version)
