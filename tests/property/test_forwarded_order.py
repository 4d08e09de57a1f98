"""Whatever callers send at once, here and away: each gets its own answers, in its own order."""

import asyncio
import itertools
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from away_process import AWAY, HERE, Process, Site, bodies, body_of, reply, request, until


class Caller:
    """Sends requests in two pieces; may leave between them."""

    def __init__(self, number, urls, cut, leaves):
        self.bodies = [b"%d.%d" % (number, at) for at in range(len(urls))]
        stream = b"".join(map(request, self.bodies, urls))
        at = int(cut * len(stream))
        self.pieces = [each for each in (stream[:at], stream[at:]) if each]
        self.leaves = leaves

    def begin(self, site):
        self.connection = site.connect()
        self.connection.data_received(self.pieces[0])

    def go_on(self):
        if self.leaves:
            self.seen = self.answered
            self.connection.transport.close()
            self.connection.connection_lost(None)
        else:
            for piece in self.pieces[1:]:
                self.connection.data_received(piece)

    @property
    def answered(self):
        return bodies(self.connection.transport.written)

    @property
    def done(self):
        if self.leaves:
            return not self.connection.tasks
        return self.connection.transport.written.endswith(self.bodies[-1])


callers = st.tuples(
    st.lists(st.sampled_from([HERE, AWAY]), min_size=1, max_size=6),
    st.floats(0, 1),
    st.booleans(),
)
pauses = st.lists(st.sampled_from([0, 0.001, 0.004]), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(callers, min_size=1, max_size=8), pauses)
def test_answers_are_each_callers_own_and_in_order(drawn, pauses):
    asking = [Caller(number, *each) for number, each in enumerate(drawn)]
    pause = itertools.cycle(pauses)

    async def late(each):
        await asyncio.sleep(next(pause))
        return reply(body_of(each))

    async def run(path):
        async with Process(path, late) as process:
            site = Site(process.path)
            for caller in asking:
                caller.begin(site)
            await asyncio.sleep(next(pause))
            for caller in asking:
                caller.go_on()
            await until(lambda: all(caller.done for caller in asking))
            site.forwarder.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "s"))
    for caller in asking:
        if caller.leaves:
            assert caller.seen == caller.bodies[: len(caller.seen)]
        else:
            assert caller.answered == caller.bodies
