from __future__ import annotations

import time

import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import ConflictError


def test_the_system_clock_follows_the_machine():
    assert abs(SystemClock().now_us() - time.time_ns() // 1000) < 5_000_000


def test_the_system_clock_stands_still_when_the_machine_is_set_back(monkeypatch):
    told = iter([2_000_000, 1_000_000, 3_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(told))
    clock = SystemClock()
    assert [clock.now_us() for _ in range(3)] == [2000, 2000, 3000]


def test_a_manual_clock_stands_still_until_it_is_moved():
    clock = ManualClock(5)
    assert (clock.now_us(), clock.now_us()) == (5, 5)
    assert clock.advance_us(10) == clock.now_us() == 15
    assert clock.set_us(15) == 15


def test_a_manual_clock_is_never_set_back():
    clock = ManualClock(1_364_774_400_000_000)
    with pytest.raises(ConflictError, match=r"TD-CLOCK-001.*2013-04-01T00:00:00Z"):
        clock.set_us(0)
    with pytest.raises(ConflictError, match="TD-CLOCK-001"):
        clock.advance_us(-1)
    assert clock.now_us() == 1_364_774_400_000_000
