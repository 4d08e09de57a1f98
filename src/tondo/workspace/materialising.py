"""Materialisations of a workspace: one at a time a view, those that are due, how fresh they are.

A view with a cadence is due when a boundary has passed since the materialisation before, when its
definition is another, or when the store lost what was loaded. One load serves all boundaries that
were missed. Whoever calls at the same time as another finds the work done, or being done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.errors import ConflictError, DefinitionError, TondoError
from tondo.scoring.layout import visible_us
from tondo.scoring.loads import NO_LOAD
from tondo.scoring.pushed import newest_pushed_us
from tondo.stages.data.commits import find_head
from tondo.stages.features.distribution import keep_distribution
from tondo.stages.features.layouts import layout_of
from tondo.stages.features.loads import state_of
from tondo.stages.features.materialise import materialise, plan_materialisation
from tondo.stages.features.push import replay_pushes
from tondo.stages.features.recorded_pushes import (
    Recording,
    record_events,
    recorded_files,
    recorded_until,
)
from tondo.stages.features.what_to_read import Materialisation, MaterialisationPlan, last_of
from tondo.stages.monitoring.alerts import alerts, close_all, report_findings
from tondo.stages.monitoring.findings import freshness_finding
from tondo.workspace.verbs.data import DataVerbs

if TYPE_CHECKING:
    from tondo.ports.engine import FileTable
    from tondo.stages.features.views import FeatureView
    from tondo.workspace.bootstrap import Parts

_RUNNING = "TD-FLOW-001"


class DueView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one view with a cadence."""

    view: str
    outcome: Literal["loaded", "up to date", "running elsewhere", "failed"]
    boundary_us: int
    """The last boundary of its cadence that has passed."""
    materialisation: Materialisation | None = None
    error: dict[str, Any] | None = None
    """Of a failed one; the other views went on."""


class ViewFreshness(msgspec.Struct, frozen=True, kw_only=True):
    """How old the newest value of a view is, beside what is promised."""

    view: str
    newest_us: int | None
    """The newest event that was loaded or pushed; without event times, the last load."""
    age_s: float | None
    promised_s: float
    is_fresh: bool


class DueRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of all that was due."""

    at_us: int
    views: list[DueView]
    """Views with a cadence, those first that others' sources come from."""
    freshness: list[ViewFreshness]
    """Of every view, after the run."""


def materialise_view(parts: Parts, view: FeatureView) -> Materialisation:
    """Materialise a view under its lease; TD-FLOW-001 while another process does."""
    with parts.executions.run("materialise", {"view": view.name}, key=view.name):
        return _load(parts, view)


def plan_view(parts: Parts, view: FeatureView) -> MaterialisationPlan:
    """Return what a materialisation would read now, and why."""
    data = DataVerbs(parts)
    return plan_materialisation(
        view,
        data.table(view.source),
        online=parts.online,
        ledger=parts.ledger,
        clock=parts.clock,
        snapshot=data.snapshot(view.source).id,
    )


def run_due(parts: Parts) -> DueRun:
    """Materialise every view that is due, and tell of each what became of it."""
    at_us = parts.clock.now_us()
    timed = [view for view in in_order(parts) if view.every_us is not None]
    done = [_run_one(parts, view, at_us) for view in timed]
    return DueRun(at_us=at_us, views=done, freshness=check_freshness(parts))


def in_order(parts: Parts) -> list[FeatureView]:
    """Return the views, those first whose sources others are derived from, then by name.

    Asked views are not among them: their values are always of the moment.
    """
    views = [view for view in parts.views.values() if not view.asked]
    depths = {view.source: _depth(parts, view.source) for view in views}
    return sorted(views, key=lambda view: (depths[view.source], view.name))


def freshness_of(parts: Parts) -> list[ViewFreshness]:
    """Return how fresh each view is; nothing is kept. A view that is asked is always of now."""
    at_us = parts.clock.now_us()
    return [_freshness(parts, view, at_us) for view in in_order(parts) if not view.asked]


def check_freshness(parts: Parts) -> list[ViewFreshness]:
    """Look at each view's promise: open an alert where it is broken, close it where kept again."""
    at_us = parts.clock.now_us()
    looked = freshness_of(parts)
    broken = {}
    for each in looked:
        promised_us = int(each.promised_s * 1e6)
        finding = freshness_finding(
            each.view, newest_us=each.newest_us, promised_us=promised_us, at_us=at_us
        )
        if finding is not None:
            broken[finding.key] = finding
    report_findings(broken.values(), ledger=parts.ledger, clock=parts.clock)
    kept = [
        alert
        for alert in alerts(ledger=parts.ledger)
        if alert.kind == "freshness" and alert.status != "closed" and alert.key not in broken
    ]
    close_all(kept, ledger=parts.ledger, by="monitoring", why="the view is fresh again, or gone")
    return looked


