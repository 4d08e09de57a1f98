import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tondo.faces.scorer import fastpath, limits
from tondo.faces.scorer.fastpath import ScorerProtocol
from transport import Transport


@pytest.fixture
def connection():
    """A connection as it stands between two requests."""
    made = ScorerProtocol.__new__(ScorerProtocol)
    made.transport = Transport()
    made.flow = SimpleNamespace(write_paused=False)
    made.loop = SimpleNamespace(time=lambda: 100.0)
    made.cycle, made.pipeline, made.unsent = None, [], 0
    made.idle_ticks = made._stuck_ticks = 0
    made.refused = made._too_large = made._closing = False
    made._begun_at = None
    return made


def ticks(connection, number):
    for _ in range(number):
        connection.tick()


def cycle(*, complete=False, more_body=False):
    return SimpleNamespace(response_complete=complete, more_body=more_body, keep_alive=True)


def test_a_connection_on_which_nothing_happens_is_closed(connection):
    ticks(connection, fastpath.IDLE_TICKS)
    assert not connection.transport.closing
    connection.tick()
    assert connection.transport.closing
    assert connection.transport.written == b""


def test_one_whose_answer_is_being_made_is_not_idle(connection):
    connection.cycle = cycle()
    ticks(connection, fastpath.IDLE_TICKS * 2)
    assert not connection.transport.closing


def test_a_caller_who_takes_no_answer_is_given_up(connection):
    connection.flow.write_paused = True
    ticks(connection, 20)
    connection.flow.write_paused = False
    ticks(connection, 20)
    assert not connection.transport.aborted
    connection.flow.write_paused = True
    ticks(connection, 40)
    assert connection.transport.aborted


def test_a_request_that_takes_too_long_is_refused_once(connection):
    connection._begun_at = 100.0 - limits.REQUEST_S - 1
    ticks(connection, 3)
    assert connection.transport.written.count(b"HTTP/1.1 408 ") == 1
    assert b"TD-WEB-008" in connection.transport.written
    assert connection.transport.closing


def test_what_is_owed_is_sent_before_anything_else(connection):
    connection.unsent = 1
    connection.send_400_response("")
    assert (connection.transport.written, connection.transport.closing) == (b"", False)
    assert connection._closing
    ticks(connection, 2)
    assert not connection.transport.closing


def test_a_request_in_the_slow_way_is_owed_until_it_is_answered(connection):
    connection.cycle = cycle()
    connection.send_400_response("")
    assert (connection.transport.written, connection.cycle.keep_alive) == (b"", False)
    connection.cycle.response_complete = True
    connection.tick()
    assert connection.transport.closing


def test_one_that_never_became_whole_is_not_owed(connection):
    connection.cycle = cycle(more_body=True)
    connection.send_400_response("")
    assert connection.transport.written.startswith(b"HTTP/1.1 400 ")
    assert connection.transport.closing
