from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.ledger.ledger import Ledger

sys.path.insert(0, str(Path(__file__).parents[2]))


class RegisteredVersion(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    number: int
    id: str
    package: str


class Room(msgspec.Struct, kw_only=True):
    ledger: Any
    blobs: Any
    clock: Any

    def version(self, number: int, model: str = "late") -> RegisteredVersion:
        version = RegisteredVersion(
            name=model, number=number, id=f"{model}-{number}", package=f"{number:064d}"
        )
        self.ledger.put("model_version", version.id, version)
        return version

    @property
    def words(self) -> dict[str, Any]:
        return {"ledger": self.ledger, "clock": self.clock, "by": "ann", "why": "test"}


@pytest.fixture
def room():
    clock = ManualClock(1_364_774_400_000_000)
    ledger = Ledger.open("sqlite://", clock=clock)
    yield Room(ledger=ledger, blobs=MemoryBlobs(), clock=clock)
    ledger.close()
