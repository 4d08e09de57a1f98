from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.ledger.ledger import Ledger
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode, pack_vector
from tondo.stages.monitoring.outcomes import outcome_stream
from tondo.stages.monitoring.predictions import prediction_stream

START = 1_364_774_400_000_000  # 2013-04-01
HOUR = 3_600_000_000


def logged_request(
    ids, *, at=START, as_of=None, scores=None, version=1, **changes
) -> LoggedRequest:
    scores = [0.5] * len(ids) if scores is None else scores
    facts = {
        "request_id": f"r-{ids[0]}",
        "at_us": at,
        "as_of_us": at if as_of is None else as_of,
        "deployment": "late",
        "variant": "live",
        "model": "late",
        "version": version,
        "model_version_id": f"late-{version}",
        "purpose": "live",
        "latency_us": 90,
        "error": None,
        **changes,
    }
    rows = [
        LoggedRow(
            prediction_id=each,
            score=float(score) if score is not None else None,
            vector=pack_vector([score if score is not None else np.nan, 2.0]),
            inputs={"origin": "JFK", "distance": 1089},
        )
        for each, score in zip(ids, scores, strict=True)
    ]
    return LoggedRequest(rows=rows, **facts)


@pytest.fixture(scope="session")
def logged():
    """Build a logged request of the given prediction ids."""
    return logged_request


class Desk(msgspec.Struct, kw_only=True):
    ledger: Any
    blobs: Any
    clock: Any
    eventlog: Any

    def write(self, *requests: LoggedRequest, writer: str = "w1", close: bool = True):
        appender = self.eventlog.appender("predictions/late", writer, durability="written")
        for each in requests:
            appender.append(encode(each))
        if close:
            appender.close()
        return appender

    @property
    def stores(self) -> dict[str, Any]:
        return {"eventlog": self.eventlog, "ledger": self.ledger, "blobs": self.blobs}

    def predictions(self):
        return prediction_stream("late", **self.stores)

    def outcomes(self):
        return outcome_stream("late", **self.stores)


@pytest.fixture
def desk(tmp_path):
    clock = ManualClock(START)
    ledger = Ledger.open("sqlite://", clock=clock)
    blobs = MemoryBlobs()
    yield Desk(ledger=ledger, blobs=blobs, clock=clock, eventlog=FilesEventLog(tmp_path / "log"))
    ledger.close()
    blobs.close()
