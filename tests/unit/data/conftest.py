"""The embedded adapters, small and fresh for each test."""

import pytest

from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ledger.ledger import Ledger


@pytest.fixture
def clock():
    return ManualClock(1_364_774_400_000_000)


@pytest.fixture
def ledger(clock):
    opened = Ledger.open("sqlite://", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path):
    return ObstoreBlobs(tmp_path / "blobs")


@pytest.fixture(scope="session")
def engine():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()
