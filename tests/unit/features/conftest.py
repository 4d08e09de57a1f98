import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.adapters.online.memory.store import MemoryStore
from tondo.ledger.ledger import Ledger


@pytest.fixture(scope="session")
def engine():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return ManualClock(1_000 * 3_600_000_000)


@pytest.fixture
def ledger(clock):
    opened = Ledger.open("sqlite://", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def online():
    return MemoryStore()


@pytest.fixture
def eventlog():
    return MemoryEventLog()


@pytest.fixture
def blobs():
    opened = MemoryBlobs()
    yield opened
    opened.close()
