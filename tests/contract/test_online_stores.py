"""Every online store keeps the port's promises."""

import threading

import pytest

from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.adapters.online.memory.store import MemoryStore
from tondo.core.errors import CallerError

KINDS = {
    "memory": lambda path: MemoryStore(),
    "lmdb": lambda path: LmdbStore(path / "online"),
    "lmdb-relaxed": lambda path: LmdbStore(path / "online", relaxed=True),
}


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
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