def record_pushes(parts: Parts, view: FeatureView, *, by: str) -> Recording:
    """Make the pushed events of a view part of its source's dataset; see `record_events`.

    The log is read from where the last recording stopped. Events that are in it and not in the
    store, because somebody was killed between, are applied first, so that both hold the same.
    """
    if view.source in parts.project.of("dataset"):
        raise DefinitionError(
            "TD-FEATURE-102",
            f"'{view.source}', the source of view '{view.name}', is derived: no rows are added "
            "to it",
            expected="a view over a source",
            fix="Bring the rows to the sources that it is derived from "
            f"({', '.join(DataVerbs(parts).derived(view.source).inputs)}), and derive it again.",
            view=view.name,
        )
    data = DataVerbs(parts)
    with parts.executions.run("record", {"view": view.name}, key=view.source):
        after = recorded_until(view, ledger=parts.ledger)
        replay_pushes(view, online=parts.online, eventlog=parts.eventlog, after=after)
        committed = find_head(view.source, ledger=parts.ledger) is not None
        return record_events(
            view,
            columns=data.columns(view.source),
            table=data.table(view.source) if committed else None,
            engine=parts.engine,
            eventlog=parts.eventlog,
            ledger=parts.ledger,
            blobs=parts.blobs,
            clock=parts.clock,
            by=by,
            after=after,
        )


def _run_one(parts: Parts, view: FeatureView, at_us: int) -> DueView:
    boundary_us = visible_us(layout_of(view), at_us)
    told = DueView(view=view.name, outcome="up to date", boundary_us=boundary_us)
    try:
        if not _is_due(parts, view, boundary_us):
            return told
        with parts.executions.run("materialise", {"view": view.name}, key=view.name):
            # Somebody may have done it between the look and the lease.
            if not _is_due(parts, view, boundary_us):
                return told
            loaded = _load(parts, view, refresh=True)
    except ConflictError as conflict:
        if conflict.code != _RUNNING:
            return msgspec.structs.replace(told, outcome="failed", error=conflict.to_json())
        return msgspec.structs.replace(told, outcome="running elsewhere")
    except TondoError as error:
        return msgspec.structs.replace(told, outcome="failed", error=error.to_json())
    return msgspec.structs.replace(told, outcome="loaded", materialisation=loaded)


def _is_due(parts: Parts, view: FeatureView, boundary_us: int) -> bool:
    last = last_of(view, ledger=parts.ledger)
    if last is None or last.until_us < boundary_us:
        return True
    return last.load != state_of(layout_of(view), parts.online).published


def _load(parts: Parts, view: FeatureView, *, refresh: bool = False) -> Materialisation:
    data = DataVerbs(parts)
    if refresh and view.source in parts.project.of("dataset"):
        data.derive(view.source)
    table = data.table(view.source)
    was_empty = state_of(layout_of(view), parts.online) == NO_LOAD
    done = materialise(
        view,
        _without_pushed(parts, view, table),
        engine=parts.engine,
        online=parts.online,
        ledger=parts.ledger,
        clock=parts.clock,
        snapshot=data.snapshot(view.source).id,
    )
    if was_empty:
        # A new store, or one that was lost: the log holds what was pushed to it.
        replay_pushes(view, online=parts.online, eventlog=parts.eventlog)
    # Where no file said anything new the values are distributed as they were.
    if done.files_read or not done.files_reused:
        keep_distribution(view, table, done, engine=parts.engine, ledger=parts.ledger)
    return done


def _without_pushed(parts: Parts, view: FeatureView, table: FileTable) -> FileTable:
    """Leave out the files that were recorded from the pushes of a window view.

    Their events are in the store under the ids that they were pushed with, and would count twice.
    """
    if view.kind != "window":
        return table
    files = recorded_files(view, ledger=parts.ledger)
    pushed = {parts.blobs.local_path(each) for each in files if parts.blobs.has(each)}
    paths = tuple(path for path in table.paths if path not in pushed)
    return msgspec.structs.replace(table, paths=paths)


def _freshness(parts: Parts, view: FeatureView, at_us: int) -> ViewFreshness:
    last = last_of(view, ledger=parts.ledger)
    times = [newest_pushed_us(layout_of(view), parts.online)]
    if last is not None:
        times.append(last.newest_event_us if view.event_time is not None else last.until_us)
    newest = max((each for each in times if each is not None), default=None)
    age_us = None if newest is None else at_us - newest
    return ViewFreshness(
        view=view.name,
        newest_us=newest,
        age_s=None if age_us is None else age_us / 1e6,
        promised_s=view.freshness_us / 1e6,
        is_fresh=age_us is not None and age_us <= view.freshness_us,
    )


def _depth(parts: Parts, dataset: str) -> int:
    """Return how many derivations lie between a dataset and its sources."""
    if dataset not in parts.project.of("dataset"):
        return 0
    return 1 + max(
        (_depth(parts, each) for each in DataVerbs(parts).derived(dataset).inputs), default=0
    )
