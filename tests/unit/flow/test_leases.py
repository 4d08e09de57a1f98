from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tondo.core.errors import ConflictError
from tondo.flow import leases
from tondo.ledger.executions import LeaseRow


def holder_of(pid, **changed):
    return {**leases.identity(), "pid": pid, "started": leases.process_start(pid), **changed}


def hold(ledger, key, holder, *, expires_in_us=leases.LEASE_US):
    row = LeaseRow(
        key=key,
        fence=1,
        execution="gone",
        holder=holder,
        expires_at_us=ledger.clock.now_us() + expires_in_us,
    )
    ledger.executions.hold(row)


@pytest.fixture
def other_process():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_key_is_held_by_one_execution_at_a_time(executions):
    with (
        executions.run("demo", key="k"),
        pytest.raises(ConflictError, match=rf"TD-FLOW-001.*'demo/k'.*process {os.getpid()}"),
        executions.run("demo", key="k"),
    ):
        pass


def test_other_keys_run_beside_each_other(executions):
    with executions.run("demo", key="a"), executions.run("demo", key="b"):
        assert [each.state for each in executions.newest()] == ["running", "running"]


def test_a_living_process_keeps_its_lease_whatever_the_clock_says(
    executions, ledger, clock, other_process
):
    hold(ledger, "demo/k", holder_of(other_process.pid))
    clock.advance_us(10 * leases.LEASE_US)
    with pytest.raises(ConflictError, match="TD-FLOW-001"), executions.run("demo", key="k"):
        pass


def test_a_dead_process_stands_in_nobodys_way(executions, ledger, other_process):
    hold(ledger, "demo/k", holder_of(other_process.pid))
    other_process.kill()
    # Not waited for: a process that is only a leftover entry counts as dead too.
    os.waitid(os.P_PID, other_process.pid, os.WEXITED | os.WNOWAIT)
    with executions.run("demo", key="k") as execution:
        assert ledger.executions.lease("demo/k").fence == 2
    assert executions.get(execution.id).state == "succeeded"


def test_a_process_number_given_to_another_process_is_not_the_holder(executions, ledger):
    hold(ledger, "demo/k", holder_of(os.getpid(), started=1))
    with executions.run("demo", key="k"):
        pass


def test_a_lease_from_before_a_restart_of_the_machine_is_free(executions, ledger):
    hold(ledger, "demo/k", holder_of(os.getpid(), boot="another boot"))
    with executions.run("demo", key="k"):
        pass


def test_a_lease_of_another_machine_holds_until_it_expires(executions, ledger, clock):
    hold(ledger, "demo/k", holder_of(os.getpid(), host="elsewhere"))
    with pytest.raises(ConflictError, match="on elsewhere"), executions.run("demo", key="k"):
        pass
    clock.advance_us(leases.LEASE_US + 1)
    with executions.run("demo", key="k"):
        pass


def take_over(ledger, execution):
    """Let another process believe that this one died."""
    row = ledger.executions.lease("demo/k")
    ledger.executions.hold(
        LeaseRow(
            key=row.key,
            fence=row.fence,
            execution=row.execution,
            holder=holder_of(os.getpid(), started=1),
            expires_at_us=row.expires_at_us,
        )
    )
    return execution


def test_what_a_taken_over_execution_finishes_late_is_refused(executions, ledger, count):
    def slow(progress):
        take_over(ledger, execution)
        with executions.run("demo", key="k") as other:
            other.step("train", count)
        return "late"

    with (
        pytest.raises(ConflictError, match="TD-FLOW-002"),
        executions.run("demo", key="k") as execution,
    ):
        execution.step("train", slow, parameters={})
    newer, older = executions.newest()
    assert (newer.state, older.state) == ("succeeded", "killed")
    assert [step.state for step in older.steps] == ["killed"]
    assert ledger.steps.result(newer.steps[0].key) == '{"call":1}'


def test_a_late_checkpoint_is_refused(executions, ledger):
    def slow(progress):
        progress.checkpoint({"row": 1})
        take_over(ledger, execution)
        with executions.run("demo", key="k"):
            progress.checkpoint({"row": 2})

    with (
        pytest.raises(ConflictError, match="TD-FLOW-002"),
        executions.run("demo", key="k") as execution,
    ):
        execution.step("train", slow)


def test_an_ended_execution_leaves_no_thread(executions):
    import threading
    import time

    with executions.run("demo"):
        assert any(each.name == "tondo-lease" for each in threading.enumerate())
    deadline = time.monotonic() + 5
    while any(each.name == "tondo-lease" for each in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_heartbeat_moves_the_end_of_a_lease(executions, ledger, clock, monkeypatch):
    import time

    monkeypatch.setattr(leases, "_BEAT_S", 0.01)
    with executions.run("demo", key="k"):
        before = ledger.executions.lease("demo/k").expires_at_us
        clock.advance_us(5_000_000)
        deadline = time.monotonic() + 5
        while ledger.executions.lease("demo/k").expires_at_us == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
