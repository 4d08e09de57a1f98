from __future__ import annotations

import pytest

from tondo.core.errors import CallerError


def test_a_step_starts_afresh_without_a_checkpoint(executions):
    with executions.run("demo") as execution:
        assert execution.step("a", lambda progress: progress.resume_state()) is None


def failing(progress):
    state = progress.resume_state() or {"row": 0}
    progress.checkpoint({"row": state["row"] + 10})
    raise CallerError("TD-CALL-001", "stopped")


def test_a_step_goes_on_from_its_checkpoint(executions):
    for _ in range(2):
        with pytest.raises(CallerError), executions.run("demo") as execution:
            execution.step("a", failing)
    with executions.run("demo") as execution:
        assert execution.step("a", lambda progress: progress.resume_state()) == {"row": 20}


def test_a_checkpoint_belongs_to_one_key(executions):
    with pytest.raises(CallerError), executions.run("demo") as execution:
        execution.step("a", failing)
    with executions.run("demo") as execution:
        found = execution.step("a", lambda progress: progress.resume_state(), version=2)
    assert found is None


def test_a_finished_step_leaves_no_checkpoint(executions, ledger):
    with executions.run("demo") as execution:
        execution.step("a", lambda progress: progress.checkpoint({"row": 1}))
        again = execution.step("a", lambda progress: progress.resume_state(), force=True)
    assert again is None


def test_a_forced_step_ignores_the_checkpoint(executions):
    with pytest.raises(CallerError), executions.run("demo") as execution:
        execution.step("a", failing)
    with executions.run("demo", force={"a"}) as execution:
        assert execution.step("a", lambda progress: progress.resume_state()) is None


def test_telling_how_far_a_step_is_keeps_its_checkpoint(executions):
    def work(progress):
        progress.checkpoint({"row": 1})
        progress.advance(1, 2, "half")
        return progress.resume_state()

    with executions.run("demo") as execution:
        assert execution.step("a", work) == {"row": 1}
