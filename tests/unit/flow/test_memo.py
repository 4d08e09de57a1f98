from __future__ import annotations

import math

import msgspec
import pytest

from tondo.core.errors import CallerError, DefinitionError, PlatformError
from tondo.flow.executions import Executions


class Report(msgspec.Struct, frozen=True, kw_only=True):
    auc: float
    rows: int


def test_a_step_runs_once_and_is_reused_by_the_next_execution(executions, count):
    answers = []
    for _ in range(3):
        with executions.run("demo") as execution:
            answers.append(execution.step("train", count, inputs={"data": "abc"}))
    assert answers == [{"call": 1}] * 3
    assert [step.reused for step in execution.steps()] == [True]
    assert count.calls == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"inputs": {"data": "xyz"}},
        {"parameters": {"seed": 8}},
        {"version": 2},
        {"packages": ["msgspec"]},
    ],
)
def test_a_step_runs_again_when_any_part_of_its_key_changes(executions, count, changed):
    asked = {"inputs": {"data": "abc"}, "parameters": {"seed": 7}, "version": 1, "packages": ()}
    with executions.run("demo") as execution:
        execution.step("train", count, **asked)
        assert execution.step("train", count, **(asked | changed)) == {"call": 2}
        assert execution.step("train", count, **asked) == {"call": 1}


def test_a_step_of_another_name_is_another_step(executions, count):
    with executions.run("demo") as execution:
        assert execution.step("a", count) != execution.step("b", count)


def test_forcing_a_step_does_it_afresh_and_the_new_result_stays(executions, count):
    with executions.run("demo") as execution:
        execution.step("train", count)
        assert execution.step("train", count, force=True) == {"call": 2}
    with executions.run("demo", force={"train"}) as execution:
        assert execution.step("train", count) == {"call": 3}
    with executions.run("demo") as execution:
        assert execution.step("train", count) == {"call": 3}


def test_a_result_is_the_same_value_fresh_or_remembered(executions):
    def work(progress):
        return {"pair": (1, 2), "text": "é"}

    with executions.run("demo") as execution:
        first = execution.step("a", work)
        assert execution.step("a", work) == first == {"pair": [1, 2], "text": "é"}


def test_a_struct_is_given_back_as_a_struct(executions):
    def work(progress):
        return Report(auc=0.75, rows=3)

    with executions.run("demo") as execution:
        for _ in range(2):
            assert execution.step("a", work, result_type=Report) == Report(auc=0.75, rows=3)


def test_a_remembered_result_of_another_shape_is_worked_out_again(executions):
    class Before(msgspec.Struct):
        rows: int

    class Now(msgspec.Struct):
        rows: int
        columns: int

    answers = [{"rows": 3}, {"rows": 3, "columns": 2}]

    def work(progress):
        return answers.pop(0)

    for shape, expected in ((Before, Before(rows=3)), (Now, Now(rows=3, columns=2))):
        with executions.run("demo") as execution:
            assert execution.step("count", work, result_type=shape) == expected


def test_a_large_result_goes_to_the_blobs(executions, ledger):
    def work(progress):
        return ["x" * 1000] * 100

    with executions.run("demo") as execution:
        execution.step("large", work)
        assert execution.step("large", work) == ["x" * 1000] * 100
    (row, reused) = ledger.steps.of(execution.id)
    assert row.result.startswith("blob:")
    assert reused.state == "reused"


def test_a_large_result_that_was_cleared_away_is_worked_out_again(ledger, clock, count):
    from tondo.adapters.blobs.memory.blobs import MemoryBlobs

    def work(progress):
        return ["x" * 1000] * 100 + [count(progress)]

    with Executions(ledger, MemoryBlobs(), clock).run("demo") as execution:
        execution.step("large", work)
    with Executions(ledger, MemoryBlobs(), clock).run("demo") as execution:
        assert execution.step("large", work)[-1] == {"call": 2}


def test_a_result_that_json_cannot_hold_fails_the_step(executions):
    with pytest.raises(DefinitionError, match="TD-CORE-001"), executions.run("demo") as execution:
        execution.step("a", lambda progress: {"auc": math.nan})
    assert executions.newest()[0].steps[0].state == "failed"


