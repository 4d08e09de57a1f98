"""Which instant a project is looked at."""

from __future__ import annotations

import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.present import FAR_US, Present, present


def looked_at(live, instant):
    live.parts.clock = ManualClock(parse_instant(instant))
    return live.workspace.flow.overview()


def test_a_project_in_use_is_looked_at_by_the_machines_clock(live):
    live.day("2026-03-02")
    overview = looked_at(live, "2026-03-20T00:00:00Z")
    assert overview.now_us == parse_instant("2026-03-20T00:00:00Z")
    assert overview.machine_us is None
    assert overview.notes == []


@pytest.mark.parametrize("machine", ["2031-01-01T00:00:00Z", "2019-01-01T00:00:00Z"])
def test_a_project_of_another_time_stands_at_its_own_newest_instant_and_says_so(live, machine):
    live.day("2026-03-02")
    overview = looked_at(live, machine)
    assert overview.now_us == parse_instant("2026-03-02T11:00:00Z")  # the last outcome's
    assert overview.machine_us == parse_instant(machine)
    assert overview.notes[-1].startswith("This page stands at the project's own time")
    assert "2 March 2026" in overview.notes[-1]


def test_predictions_alone_keep_a_project_in_the_present(live):
    """The ledger rests while a model answers; the log does not."""
    live.day("2026-06-01", labelled=False)
    overview = looked_at(live, "2026-06-02T00:00:00Z")
    assert overview.machine_us is None


def test_at_its_own_time_a_projects_outcomes_are_pending_as_they_were_then(live):
    live.day("2026-03-02")
    live.day("2026-03-03", labelled=False)
    (month,) = looked_at(live, "2031-01-01T00:00:00Z").months
    assert (month.month, month.rows, month.coverage) == ("2026-03", 80, 1.0)


def test_trailing_windows_of_such_a_project_end_at_its_own_time(live):
    live.day("2026-03-02")
    live.parts.clock = ManualClock(parse_instant("2031-01-01T00:00:00Z"))
    assert live.workspace.monitoring.live_metrics("buys")[0].labelled == 0  # not matured yet
    assert live.workspace.monitoring.live_metrics("buys")[0].predictions == 40
    assert live.workspace.monitoring.drift("buys").columns[0].window_rows == 40


def test_a_new_project_lives_now(tmp_path):
    with open_workspace(tmp_path, clock=ManualClock(FAR_US * 9)) as workspace:
        found = present(workspace.parts, [])
    assert found == Present(now_us=FAR_US * 9, machine_us=FAR_US * 9)
    assert found.note == ""
