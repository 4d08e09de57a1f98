"""The year: nine months of traffic, each a step, with the control loop running every day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant, from_micros
from tondo.workspace.demo.drive import DEPLOYMENT, Drive
from tondo.workspace.demo.story import MODEL
from tondo.workspace.demo.wire import Wire
from tondo.workspace.demo.world import DAY_US, TRAFFIC_UNTIL, month_starts
from tondo.workspace.months import close_month

if TYPE_CHECKING:
    from tondo.flow.executions import Execution
    from tondo.workspace.demo.story import Chapters
    from tondo.workspace.serving import Servers

_SETTLED_US = 2 * DAY_US
"""A month is closed two days after its end: every flight has landed or never will."""
_LAST_LANDINGS_US = 3 * DAY_US


class Year:
    """Drives April to December against the running scorer."""

    def __init__(
        self, chapters: Chapters, servers: Servers, scorer: str, *, left_alone: str
    ) -> None:
        self._chapters = chapters
        self._workspace = chapters.workspace
        self._clock = chapters.clock
        self._servers = servers
        self._scorer = scorer
        self._left_alone = left_alone
        self._workspace.parts.feeds.append(self._ingest)

    def run(self, execution: Execution, before: str) -> str:
        """Drive every month that was not driven before; return what the next step depends on."""
        for month, start_us, end_us in month_starts():
            driven = execution.step(
                month,
                lambda progress, s=start_us, e=end_us: self._drive(s, e),
                inputs={"before": before},
            )
            before = driven["digest"]
            self._clock.set_us(max(self._clock.now_us(), end_us))
            self._tell(month, driven)
        settled = execution.step(
            "last landings",
            lambda progress: self._drive(TRAFFIC_UNTIL, TRAFFIC_UNTIL + _LAST_LANDINGS_US),
            inputs={"before": before},
        )
        return str(settled["digest"])

    def _drive(self, start_us: int, end_us: int) -> dict[str, Any]:
        from tondo.core.canonical import digest

        self._clock.set_us(max(self._clock.now_us(), start_us))
        wire = Wire(self._scorer)
        drive = Drive(
            self._workspace,
            self._chapters.world,
            wire,
            clock=self._clock,
            daily=self._daily,
        )
        try:
            counts = drive.run(start_us, end_us)
        finally:
            wire.close()
        self._servers.close_log_segments()
        parts = self._workspace.parts
        parts.predictions(DEPLOYMENT).compact()
        parts.outcomes(DEPLOYMENT).compact()
        segments = sorted(parts.predictions(DEPLOYMENT).compacted())
        return {
            **msgspec.to_builtins(counts),
            "segments": segments,
            "digest": digest([start_us, end_us, segments]),
        }

    def _daily(self, now_us: int) -> None:
        """Do what is done each morning: decide, move the canary, close a month."""
        self._workspace.retraining.run_due(MODEL)
        self._workspace.rollouts.advance(DEPLOYMENT)
        self._servers.await_plan(self._workspace.deployment.reconcile())
        for month, start_us, end_us in month_starts():
            if end_us + _SETTLED_US <= now_us < end_us + _SETTLED_US + DAY_US:
                self._ingest(now_us)
                close_month(
                    self._workspace.parts,
                    DEPLOYMENT,
                    month,
                    start_us=start_us,
                    end_us=end_us,
                    left_alone=self._left_alone,
                )

    def _ingest(self, now_us: int) -> None:
        since_us = self._chapters.recorded_until()
        if since_us < now_us:
            day = format_instant(now_us)[:10]
            self._chapters.commit_recorded(since_us, now_us, why=f"recorded up to {day}")
            for name in ("departures", "landings"):
                self._workspace.data.derive(name, by="demo")

    def _tell(self, month: str, driven: dict[str, Any]) -> None:
        name = from_micros(month_starts()[int(month[5:]) - 4][1]).strftime("%B")
        happened = "\n".join(self._happened(month))
        self._chapters.teller.say(
            f"{name:9s} {driven['rows']:6,} flights scored in {driven['requests']:,} requests,"
            f" {driven['outcomes']:,} outcomes" + (f"\n{happened}" if happened else "")
        )

    def _happened(self, month: str) -> list[str]:
        """Return what the control loop did in a month, as sentences."""
        ledger = self._workspace.parts.ledger
        found = self._alerted(month)
        for record in ledger.records("retraining", newest_first=False):
            if _in(month, record.created_at_us):
                trigger = {"metric": "AUC fell", "month": "a month passed"}
                why = trigger.get(str(record.body["trigger"]), "asked")
                version = record.body["version"]
                end = f"version {version} on trial" if version else "the gate refused"
                found.append(f"retrained on {_day(record.created_at_us)} ({why}): {end}")
        for kind, words in _ROLLOUTS.items():
            found += [
                f"{words} on {_day(event.created_at_us)}: {event.body['why']}"
                for event in ledger.events(kind=kind)
                if _in(month, event.created_at_us)
            ]
        return found

    def _alerted(self, month: str) -> list[str]:
        events = self._workspace.parts.ledger.events(kind="alert.opened")
        opened = [each for each in events if _in(month, each.created_at_us)]
        drifted = [each for each in opened if str(each.body["key"]).startswith("drift/")]
        found = [f"alert: {each.body['message']}" for each in opened if each not in drifted]
        if drifted:
            features = "a feature" if len(drifted) == 1 else f"{len(drifted)} features"
            found.append(f"alerts: {features} drifted from training")
        return found


_ROLLOUTS = {"rollout.promoted": "promoted", "rollout.aborted": "canary stopped"}


def _in(month: str, instant_us: int) -> bool:
    return format_instant(instant_us).startswith(month)


def _day(instant_us: int) -> str:
    return from_micros(instant_us).strftime("%-d %B")