def test_a_step_that_fails_keeps_its_inputs_its_error_and_its_log(executions):
    def work(progress):
        import logging

        logging.getLogger("tondo.test").warning("the seventh row is odd")
        raise CallerError("TD-CALL-001", "no model 'lat'", name="lat")

    with pytest.raises(CallerError), executions.run("demo", {"month": 4}) as execution:
        execution.step("train", work, inputs={"data": "abc"})
    record = executions.get(execution.id)
    (step,) = record.steps
    assert (record.state, record.error["code"]) == ("failed", "TD-CALL-001")
    assert (step.state, step.ok, step.parts["inputs"]) == ("failed", False, {"data": "abc"})
    assert step.error["fields"] == {"name": "lat"}
    assert "WARNING tondo.test: the seventh row is odd" in step.log
    assert "CallerError" in step.log


def test_a_failure_without_a_code_is_given_one(executions):
    with (
        pytest.raises(PlatformError, match=r"TD-FLOW-003.*'train'.*ZeroDivisionError") as caught,
        executions.run("demo") as execution,
    ):
        execution.step("train", lambda progress: 1 / 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_failed_step_runs_again_and_the_finished_ones_stay(executions, count):
    def broken(progress):
        raise CallerError("TD-CALL-001", "broken")

    with pytest.raises(CallerError), executions.run("demo") as execution:
        execution.step("a", count)
        execution.step("b", broken)
    with executions.run("demo") as execution:
        execution.step("a", count)
        execution.step("b", count)
    assert [(step.name, step.state) for step in execution.steps()] == [("a", "reused"), ("b", "ok")]


def test_a_failure_outside_the_steps_fails_the_execution(executions):
    with pytest.raises(RuntimeError), executions.run("demo"):
        raise RuntimeError("between the steps")
    (record,) = executions.newest()
    assert (record.state, record.error["code"]) == ("failed", "TD-FLOW-006")


def test_an_interrupted_execution_is_killed_and_gives_its_lease_back(executions, count):
    def interrupted(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), executions.run("demo") as execution:
        execution.step("a", interrupted)
    (record,) = executions.newest()
    assert (record.state, record.steps[0].state) == ("killed", "killed")
    with executions.run("demo") as execution:
        assert execution.step("a", count) == {"call": 1}


def test_an_execution_tells_what_it_was(executions, count, clock):
    with executions.run("demo", {"month": 4}, key="demo") as execution:
        clock.advance_us(1_500_000)
        execution.step("a", count)
    (record,) = executions.newest(name="demo")
    assert record.id == execution.id
    assert (record.name, record.key, record.parameters) == ("demo", "demo/demo", {"month": 4})
    assert record.ended_at_us - record.started_at_us == 1_500_000
    assert record.state == "succeeded"
    assert record.steps[0].seconds > 0


def test_an_execution_is_a_record_that_lineage_finds(executions, ledger):
    with executions.run("demo", {"month": 4}) as execution:
        ledger.put("run", "r", {}, parents=[("execution", execution.id, "made by")])
    assert ledger.find_by_prefix(execution.id[:13])[0].kind == "execution"
    assert ledger.lineage("run", "r", direction="up").nodes[1].body["parameters"] == {"month": 4}


def test_executions_come_newest_first_and_page(executions):
    for month in range(5):
        with executions.run("demo", {"month": month}):
            pass
    page = executions.newest(limit=2)
    assert [each.parameters["month"] for each in page] == [4, 3]
    older = executions.newest(limit=2, before=page[-1].id)
    assert [each.parameters["month"] for each in older] == [2, 1]


def test_an_unknown_execution_or_step_is_a_coded_error(executions):
    with executions.run("demo") as execution:
        pass
    with pytest.raises(CallerError, match="TD-FLOW-004"):
        executions.get("0192")
    with pytest.raises(CallerError, match="TD-FLOW-005"):
        execution.explain("train")


def test_listeners_hear_steps_begin_and_end_and_how_far_they_are(ledger, clock):
    heard, told = [], []
    from tondo.adapters.blobs.memory.blobs import MemoryBlobs

    executions = Executions(
        ledger,
        MemoryBlobs(),
        clock,
        on_step=lambda step: heard.append((step.name, step.state)),
        on_progress=lambda *said: told.append(said),
    )

    def work(progress):
        progress.advance(1, 2, "half")
        progress.advance(2, 2)

    with executions.run("demo") as execution:
        execution.step("a", work)
        execution.step("a", work)
    assert heard == [("a", "running"), ("a", "ok"), ("a", "reused")]
    assert told == [("a", 1, 2, "half"), ("a", 2, 2, "")]
