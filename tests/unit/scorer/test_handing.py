"""Requests that another process answers, on connections that ask for other things too."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from away_process import AWAY, HERE, Process, Site, bodies, body_of, echo, reply, request, until
from tondo.faces.scorer.forwarding import AT_ONCE, MOST_IN_FLIGHT


def running(tmp_path, answer, ask):
    async def run():
        async with Process(tmp_path / "s", answer) as process:
            site = Site(process.path)
            await ask(site, process)
            site.forwarder.close()

    asyncio.run(run())


def test_replies_to_urls_here_and_away_are_in_the_order_of_the_requests(tmp_path):
    async def ask(site, _):
        connection = site.connect()
        sent = [(b"%d" % at, AWAY if at in (1, 2, 5) else HERE) for at in range(8)]
        connection.data_received(b"".join(request(*each) for each in sent))
        await until(lambda: len(bodies(connection.transport.written)) == len(sent))
        assert bodies(connection.transport.written) == [body for body, _ in sent]

    running(tmp_path, echo, ask)


def test_the_answer_is_the_processs_own_and_heads_are_known_again(tmp_path):
    async def ask(site, process):
        connection = site.connect()
        for body in (b"1", b"2"):
            connection.data_received(request(body))
            await until(lambda body=body: connection.transport.written.endswith(body))
        assert connection.transport.written == special(b"1") + special(b"2")
        assert [*site.shared.known.heads.values()] == [(AWAY.encode(), 1, {})]
        assert site.shared.service.fast_answers == 2
        assert [body_of(each) for each in process.requests] == [b"1", b"2"]

    def special(body):
        return reply(body, b"418 I'm a teapot", b"date: never\r\nx-a: 1\r\n")

    running(tmp_path, lambda each: special(body_of(each)), ask)


def test_ids_go_along_and_a_failure_gives_them_back(tmp_path):
    async def ask(site, process):
        connection = site.connect()
        connection.data_received(request(b"1", more=b"x-request-id: mine\r\nx-other: 1\r\n"))
        await until(lambda: connection.transport.written)
        assert b"x-request-id: mine\r\n" in process.requests[0]
        assert b"x-other" not in process.requests[0]
        assert connection.transport.written.startswith(
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"
        )
        assert b"x-request-id: mine\r\n" in connection.transport.written
        assert b"TD-SCORER-013" in connection.transport.written

    running(tmp_path, lambda _: None, ask)


def test_a_caller_who_leaves_takes_no_answer_and_leaves_none_behind(tmp_path):
    go = asyncio.Event()

    async def held(each):
        await go.wait()
        return echo(each)

    async def ask(site, process):
        leaving = [site.connect() for _ in range(AT_ONCE + 2)]
        for number, connection in enumerate(leaving):
            connection.data_received(request(b"left %d" % number))
        await until(lambda: len(process.requests) == AT_ONCE)
        for connection in leaving:
            connection.transport.close()
            connection.connection_lost(None)
        staying = [site.connect() for _ in range(AT_ONCE)]
        for number, connection in enumerate(staying):
            connection.data_received(request(b"%d" % number))
        go.set()
        await until(lambda: all(each.transport.written for each in staying))
        assert [bodies(each.transport.written) for each in staying] == [
            [b"%d" % number] for number in range(AT_ONCE)
        ]
        assert not any(each.transport.written for each in leaving)
        assert len(process.requests) == 2 * AT_ONCE  # those who left early were never asked for

    running(tmp_path, held, ask)


def test_too_many_at_once_are_refused_at_once(tmp_path):
    go = asyncio.Event()

    async def held(each):
        await go.wait()
        return echo(each)

    async def ask(site, _):
        callers = [site.connect() for _ in range(MOST_IN_FLIGHT + 2)]
        for connection in callers:
            connection.data_received(request(b"1"))
        refused = [each for each in callers if b"TD-SCORER-010" in each.transport.written]
        assert refused == callers[MOST_IN_FLIGHT:]
        assert b"retry-after: 1" in refused[0].transport.written
        go.set()
        await until(lambda: all(each.transport.written for each in callers))
        assert site.forwarder.metrics.shed == 2

    running(tmp_path, held, ask)


@pytest.mark.parametrize("ending", ["shutdown", "close_after_reply", "end_when_answered"])
def test_a_connection_that_is_to_end_ends_behind_the_answer_that_is_owed(tmp_path, ending):
    go = asyncio.Event()

    async def held(each):
        await go.wait()
        return echo(each)

    async def ask(site, process):
        connection = site.connect()
        connection.data_received(request(b"1"))
        await until(lambda: process.requests)
        assert connection.owes
        getattr(connection, ending)()
        assert not connection.transport.closing
        go.set()
        await until(lambda: connection.transport.closing)
        assert b"\r\nconnection: close\r\n\r\n1" in connection.transport.written

    running(tmp_path, held, ask)


def test_an_answer_that_comes_in_pieces_and_is_large_arrives_whole(tmp_path):
    large = bytes(range(256)) * 4096

    async def ask(site, _):
        connection = site.connect()
        connection.data_received(request(b"1"))
        await until(lambda: len(connection.transport.written) > len(large))
        assert bodies(connection.transport.written) == [large]

    running(tmp_path, lambda _: reply(large), ask)


HEAD = b"POST /x HTTP/1.1\r\nx: "


@pytest.mark.parametrize(
    "behind", [[b"GARBAGE\r\n\r\n"], [HEAD, b"a" * (70 << 10)]], ids=["garbage", "head too large"]
)
def test_what_is_refused_behind_a_request_ends_the_connection_with_its_answer(tmp_path, behind):
    async def ask(site, _):
        connection = site.connect()
        connection.data_received(request(b"1") + behind[0])
        for piece in behind[1:]:
            connection.data_received(piece)
        await until(lambda: connection.transport.closing)
        assert bodies(connection.transport.written) == [b"1"]
        assert b"connection: close" in connection.transport.written

    running(tmp_path, echo, ask)
