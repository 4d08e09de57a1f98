"""Verbs on replays: a past window of requests, sent to another version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from tondo.stages.serving.replay import ReplayReport
    from tondo.workspace.bootstrap import Parts


class ReplayVerbs:
    """What a workspace does with past requests."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(
        self,
        deployment: str,
        version: str,
        *,
        start: str,
        end: str,
        rate: float | None = None,
        address: str | None = None,
        staging: str | None = None,
    ) -> ReplayReport:
        """Send the live requests as of `start` to `end` to a version; compare the answers.

        `rate` is requests a second, as fast as they are answered when left out. With the
        `address` of a scorer they go over HTTP to the deployment `staging`, by default
        MODEL_staging; else they are scored in this process. Errors: TD-DEPLOY-001,
        TD-SERVING-003, -015 (nothing was asked), -016 to -018 (the scorer).
        """
        from tondo.core.instants import parse_instant
        from tondo.workspace.consuming.replays import ReplayRequest, replay

        if rate is not None and not 0 < rate <= _FASTEST:
            raise CallerError(
                "TD-SERVING-019",
                f"requests cannot be sent at {rate:g} a second",
                expected=f"more than 0 and at most {_FASTEST:,} a second",
                fix="Leave the rate out to send them as fast as they are answered.",
                rate=rate,
            )
        request = ReplayRequest(
            deployment=deployment,
            version=version,
            start_us=parse_instant(start),
            end_us=parse_instant(end),
            rate=rate,
            address=address,
            staging=staging,
        )
        return replay(self._parts, request)

    def reports(self, deployment: str) -> list[ReplayReport]:
        """Return the reports of a deployment's replays, the newest first."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.serving.replay import reports

        get_deployment(deployment, ledger=self._parts.ledger)
        return reports(deployment, ledger=self._parts.ledger)


_FASTEST = 1_000_000
