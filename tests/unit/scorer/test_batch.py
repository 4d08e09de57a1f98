import asyncio

from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.core.errors import PlatformError
from tondo.faces.scorer.batch import Batch, GatheringAppender


class FullAppender:
    def append_many(self, payloads):
        list(payloads)
        raise PlatformError("TD-LOG-001", "full")


def test_a_reply_waits_for_the_write_and_learns_of_its_failure():
    async def turn():
        batch, told = Batch(), []
        log = MemoryEventLog()
        good = GatheringAppender(log.appender("a", "w", durability="written"), batch)
        full = GatheringAppender(FullAppender(), batch)
        for appender in (good, full, good):
            appender.append(b"frame")
            batch.when_written(appender, told.append)
        assert told == []
        assert list(log.read("a")) == []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [error and error.code for error in told], len(list(log.read("a")))

    assert asyncio.run(turn()) == ([None, "TD-LOG-001", None], 2)


def test_frames_that_were_refused_are_not_written_later():
    batch = Batch()
    full = GatheringAppender(FullAppender(), batch)
    full.append(b"lost")
    assert batch.flush()
    log = MemoryEventLog()
    full._appender = log.appender("a", "w", durability="written")
    assert batch.flush() == {}
    assert list(log.read("a")) == []


def test_frames_of_one_turn_are_one_write():
    class Counting:
        writes = 0

        def append_many(self, payloads):
            self.writes += 1
            self.frames = list(payloads)

    batch, counting = Batch(), Counting()
    made = GatheringAppender(counting, batch)
    made.append(b"a")
    made.append_many([b"b", b"c"])
    batch.flush()
    batch.flush()
    assert (counting.writes, counting.frames) == (1, [b"a", b"b", b"c"])
