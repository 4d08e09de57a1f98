"""Every online store keeps the port's promises."""

import itertools
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from redis_process import SERVER, WHY_NOT, running_redis
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.adapters.online.memory.store import MemoryStore
from tondo.adapters.online.redis.store import RedisStore
from tondo.core.errors import CallerError

NAMES = itertools.count()
KINDS = {
    "memory": lambda path: MemoryStore(),
    "lmdb": lambda path: LmdbStore(path / "online"),
    "lmdb-relaxed": lambda path: LmdbStore(path / "online", relaxed=True),
}


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    if SERVER is None:
        pytest.skip(WHY_NOT)
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=[*KINDS, "redis"])
def store(request, tmp_path):
    if request.param == "redis":
        address = request.getfixturevalue("redis").address
        opened = RedisStore(f"{address}?namespace=n{next(NAMES)}")
    else:
        opened = KINDS[request.param](tmp_path)
    yield opened
    opened.close()


def test_an_absent_key_reads_as_none(store):
    assert store.get_many([b"nothing"]) == [None]


def test_values_come_back_in_the_order_of_the_keys_asked(store):
    store.put_many([(b"a", b"1"), (b"b", b"2")])
    assert store.get_many([b"b", b"x", b"a", b"b"]) == [b"2", None, b"1", b"2"]


def test_a_later_put_replaces_the_value(store):
    store.put_many([(b"a", b"1")])
    store.put_many([(b"a", b"2")])
    assert store.get_many([b"a"]) == [b"2"]


def test_the_last_of_equal_keys_in_a_batch_stays(store):
    store.put_many([(b"a", b"1"), (b"a", b"2")])
    assert store.get_many([b"a"]) == [b"2"]


def test_a_scan_is_sorted_and_excludes_its_stop(store):
    store.put_many([(key, key) for key in (b"c", b"a\xff", b"a", b"b")])
    assert [key for key, _ in store.scan(b"a", b"c")] == [b"a", b"a\xff", b"b"]


def test_a_scan_from_the_empty_key_starts_at_the_first(store):
    store.put_many([(b"a", b"1")])
    assert store.scan(b"", b"b") == [(b"a", b"1")]


def test_an_empty_or_reversed_range_has_nothing(store):
    store.put_many([(b"a", b"1"), (b"b", b"2")])
    assert store.scan(b"b", b"a") == store.scan(b"c", b"d") == []


def test_ranges_are_limited_one_by_one(store):
    store.put_many([(b"%03d" % number, b"x") for number in range(10)])
    ranges = [(b"002", b"006", 1), (b"002", b"006", 0), (b"002", b"006", 3), (b"9", b"99", 1)]
    assert [len(pairs) for pairs in store.scan_many(ranges)] == [1, 4, 3, 0]


def test_a_range_of_one_that_ends_before_the_next_key_is_empty(store):
    store.put_many([(b"b", b"1")])
    assert store.scan_many([(b"a", b"b", 1)]) == [[]]


def test_a_range_of_one_key_has_that_key_only(store):
    store.put_many([(b"b", b"1"), (b"b\x00", b"2"), (b"bc", b"3")])
    ranges = [(key, key + b"\x00", 1) for key in (b"b", b"bc", b"a")]
    assert store.scan_many(ranges) == [[(b"b", b"1")], [(b"bc", b"3")], []]


def test_delete_range_says_how_many_and_leaves_the_rest(store):
    store.put_many([(b"%d" % number, b"x") for number in range(6)])
    assert store.delete_range(b"1", b"4") == 3
    assert [key for key, _ in store.scan(b"0", b"9")] == [b"0", b"4", b"5"]


def test_delete_range_to_the_end_empties(store):
    store.put_many([(b"a", b"1"), (b"b", b"2")])
    assert (store.delete_range(b"", b"z"), store.delete_range(b"", b"z")) == (2, 0)


@pytest.mark.parametrize("key", [b"", b"k" * 512])
def test_a_key_of_another_length_is_refused_and_nothing_is_written(store, key):
    with pytest.raises(CallerError, match="TD-ONLINE-004"):
        store.put_many([(b"a", b"1"), (key, b"2")])
    assert store.get_many([b"a"]) == [None]


def test_a_key_of_511_bytes_is_kept(store):
    store.put_many([(b"k" * 511, b"1")])
    assert store.get_many([b"k" * 511]) == [b"1"]


def test_a_batch_that_fails_on_its_way_leaves_nothing(store):
    def pairs():
        yield b"a", b"1"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        store.put_many(pairs())
    assert store.get_many([b"a"]) == [None]


def test_a_large_batch_and_a_large_range_come_back_whole(store):
    pairs = [(b"%06d" % number, b"v%d" % number) for number in range(25_000)]
    store.put_many(reversed(pairs))
    assert store.scan(b"0", b"9") == pairs
    assert store.delete_range(b"000001", b"024999") == 24_998
    assert store.scan(b"", b"9") == [pairs[0], pairs[-1]]


def test_keys_and_values_are_any_bytes(store):
    keys = [b"\x00", b"\x00\xff", b"[", b"(", b"\xc3\x28", b"\xff\xff"]
    store.put_many([(key, key[::-1]) for key in keys])
    assert store.scan(b"", b"\xff\xff\xff") == [(key, key[::-1]) for key in sorted(keys)]


def test_an_empty_batch_and_no_keys_are_nothing(store):
    store.put_many([])
    assert (store.get_many([]), store.scan_many([]), store.scan(b"", b"")) == ([], [], [])


def test_what_is_deleted_with_a_batch_goes_in_the_same_instant(store):
    store.put_many([(b"a", b"1"), (b"b", b"1")])
    store.put_many([(b"c", b"2")], delete=[b"a", b"x"])
    assert store.scan(b"", b"z") == [(b"b", b"1"), (b"c", b"2")]
    store.put_many([], delete=[b"b", b"c"])
    assert store.scan(b"", b"z") == []


def test_a_conditional_put_writes_where_all_is_as_expected(store):
    assert store.put_if([(b"a", None)], [(b"a", b"1"), (b"b", b"1")])
    assert store.put_if([(b"a", b"1"), (b"c", None)], [(b"a", b"2")])
    assert store.get_many([b"a", b"b"]) == [b"2", b"1"]


@pytest.mark.parametrize("expected", [(b"a", None), (b"a", b"2"), (b"x", b"")])
def test_a_conditional_put_writes_nothing_where_something_differs(store, expected):
    store.put_many([(b"a", b"1")])
    assert not store.put_if([(b"a", b"1"), expected], [(b"a", b"3"), (b"b", b"3")])
    assert store.get_many([b"a", b"b"]) == [b"1", None]


def test_of_many_that_count_up_at_once_none_is_lost(store):
    store.put_many([(b"n", b"0")])

    def count():
        for _ in range(25):
            while True:
                seen = store.get_many([b"n"])[0]
                if store.put_if([(b"n", seen)], [(b"n", b"%d" % (int(seen) + 1))], durable=False):
                    break

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_many([b"n"]) == [b"100"]


def test_readers_see_whole_batches_only(store):
    store.put_many([(b"a", b"0"), (b"b", b"0")])
    stop = threading.Event()
    torn = []

    def read():
        while not stop.is_set():
            first, second = store.get_many([b"a", b"b"])
            if first != second:
                torn.append((first, second))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        store.put_many([(b"a", b"%d" % number), (b"b", b"%d" % number)], durable=False)
    stop.set()
    reader.join()
    assert torn == []
