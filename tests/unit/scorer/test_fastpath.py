"""Replies of one turn: in order, one write a connection, and each request's own."""

from types import SimpleNamespace

import pytest

from tondo.core.errors import PlatformError
from tondo.faces.scorer.admission import Admission
from tondo.faces.scorer.batch import Batch, GatheringAppender
from tondo.faces.scorer.fastpath import FastPath, ScorerProtocol
from tondo.faces.scorer.metrics import RouteMetrics


class Transport:
    def __init__(self, *, closing=False):
        self.closing = closing
        self.writes = []

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.writes.append(data)

    def close(self):
        self.closing = True

    @property
    def bodies(self):
        replies = b"".join(self.writes).split(b"HTTP/1.1 ")[1:]
        return [reply.partition(b"\r\n\r\n")[2] for reply in replies]


class EchoRoute:
    """Answers a body with itself, and logs it."""

    away = False

    def __init__(self, appender=None):
        self.appender = appender
        self.metrics = RouteMetrics()

    def shed(self):
        return 503, b"later"

    def answer_all(self, bodies):
        if self.appender is not None:
            self.appender.append_many(bodies)
        return [(200, body) for body in bodies]

    def not_written(self, error):
        return 503, error.code.encode()


class FullAppender:
    def append_many(self, payloads):
        list(payloads)
        raise PlatformError("TD-LOG-001", "full")


@pytest.fixture
def shared():
    service = SimpleNamespace(appenders=SimpleNamespace(batch=Batch()), fast_answers=0)
    return FastPath(service, guard=None)


def connect(shared, *, closing=False):
    connection = ScorerProtocol.__new__(ScorerProtocol)
    connection.shared = shared
    connection.loop = SimpleNamespace(call_soon=lambda call: None)
    connection.transport = Transport(closing=closing)
    connection.server_state = SimpleNamespace(total_requests=0)
    connection.unsent = 0
    connection._closing = False
    connection._replies = []
    connection.last_route = None
    connection.connections = {connection}
    return connection


def ask(shared, connection, route, body):
    shared.gather(connection, route, body)


def test_the_replies_of_a_connection_are_one_write_in_the_order_of_its_requests(shared):
    first, second = connect(shared), connect(shared)
    route = EchoRoute()
    for connection, body in ((first, b"1"), (second, b"a"), (first, b"2"), (first, b"3")):
        ask(shared, connection, route, body)
    shared.end_turn()
    assert (first.transport.bodies, second.transport.bodies) == ([b"1", b"2", b"3"], [b"a"])
    assert (len(first.transport.writes), first.unsent) == (1, 0)
    assert (first.server_state.total_requests, shared.service.fast_answers) == (3, 4)


def test_replies_to_several_addresses_are_in_the_order_of_the_requests(shared):
    connection = connect(shared)
    rows, tensors = EchoRoute(), EchoRoute()
    for route, body in ((rows, b"1"), (tensors, b"2"), (rows, b"3"), (rows, b"4")):
        ask(shared, connection, route, body)
    shared.end_turn()
    assert connection.transport.bodies == [b"1", b"2", b"3", b"4"]


def test_a_connection_that_ends_says_so_in_its_last_reply_only(shared):
    connection, route = connect(shared), EchoRoute()
    for body in (b"1", b"2"):
        ask(shared, connection, route, body)
    connection._closing = True
    shared.end_turn()
    (written,) = connection.transport.writes
    assert connection.transport.closing
    assert written.count(b"connection: close") == 1
    assert written.index(b"connection: close") > written.index(b"\r\n\r\n1")


def test_nothing_is_written_to_a_connection_that_is_gone(shared):
    gone, there = connect(shared, closing=True), connect(shared)
    for connection in (gone, there):
        ask(shared, connection, EchoRoute(), b"1")
    shared.end_turn()
    assert (gone.transport.writes, gone.unsent, there.transport.bodies) == ([], 0, [b"1"])


def test_a_lost_frame_replaces_the_replies_of_its_own_log_only(shared):
    full = GatheringAppender(FullAppender(), shared.service.appenders.batch)
    connection = connect(shared)
    ask(shared, connection, EchoRoute(full), b"lost")
    ask(shared, connection, EchoRoute(), b"kept")
    shared.end_turn()
    assert connection.transport.bodies == [b"TD-LOG-001", b"kept"]


def test_what_would_wait_for_too_long_is_refused_in_its_turn(shared):
    shared.admission = Admission(queue_ms=0.05)
    first, second = connect(shared), connect(shared)
    route = EchoRoute()
    for body in (b"1", b"2", b"3", b"4", b"5"):
        ask(shared, first, route, body)
    ask(shared, second, route, b"6")
    shared.end_turn()
    assert first.transport.bodies == [b"1", b"2", b"3", b"4", b"later"]
    assert b"503 Service Unavailable\r\nretry-after: 1\r\n" in first.transport.writes[-1]
    assert second.transport.bodies == [b"later"]
    ask(shared, second, route, b"7")
    shared.end_turn()
    assert second.transport.bodies == [b"later", b"7"]
