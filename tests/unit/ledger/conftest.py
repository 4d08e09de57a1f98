from __future__ import annotations

import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.ledger import Ledger

APRIL_2013_US = 1_364_774_400_000_000


@pytest.fixture
def clock():
    return ManualClock(APRIL_2013_US)


@pytest.fixture(params=["file", "memory"])
def ledger(request, tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if request.param == "file" else "sqlite://"
    opened = Ledger.open(url, clock=clock)
    yield opened
    opened.close()
