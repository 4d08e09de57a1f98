"""Requests to another process: each its own answer, bounded, and an end to all waiting."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from away_process import Process, body_of, echo, reply, until
from tondo.core.errors import PlatformError
from tondo.faces.scorer import forwarding
from tondo.faces.scorer.forwarding import AT_ONCE, MOST_IN_FLIGHT, Forwarder
from tondo.faces.scorer.metrics import RouteMetrics
from tondo.faces.scorer.upstream import framed, passed_on

WHOLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\nx-a: b\r\n\r\n{}"


def test_an_answer_is_taken_when_it_is_whole():
    for size in range(len(WHOLE)):
        assert framed(WHOLE[:size]) in (0, len(WHOLE))
    answer = framed(WHOLE)
    assert (answer.status, answer.body, answer.data, answer.closes) == (503, b"{}", WHOLE, False)
    assert passed_on(answer.headers()) == [(b"content-length", b"2"), (b"x-a", b"b")]


def test_an_answer_to_head_has_no_body_whatever_it_says():
    assert framed(WHOLE[:-2], bodiless=True).body == b""
    assert framed(WHOLE[:-2]) == len(WHOLE)


def test_what_is_said_of_the_processs_connection_is_not_passed_on():
    answer = framed(WHOLE.replace(b"x-a: b", b"connection: close"))
    assert (answer.closes, answer.body) == (True, b"{}")
    assert answer.data == WHOLE.replace(b"\r\nx-a: b", b"")
    assert answer.last() == WHOLE.replace(b"x-a: b", b"connection: close")


@pytest.mark.parametrize("data", [WHOLE + b"H", WHOLE + WHOLE, WHOLE.replace(b"2", b"x")])
def test_what_is_no_single_answer_is_none(data):
    with pytest.raises(ValueError):
        framed(data)


def running(tmp_path, answer, ask):
    """Run `ask(forwarder, process)` with a process that answers so."""

    async def run():
        async with Process(tmp_path / "s", answer) as process:
            forwarder = Forwarder("b", process.path, RouteMetrics())
            try:
                return await ask(forwarder, process)
            finally:
                forwarder.close()

    return asyncio.run(run())


def asked(forwarder, body):
    return forwarder.forward(b"POST", b"/x", [(b"x-a", b"1"), (b"authorization", b"secret")], body)


def code_of(outcome):
    return outcome.code if isinstance(outcome, PlatformError) else outcome.body


def test_everybody_gets_the_answer_to_what_they_asked(tmp_path):
    async def late(request):
        await asyncio.sleep(hash(request) % 7 / 1000)
        return reply(body_of(request))

    async def ask(forwarder, process):
        texts = [b"%d" % each for each in range(MOST_IN_FLIGHT)]
        for _ in range(5):
            answers = await asyncio.gather(*(asked(forwarder, each) for each in texts))
            assert [each.body for each in answers] == texts
        return process

    process = running(tmp_path, late, ask)
    assert process.most_at_once == AT_ONCE
    assert b"x-a: 1\r\n" in process.requests[0]
    assert b"secret" not in process.requests[0]


def test_beyond_the_bound_they_are_refused_and_counted(tmp_path):
    async def ask(forwarder, process):
        waiting = [asyncio.create_task(asked(forwarder, b"")) for _ in range(MOST_IN_FLIGHT)]
        await until(lambda: len(process.requests) == AT_ONCE)
        with pytest.raises(PlatformError, match="TD-SCORER-010"):
            await asked(forwarder, b"")
        go.set()
        await asyncio.gather(*waiting)
        return forwarder.metrics

    async def held(request):
        await go.wait()
        return echo(request)

    go = asyncio.Event()
    metrics = running(tmp_path, held, ask)
    assert metrics.shed == 1
    assert {status: cell[0] for status, cell in metrics.variants[""].statuses.items()} == {
        200: MOST_IN_FLIGHT
    }


@pytest.mark.parametrize("answer", [None, WHOLE + WHOLE, b"no HTTP\r\n\r\n", b"\r\n\r\n"])
def test_a_process_that_ends_or_talks_nonsense_fails_what_it_was_asked_and_no_more(
    tmp_path, answer
):
    async def ask(forwarder, _):
        texts = [b"bad" if each == 5 else b"%d" % each for each in range(20)]
        outcomes = await asyncio.gather(
            *(asked(forwarder, each) for each in texts), return_exceptions=True
        )
        assert [code_of(each) for each in outcomes] == [
            "TD-SCORER-013" if each == b"bad" else each for each in texts
        ]

    running(tmp_path, lambda each: answer if body_of(each) == b"bad" else echo(each), ask)


def test_where_there_is_no_process_all_are_told_so_at_once(tmp_path):
    async def run():
        forwarder = Forwarder("b", tmp_path / "nobody", RouteMetrics())
        outcomes = await asyncio.gather(
            *(asked(forwarder, b"") for _ in range(20)), return_exceptions=True
        )
        assert {code_of(each) for each in outcomes} == {"TD-SCORER-013"}
        async with Process(tmp_path / "nobody", echo):
            assert (await asked(forwarder, b"there")).body == b"there"
            forwarder.close()

    asyncio.run(run())


def test_silence_ends_at_the_deadline_for_those_who_wait_too(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarding, "DEADLINE_S", 0.1)
    monkeypatch.setattr(forwarding, "_LOOK_S", 0.02)

    async def silent(_):
        await asyncio.sleep(60)

    async def ask(forwarder, _):
        outcomes = await asyncio.gather(
            *(asked(forwarder, b"") for _ in range(AT_ONCE + 3)), return_exceptions=True
        )
        assert {code_of(each) for each in outcomes} == {"TD-SCORER-013"}
        assert not forwarder.full

    running(tmp_path, silent, ask)


def test_a_connection_that_the_process_closes_is_replaced(tmp_path):
    async def ask(forwarder, process):
        for number in range(5):
            assert (await asked(forwarder, b"%d" % number)).body == b"%d" % number
        return process

    closing = lambda each: reply(body_of(each), more=b"connection: close\r\n")  # noqa: E731
    assert len(running(tmp_path, closing, ask).requests) == 5


def test_a_connection_that_was_free_for_long_is_not_used_again(tmp_path, monkeypatch):
    async def ask(forwarder, _):
        await asked(forwarder, b"1")
        (before,) = forwarder._all
        await asked(forwarder, b"2")
        assert forwarder._all == {before}
        monkeypatch.setattr(forwarding, "_KEPT_S", 0.2)
        await asyncio.sleep(0.3)
        assert (await asked(forwarder, b"3")).body == b"3"
        assert before not in forwarder._all

    running(tmp_path, echo, ask)
