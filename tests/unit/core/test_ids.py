"""Ids: distinct, in the order they were made, and no process repeats those of another."""

import os
import select
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.ids import IdSource

NOW = 1_700_000_000_123_456


@given(st.lists(st.tuples(st.integers(0, 2**48 * 1000 - 10**6), st.integers(1, 300)), max_size=8))
def test_ids_are_distinct_and_grow_whatever_the_clock_does(calls):
    source = IdSource()
    made = [each for now_us, number in calls for each in source.make_many(now_us, number)]
    assert made == sorted(set(made))
    assert all(str(uuid.UUID(each)) == each for each in made)
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in made} <= {
        (7, uuid.RFC_4122)
    }


def test_an_id_tells_its_millisecond():
    assert uuid.UUID(IdSource().make(NOW)).int >> 80 == NOW // 1000


def test_all_bits_but_those_of_version_variant_and_time_are_drawn():
    made = [uuid.UUID(each).int for each in IdSource().make_many(NOW, 2000)]
    ones = [sum(each >> bit & 1 for each in made) for bit in range(62)]
    assert all(800 < each < 1200 for each in ones)  # 9 standard deviations


def test_threads_share_a_source_without_repeating_an_id():
    source = IdSource()
    with ThreadPoolExecutor(8) as threads:
        batches = list(threads.map(lambda _: source.make_many(NOW, 50), range(200)))
    made = [each for batch in batches for each in batch]
    assert len(set(made)) == len(made)
    assert all(batch == sorted(batch) for batch in batches)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_repeats_no_bits_and_is_not_locked():
    source = IdSource()
    source.make(NOW)
    reading, writing = os.pipe()
    with source._lock:  # as if another thread were at it
        child = os.fork()
        if child == 0:
            os.write(writing, source.make(NOW + 10**6).encode())
            os._exit(0)
    answered, _, _ = select.select([reading], [], [], 30)
    theirs = os.read(reading, 64).decode() if answered else ""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    ours = source.make(NOW + 10**6)
    assert len(theirs) == len(ours)
    assert theirs[-16:] != ours[-16:]
