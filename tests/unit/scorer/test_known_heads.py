"""A head that was parsed once is known again; what is answered is what the parser would give."""

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn import Config
from uvicorn.server import ServerState

sys.path.insert(0, str(Path(__file__).parents[2]))

from tondo.faces.scorer.batch import Batch
from tondo.faces.scorer.fastpath import FastPath, ScorerProtocol
from tondo.faces.scorer.metrics import RouteMetrics
from tondo.faces.web.guard import Guard
from transport import Transport


class Echo:
    """Answers with its name and the body."""

    appender = None
    away = False
    most_bytes = 100

    def __init__(self, name):
        self.name = name
        self.metrics = RouteMetrics()

    def answer_all(self, bodies):
        return [(200, self.name + b":" + body) for body in bodies]


async def slow(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"slow:" + scope["raw_path"] + body})


class Forgetful(dict):
    """Heads that are never known again."""

    def __setitem__(self, *_):
        pass


def make_shared(heads, **options):
    fast = {b"/a": Echo(b"a"), b"/b": Echo(b"b")}
    batch = SimpleNamespace(batch=Batch())
    shared = FastPath(
        SimpleNamespace(appenders=batch, fast_answers=0, fast=fast), Guard(), **options
    )
    shared.known.heads = heads
    return shared


def feed(shared, *streams, beside=0):
    """Give each stream of chunks to a connection of its own, `beside` others; return the writings."""
    protocol = type("Bound", (ScorerProtocol,), {"shared": shared})

    async def run():
        written = []
        for chunks in streams:
            config = Config(slow, http=protocol, lifespan="off", log_config=None)
            config.load()
            connection = protocol(config, ServerState(), {})
            connection.connections.update(map(str, range(beside)))
            transport = Transport()
            connection.connection_made(transport)
            for chunk in chunks:
                if not transport.closing:
                    connection.data_received(chunk)
                for _ in range(4):
                    await asyncio.sleep(0)
            connection.connection_lost(None)
            written.append(transport.written)
        return written

    return asyncio.run(run())


def request(body, url=b"/a", host=b"localhost", more=b"", end=b"\r\n", length=None):
    length = len(body) if length is None else length
    head = (b"POST %b HTTP/1.1" % url, b"host: %b" % host, b"content-length: %d" % length)
    return end.join(head) + end + more + end + body


def test_the_second_request_with_the_same_head_is_not_parsed(monkeypatch):
    heads = {}
    shared = make_shared(heads)
    feed(shared, [request(b"1")])
    assert list(heads.values()) == [(b"/a", 1, {})]
    monkeypatch.setattr(ScorerProtocol, "on_url", None)
    (written,) = feed(shared, [request(b"2"), request(b"3")])
    assert written.count(b"a:") == 2


def test_a_url_that_a_new_plan_no_longer_serves_is_not_known_again():
    shared = make_shared({})
    feed(shared, [request(b"1")])
    del shared.service.fast[b"/a"]
    (written,) = feed(shared, [request(b"2")])
    assert b"slow:/a2" in written


def test_a_known_request_that_has_become_too_long_for_the_loop_goes_the_slow_way():
    shared = make_shared({})
    feed(shared, [request(b"1")])
    shared.service.fast[b"/a"].most_bytes = 0
    (written,) = feed(shared, [request(b"2")])
    assert b"slow:/a2" in written


@pytest.mark.parametrize("host", [b"evil", b"localhost"])
def test_what_the_guard_refuses_is_never_known(host):
    heads = {}
    feed(make_shared(heads), [request(b"1", host=host)])
    assert bool(heads) == (host == b"localhost")


def split(data, at):
    return [data[:at], data[at:]]


def test_a_body_that_reads_like_a_known_request_stays_a_body():
    shared = make_shared({})
    known = request(b"x", url=b"/b")
    outer = request(known)
    written = feed(shared, [known], split(outer, len(outer) - len(known)))
    assert written[1].endswith(b"a:" + known)


