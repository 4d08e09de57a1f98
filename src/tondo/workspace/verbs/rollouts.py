"""Verbs on rollouts: start, look, advance, pause, resume, promote, abort."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from tondo.workspace.publishing import published

if TYPE_CHECKING:
    from tondo.stages.deployment.measure import Measurements
    from tondo.stages.deployment.rollout import LogPositions, Phase, Rollout, Step
    from tondo.stages.deployment.status import DeploymentStatus, Look, RolloutPlan
    from tondo.stages.monitoring.arm_tail import ArmTail
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts


class RolloutVerbs:
    """What a workspace does with rollouts. Threads may share it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tails: dict[str, ArmTail] = {}
        self._lock = Lock()

    def preview(
        self, deployment: str, version: str = "newest", *, pace: str | None = None
    ) -> RolloutPlan:
        """Tell what starting a rollout would do, and what it would find after how many requests."""
        from tondo.workspace.rollout_plans import preview

        return preview(self._parts, deployment, self._candidate(deployment, version), pace)

    def start(
        self,
        deployment: str,
        version: str,
        *,
        pace: str | None = None,
        target: list[str] | None = None,
        no_shadow: bool = False,
        by: str = "",
        why: str = "",
    ) -> Rollout:
        """Send a first share of traffic to a candidate; the project's `rollout:` says how fast.

        `pace` is another kind: canary, linear, blue_green or ab. A candidate was a shadow first,
        or `no_shadow` says that it need not be (TD-DEPLOY-011). Rows that fit a `target`, such as
        `carrier=AA`, go to the candidate whatever the share is, and are not compared.
        """
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.deployment.rollout_records import check_startable, start_rollout
        from tondo.stages.deployment.state import CANDIDATE, LIVE, variant_of
        from tondo.workspace.consistency import check_served
        from tondo.workspace.deployment_definition import pace_of
        from tondo.workspace.targeting import targeted

        parts = self._parts
        chosen = self._candidate(deployment, version)
        check_startable(get_deployment(deployment, ledger=parts.ledger), chosen)
        shadow = self._shadow(deployment, chosen, required=not no_shadow)
        check_served(parts, chosen)
        asked = [f"{each}:{CANDIDATE}" for each in target or []]
        tried = [variant_of(chosen, name=CANDIDATE)]
        aimed = targeted(parts, deployment, tried, written=asked, live=LIVE)
        with published(parts, by=by) as told:
            rollout = start_rollout(
                deployment,
                chosen,
                ledger=parts.ledger,
                clock=parts.clock,
                by=by or parts.actor,
                why=why or f"trying version {chosen.number}",
                pace=pace_of(parts, deployment, pace),
                targeted=aimed,
                log=self._log_now(deployment),
                shadow=shadow,
            )
            told.append(rollout.why)
        return rollout

    def history(self, deployment: str) -> list[Rollout]:
        """List a deployment's rollouts as they are now, the newest first."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.deployment.rollout import Rollout

        get_deployment(deployment, ledger=self._parts.ledger)
        latest: dict[str, Rollout] = {}
        for record in self._parts.ledger.records("rollout", where={"deployment": deployment}):
            rollout = msgspec.convert(record.body, Rollout)
            latest.setdefault(rollout.id, rollout)
        return [*latest.values()]

    def status(self, deployment: str) -> DeploymentStatus:
        """Tell what is desired, tried and current, with every condition as it was last seen."""
        from tondo.workspace.rollout_status import status

        return status(self._parts, deployment, measure=self._look)

    def advance(self, deployment: str) -> Step | None:
        """Measure the rollout under way and do what its conditions say; None without one."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.deployment.rollout_records import apply_step, running_rollout
        from tondo.workspace.rollout_looks import keep_look, look

        parts = self._parts
        with self._lock:
            rollout = running_rollout(deployment, ledger=parts.ledger)
            if rollout is None:
                get_deployment(deployment, ledger=parts.ledger)
                self._tails.pop(deployment, None)
                return None
            tail = self._tail(rollout)
            found = look(tail, at_us=parts.clock.now_us())
            keep_look(parts, deployment, found)
            if found.decided.action == "wait":
                return found.decided
            with published(parts, by="rollout") as told:
                apply_step(
                    rollout,
                    found.decided,
                    measured=found.measured,
                    ledger=parts.ledger,
                    clock=parts.clock,
                    by="rollout",
                    log=tail.log,
                )
                told.append(found.decided.reason)
            return found.decided

    def running(self) -> list[str]:
        """Return the names of the deployments whose rollouts are under way."""
        from tondo.stages.deployment.deploy import deployments

        found = deployments(ledger=self._parts.ledger)
        return [each.name for each in found if each.rollout is not None]

    def pause(self, deployment: str, *, by: str = "", why: str = "") -> Rollout:
        """Leave the share as it is until the rollout is resumed; guards still abort."""
        return self._steer(deployment, "paused", by=by, why=why or "paused by hand")

    def resume(self, deployment: str, *, by: str = "", why: str = "") -> Rollout:
        """Let a paused rollout go on."""
        return self._steer(deployment, "running", by=by, why=why or "resumed by hand")

    def promote(self, deployment: str, *, by: str = "", why: str = "") -> Rollout:
        """Give the candidate the whole traffic now, whatever was measured."""
        return self._steer(deployment, "promoted", by=by, why=why or "promoted by hand")

    def abort(self, deployment: str, *, by: str = "", why: str = "") -> Rollout:
        """Give the traffic back to the version before."""
        return self._steer(deployment, "aborted", by=by, why=why or "aborted by hand")

    def _steer(self, deployment: str, phase: Phase, *, by: str, why: str) -> Rollout:
        from tondo.stages.deployment.rollout_records import get_running_rollout, steer_rollout

        parts = self._parts
        with published(parts, by=by) as told:
            rollout = get_running_rollout(deployment, ledger=parts.ledger)
            told.append(why)
            if rollout.phase == phase:
                return rollout
            return steer_rollout(
                rollout,
                phase,
                measured=self._measured(rollout),
                ledger=parts.ledger,
                clock=parts.clock,
                by=by or parts.actor,
                why=why,
            )

    def _candidate(self, deployment: str, version: str) -> ModelVersion:
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.workspace.verbs.registry import RegistryVerbs

        model = get_deployment(deployment, ledger=self._parts.ledger).main.model
        return RegistryVerbs(self._parts).version(model, version)

    def _shadow(self, deployment: str, version: ModelVersion, *, required: bool) -> str | None:
        """Return the id of a version's last shadow report; TD-DEPLOY-011 without a required one."""
        from tondo.workspace.rollout_plans import known_shadow, was_no_shadow

        found = known_shadow(self._parts, deployment, version)
        if found is None and required:
            raise was_no_shadow(deployment, version)
        return found

    def _log_now(self, deployment: str) -> LogPositions:
        """Return where the logs of a deployment stand: what is measured comes after it."""
        from tondo.scoring.frames import stream_of
        from tondo.stages.deployment.rollout import LogPositions
        from tondo.stages.monitoring import outcomes

        eventlog = self._parts.eventlog
        return LogPositions(
            predictions=eventlog.end(stream_of(deployment)),
            outcomes=eventlog.end(outcomes.stream_of(deployment)),
        )

    def _measured(self, rollout: Rollout) -> Measurements | None:
        """Return what can be measured; a log that cannot be read keeps no hand from acting."""
        from tondo.core.errors import TondoError

        try:
            return self._look(rollout).measured
        except TondoError:
            return None

    def _look(self, rollout: Rollout) -> Look:
        from tondo.workspace.rollout_looks import look

        with self._lock:
            return look(self._tail(rollout), at_us=self._parts.clock.now_us())

    def _tail(self, rollout: Rollout) -> ArmTail:
        """Return what reads the present step's log; reading again costs only what is new."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.monitoring.arm_tail import ArmTail

        kept = self._tails.get(rollout.deployment)
        if kept is not None and kept.is_of(rollout):
            kept.rollout = rollout
            return kept
        state = get_deployment(rollout.deployment, ledger=self._parts.ledger)
        tail = ArmTail(rollout, state.desired, eventlog=self._parts.eventlog)
        self._tails[rollout.deployment] = tail
        return tail
