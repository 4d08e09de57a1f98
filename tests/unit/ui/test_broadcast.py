"""One feed for all viewers: looked at once a second, and not at all when nobody watches."""

from __future__ import annotations

import asyncio

import msgspec

from tondo.faces.ui.broadcast import Broadcast
from tondo.workspace.live.values import LiveView, VariantRate


class CountedFeed:
    """A feed that counts how it is used; what is looked at is not the matter here."""

    def __init__(self):
        self.looks = 0
        self.closed = asyncio.Event()
        self.views = []

    def look(self):
        self.looks += 1
        rates = [VariantRate(deployment=name, variant="live") for name in ("late", "buys")]
        self.views.append(LiveView(at_us=self.looks, rates=rates))
        return self.views[-1]

    def close(self):
        self.closed.set()


def told(event):
    name, data = (line.partition(b": ")[2] for line in event.strip().split(b"\n")[-2:])
    return name.decode(), msgspec.json.decode(data)


async def next_of(events):
    return told(await asyncio.wait_for(anext(events), 10))


def test_viewers_share_the_looks_and_see_what_was_before():
    async def watch():
        feed = CountedFeed()
        broadcast = Broadcast(lambda: feed, linger_s=0)
        first, second = broadcast.events(), broadcast.events("buys")
        assert await next_of(first) == ("history", [])
        name, view = await next_of(first)
        assert (name, len(view["rates"])) == ("look", 2)
        _, history = await next_of(second)
        assert [each["at_us"] for each in history] == [1]
        assert [each["deployment"] for each in history[0]["rates"]] == ["buys"]
        (_, one), (_, other) = await next_of(first), await next_of(second)
        assert one["at_us"] == other["at_us"] == feed.looks == 2
        await first.aclose()
        await second.aclose()
        await asyncio.wait_for(feed.closed.wait(), 10)
        assert (broadcast.viewers, broadcast.looks) == (0, False)

    asyncio.run(watch())


def test_who_comes_back_soon_finds_the_past():
    async def watch():
        feed = CountedFeed()
        broadcast = Broadcast(lambda: feed, linger_s=30)
        events = broadcast.events()
        await next_of(events)
        await next_of(events)
        await events.aclose()
        again = broadcast.events()
        assert (await next_of(again))[1] != []
        await again.aclose()

    asyncio.run(watch())


def test_a_server_that_ends_waits_for_no_stream():
    async def watch():
        feed = CountedFeed()
        broadcast = Broadcast(lambda: feed)
        events = broadcast.events()
        await next_of(events)
        broadcast.end()
        left = [told(each) async for each in events]
        assert len(left) <= 1
        await asyncio.wait_for(feed.closed.wait(), 10)

    asyncio.run(watch())