def test_the_end_of_a_body_is_not_remembered_as_a_head():
    heads = {}
    inner = request(b"", url=b"/b", length=5)
    outer = request(inner)
    feed(make_shared(heads), split(outer + inner, len(outer) - len(inner)))
    assert inner not in heads


def test_heads_are_forgotten_before_they_fill_the_memory():
    shared = make_shared({})
    for number in range(5000):
        shared.known.remember(b"%d" % number, b"/a", 1, {})
    shared.known.remember(b"x" * 2000, b"/a", 1, {})
    assert len(shared.known.heads) < 5000
    assert b"x" * 2000 not in shared.known.heads


bodies = st.sampled_from([b"1", b"22", b"", b"\r\n\r\n", b"POST /b HTTP/1.1\r\n\r\n"])
plain = st.builds(request, bodies, st.sampled_from([b"/a", b"/b", b"/c"]))
odd = st.builds(
    request,
    bodies,
    host=st.sampled_from([b"localhost", b"evil"]),
    more=st.sampled_from(
        [b"", b"x: \t1\r\n", b"connection: close\r\n", b"x: 1\n", b"expect: x\r\n"]
    ),
    end=st.sampled_from([b"\r\n", b"\n"]),
    length=st.sampled_from([None, 0, 1, 2, 50]),
)
pieces = st.lists(plain | odd | st.sampled_from([b"\r\n", b"POST ", b"GET /a HTTP/1.1\r\n\r\n"]))


@st.composite
def chunked(draw):
    """Requests as a stream that is cut anywhere, or between them."""
    parts = draw(pieces)
    if draw(st.booleans()):
        return parts
    stream = b"".join(parts)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    edges = zip([0, *cuts], [*cuts, len(stream)], strict=True)
    return [stream[start:stop] for start, stop in edges if start < stop]


@settings(max_examples=400, deadline=None)
@given(st.lists(chunked(), min_size=1, max_size=3))
def test_knowing_heads_changes_no_answer(streams):
    assert feed(make_shared({}), *streams) == feed(make_shared(Forgetful()), *streams)


TRACE = b"0af7651916cd43dd8448eb211c80319c"


def test_ids_come_back_with_each_reply_and_such_heads_are_not_kept():
    shared = make_shared({})
    parent = b"traceparent: 00-%b-b7ad6b7169203331-01\r\n" % TRACE
    ids = b"x-request-id: mine\r\n" + parent
    (written,) = feed(shared, [request(b"1", more=ids), request(b"2", more=ids)])
    assert (written.count(b"x-request-id: mine\r\n"), written.count(TRACE)) == (2, 2)
    assert b"b7ad6b7169203331" not in written
    assert (written.count(b"a:"), shared.known.heads) == (2, {})


def test_traced_requests_go_the_slow_way_where_spans_are_written():
    shared = make_shared({}, traces=True)
    more = b"traceparent: 00-%b-b7ad6b7169203331-01\r\n" % TRACE
    (written,) = feed(shared, [request(b"1", more=more)])
    assert b"slow:/a1" in written


def test_a_header_that_says_how_a_body_is_read_is_known_with_its_head():
    shared = make_shared({})
    seen = []
    shared.service.fast[b"/a"].answer_all = lambda bodies: [
        (200, seen.append(each.headers) or b"") for each in bodies
    ]
    more = b"Inference-Header-Content-Length: 3\r\n"
    feed(shared, [request(b"abcd", more=more), request(b"efgh", more=more)])
    assert seen == [{"inference-header-content-length": "3"}] * 2
    assert len(shared.known.heads) == 1


@pytest.mark.parametrize("beside", [0, 1])
def test_a_reply_stands_before_that_of_a_slower_request_behind_it(beside):
    stream = request(b"1") + request(b"2", url=b"/c") + request(b"3")
    (written,) = feed(make_shared({}), [stream], beside=beside)
    assert [written.find(each) for each in (b"a:1", b"slow:/c2", b"slow:/a3")] == sorted(
        written.index(each) for each in (b"a:1", b"slow:/c2", b"slow:/a3")
    )
