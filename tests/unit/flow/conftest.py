from __future__ import annotations

import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.flow.executions import Executions
from tondo.ledger import Ledger

APRIL_2013_US = 1_364_774_400_000_000


@pytest.fixture
def clock():
    return ManualClock(APRIL_2013_US)


@pytest.fixture
def ledger(tmp_path, clock):
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def executions(ledger, clock):
    return Executions(ledger, MemoryBlobs(), clock)


@pytest.fixture
def count():
    """A step function that counts its calls."""

    def work(progress):
        work.calls += 1
        return {"call": work.calls}

    work.calls = 0
    return work
