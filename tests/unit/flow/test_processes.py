"""Several processes that start the same execution at once."""

from __future__ import annotations

import subprocess
import sys

from tondo.adapters.clocks.system import SystemClock
from tondo.ledger import Ledger

WORKER = """
import sys
from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import ConflictError
from tondo.flow.executions import Executions
from tondo.ledger import Ledger

clock = SystemClock()
ledger = Ledger.open(sys.argv[1], clock=clock)
print("ready", flush=True)
sys.stdin.readline()
try:
    with Executions(ledger, MemoryBlobs(), clock).run("race", key="k") as execution:
        print("won", flush=True)
        sys.stdin.readline()
        execution.step("only", lambda progress: 1)
except ConflictError as error:
    print(error.code, flush=True)
"""


def test_exactly_one_of_four_processes_runs_a_key(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.stdout.readline().strip() for worker in workers]
    assert sorted(said) == ["TD-FLOW-001"] * 3 + ["won"]
    for worker in workers:
        worker.communicate("end\n", timeout=60)
    ledger = Ledger.open(url, clock=SystemClock())
    assert [each.state for each in ledger.executions.newest()] == ["succeeded"]
    ledger.close()
