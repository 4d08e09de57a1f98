"""Verbs on shadows: versions that score what is asked of a deployment, and answer nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tondo.stages.serving.consumer import Consumed
    from tondo.stages.serving.shadow import Shadow, ShadowReport
    from tondo.workspace.bootstrap import Parts


class ShadowVerbs:
    """What a workspace does with shadows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def start(
        self,
        deployment: str,
        version: str,
        *,
        since: str | None = None,
        by: str = "",
        why: str = "",
    ) -> Shadow:
        """Let a version score what is asked of a deployment, from now or from an instant on.

        A process of its own does it while `tondo serve` runs; `run` does it at once. Errors:
        TD-DEPLOY-001, TD-SERVING-003 (the version reads columns that callers do not send).
        """
        from tondo.core.instants import parse_instant
        from tondo.workspace.consuming.shadows import start

        since_us = None if since is None else parse_instant(since)
        return start(self._parts, deployment, version, since_us=since_us, by=by, why=why)

    def stop(self, deployment: str, version: str, *, by: str = "", why: str = "") -> ShadowReport:
        """Let a version score no longer; return the report of what it scored."""
        from tondo.stages.serving.shadow import stop_shadow
        from tondo.workspace.consuming.shadows import report

        number = self._number(deployment, version)
        stopped = stop_shadow(
            deployment,
            number,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or "stopped by hand",
        )
        return report(self._parts, stopped)

    def shadows(self, deployment: str | None = None) -> list[Shadow]:
        """List the shadows of one deployment, or of all."""
        from tondo.stages.serving.shadow import shadows

        return shadows(ledger=self._parts.ledger, deployment=deployment)

    def run(self, deployment: str, version: str) -> Consumed:
        """Score at once, in this process, what was asked and not scored yet.

        Errors: TD-SERVING-005 (no such shadow), -006 (another process is at it).
        """
        from tondo.stages.serving.shadow import get_shadow
        from tondo.workspace.consuming.shadows import shadow_at_work

        number = self._number(deployment, version)
        shadow = get_shadow(deployment, number, ledger=self._parts.ledger)
        with shadow_at_work(self._parts, shadow) as consumer:
            return consumer.step()

    def report(self, deployment: str, version: str) -> ShadowReport:
        """Compare what a shadow scored so far with production, and keep the report."""
        from tondo.stages.serving.shadow import get_shadow
        from tondo.workspace.consuming.shadows import report

        number = self._number(deployment, version)
        return report(self._parts, get_shadow(deployment, number, ledger=self._parts.ledger))

    def _number(self, deployment: str, version: str) -> int:
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.workspace.verbs.registry import RegistryVerbs

        model = get_deployment(deployment, ledger=self._parts.ledger).main.model
        return RegistryVerbs(self._parts).version(model, version).number
