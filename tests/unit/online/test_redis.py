"""Redis may go away and come back, and its password is never told."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from redis_process import SERVER, WHY_NOT, running_redis
from tondo.adapters.online.redis.address import Address
from tondo.adapters.online.redis.store import PAUSE_S, RedisStore
from tondo.core.errors import DefinitionError, OutsideError, PlatformError


@pytest.fixture
def server(tmp_path):
    if SERVER is None:
        pytest.skip(WHY_NOT)
    with running_redis(tmp_path, password="hunter2") as started:
        started.address = f"redis://:${{PW}}@127.0.0.1:{started.port}/0"
        yield started


def opened(address, password="hunter2", **more):
    return RedisStore(address, environ={"PW": password}, **more)


def test_a_server_that_comes_back_is_used_again(server):
    store = opened(server.address)
    store.put_many([(b"a", b"1")])
    server.kill()
    with pytest.raises(OutsideError, match="TD-ONLINE-101"):
        store.get_many([b"a"])
    server.start()
    time.sleep(PAUSE_S)
    assert store.get_many([b"a"]) == [b"1"]
    store.close()


def test_a_connection_that_was_lost_meanwhile_is_opened_again(server):
    store = opened(server.address)
    store.put_many([(b"a", b"1")])
    server.kill()
    server.start()
    assert store.scan(b"a", b"b") == [(b"a", b"1")]
    store.close()


def test_after_a_failure_nobody_waits_for_the_server(server):
    store = opened(server.address)
    server.kill()
    for _ in range(2):
        with pytest.raises(OutsideError, match="TD-ONLINE-101"):
            store.get_many([b"a"])
    begun = time.monotonic()
    for _ in range(1000):
        with pytest.raises(OutsideError, match="a moment ago"):
            store.get_many([b"a"])
    assert time.monotonic() - begun < PAUSE_S
    server.start()


def test_with_the_fallback_reads_find_nothing_and_writes_refuse(server):
    store = opened(server.address, unreachable="null")
    store.put_many([(b"a", b"1")])
    server.kill()
    assert store.get_many([b"a", b"b"]) == [None, None]
    assert store.scan_many([(b"a", b"b", 0), (b"c", b"d", 1)]) == [[], []]
    with pytest.raises(OutsideError, match="TD-ONLINE-101"):
        store.put_many([(b"a", b"2")])
    server.start()
    time.sleep(PAUSE_S)
    assert store.get_many([b"a"]) == [b"1"]
    store.close()


def test_a_wrong_password_is_refused_and_neither_is_told(server, caplog):
    store = opened(server.address, password="wrong-hunter3")
    with pytest.raises(OutsideError, match="TD-ONLINE-101") as caught:
        store.get_many([b"a"])
    told = f"{caught.value.to_json()} {store!r} {caplog.text} {caught.value.__cause__}"
    assert "hunter" not in told
    assert f"127.0.0.1:{server.port}" in told


def test_a_full_server_refuses_the_batch_and_keeps_the_old(server):
    store = opened(server.address)
    store.put_many([(b"a", b"1")])
    store._client.config_set("maxmemory", "1mb")
    with pytest.raises(PlatformError, match="TD-ONLINE-005.*maxmemory"):
        store.put_many([(b"a", b"2"), (b"b", b"2")])
    assert store.get_many([b"a", b"b"]) == [b"1", None]
    store.close()


def test_namespaces_do_not_meet(server):
    one, two = (opened(f"{server.address}?namespace={name}") for name in "xy")
    one.put_many([(b"a", b"1")])
    assert (two.get_many([b"a"]), two.delete_range(b"", b"\xff")) == ([None], 0)
    one.close()
    two.close()


@pytest.mark.parametrize(
    "text",
    [
        "lmbd",
        "redis://",
        "redis://host:port/0",
        "redis://:s3cret@host:99999999/0",
        "redis://:s3cret@host:6379/name",
        "http://:s3cret@host",
        "redis://[::1",
        "",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text):
    with pytest.raises(DefinitionError, match="TD-ONLINE-102") as caught:
        Address(text, {})
    assert "s3cret" not in str(caught.value.to_json())


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(DefinitionError, match=r"TD-ONLINE-102.*\$\{REDIS_PW\}"):
        Address("redis://:${REDIS_PW}@host", {"REDIS_PASSWORD": "x"})


def test_the_whole_address_may_be_a_variable():
    address = Address("${STORE}", {"STORE": "rediss://:a%2Fb@host:7/1?namespace=n"})
    assert (address.shown, address.namespace) == ("rediss://host:7/1", "n")
    assert address.hide("a/b and a%2Fb") == "*** and ***"
