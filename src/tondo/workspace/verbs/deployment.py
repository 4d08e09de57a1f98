"""Verbs on deployments: deploy, canary, roll back, publish, predict."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.services import ServiceSettings
    from tondo.scoring.answer import Answer
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.plan import ServingPlan
    from tondo.stages.deployment.canary import Pace
    from tondo.stages.deployment.deploy import Settings
    from tondo.stages.deployment.rollout import Rollout, Step
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts


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
        by: str = "",
        why: str = "",
    ) -> DeploymentState:
        """Bring a version of a model live under `name`, by default the model's own.

        `version` is a number, an id, a tag, or `newest`.
        """
        from tondo.stages.deployment.deploy import deploy
        from tondo.workspace.verbs.registry import RegistryVerbs

        deployment = name or model
        chosen = RegistryVerbs(self._parts).version(model, version)
        self._check_served(chosen)
        with self._published(by=by) as told:
            state = deploy(
                deployment,
                chosen,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or f"deployed version {version}",
                settings=self._definition(deployment)[0],
            )
            told.append(state.why)
        return state

    def deployments(self) -> list[DeploymentState]:
        """List deployments with the state that holds."""
        from tondo.stages.deployment.deploy import deployments

        return deployments(ledger=self._parts.ledger)

    def canary(self, deployment: str, version: str, *, by: str = "", why: str = "") -> Rollout:
        """Send a share of traffic to a candidate; the project's `canary:` says how fast."""
        from tondo.stages.deployment.canary import start_rollout
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.workspace.verbs.registry import RegistryVerbs

        model = get_deployment(deployment, ledger=self._parts.ledger).main.model
        chosen = RegistryVerbs(self._parts).version(model, version)
        self._check_served(chosen)
        with self._published(by=by) as told:
            rollout = start_rollout(
                deployment,
                chosen,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=why or f"trying version {version}",
                pace=self._definition(deployment)[1],
            )
            told.append(rollout.why)
        return rollout

    def rollouts(self, deployment: str) -> list[Rollout]:
        """List a deployment's rollouts as they are now, the newest first."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.deployment.rollout import Rollout

        get_deployment(deployment, ledger=self._parts.ledger)
        latest: dict[str, Rollout] = {}
        records = self._parts.ledger.records("rollout", where={"deployment": deployment})
        for record in records:
            rollout = msgspec.convert(record.body, Rollout)
            latest.setdefault(rollout.id, rollout)
        return list(latest.values())

    def advance(self, deployment: str) -> Step | None:
        """Measure the running rollout and do what its conditions say; None without one."""
        from tondo.stages.deployment.canary import apply_step, running_rollout
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.deployment.rollout import next_step
        from tondo.stages.monitoring.arms import ARM_COLUMNS, measure_arms
        from tondo.stages.monitoring.predictions import read_predictions

        rollout = running_rollout(deployment, ledger=self._parts.ledger)
        if rollout is None:
            get_deployment(deployment, ledger=self._parts.ledger)
            return None
        now_us = self._parts.clock.now_us()
        logged = read_predictions(
            self._parts.predictions(deployment),
            start_us=rollout.step_started_at_us,
            end_us=now_us,
            purpose=None,
            columns=ARM_COLUMNS,
        )
        measured = measure_arms(logged, rollout, at_us=now_us)
        step = next_step(rollout, measured)
        if step.action == "wait":
            return step
        with self._published(by="rollout") as told:
            apply_step(
                rollout,
                step,
                measured=measured,
                ledger=self._parts.ledger,
                clock=self._parts.clock,
                by="rollout",
            )
            told.append(step.reason)
        return step

    def rollback(self, deployment: str, *, by: str = "", why: str = "") -> DeploymentState:
        """Go back to what answered before; a running rollout is aborted."""
        from tondo.stages.deployment.rollback import rollback

        with self._published(by=by) as told:
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
            views=self._layouts(),
            services=self._services(),
        )

    def reconcile(self) -> int:
        """Tell the scorers the last committed plan again; return its number, 0 without one."""
        from tondo.stages.deployment.publish import reconcile

        pointer = reconcile(
            ledger=self._parts.ledger,
            blobs=self._parts.blobs,
            pointer_path=self._parts.plan_pointer,
        )
        return 0 if pointer is None else pointer.number

    def predict(self, deployment: str, row: dict[str, Any], *, as_of: str | None = None) -> Answer:
        """Score one row in this process, on the plan that the scorers serve; it is logged."""
        from tondo.core.instants import parse_instant
        from tondo.workspace.answering import Answering

        return Answering(self._parts).score(
            deployment, [row], as_of_us=None if as_of is None else parse_instant(as_of)
        )

    @contextmanager
    def _published(self, *, by: str) -> Iterator[list[str]]:
        """Commit what is done within and its plan as one, then tell the scorers.

        The block appends the reason.
        """
        from tondo.stages.deployment.publish import commit_plan

        told: list[str] = []
        with self._parts.ledger.transaction():
            yield told
            commit_plan(
                ledger=self._parts.ledger,
                blobs=self._parts.blobs,
                clock=self._parts.clock,
                by=by or self._parts.actor,
                why=told[0],
                views=self._layouts(),
                services=self._services(),
            )
        self.reconcile()

    def _check_served(self, version: ModelVersion) -> None:
        """Refuse a damaged package, and one that would serve other features than were learned."""
        from tondo.workspace.consistency import check_served

        check_served(self._parts, version)

    def _layouts(self) -> dict[str, ViewLayout]:
        from tondo.stages.features.views import layout_of

        return {view.name: layout_of(view) for view in self._parts.views.values()}

    def _services(self) -> dict[str, ServiceSettings]:
        from tondo.stages.features.asked import service_of

        asked = [view for view in self._parts.views.values() if view.asked]
        return {view.name: service_of(view) for view in asked}

    def _definition(self, deployment: str) -> tuple[Settings | None, Pace | None]:
        from tondo.stages.deployment.canary import Pace
        from tondo.stages.deployment.deploy import Settings
        from tondo.workspace.definitions import read_body

        found = self._parts.project.of("deployment").get(deployment)
        if found is None:
            return None, None
        body = {**found.body}
        canary = body.pop("canary", None)
        for name in ("deployment", "model", "owner", "description", "label_horizon"):
            body.pop(name, None)
        settings = read_body(body, Settings, place=str(found.place))
        pace = None if canary is None else read_body(canary, Pace, place=f"{found.place} canary")
        return settings, pace
