"""An open loop of requests at a fixed rate: `python rollout_load.py PORT RATE SECONDS < bodies`.

Bodies are lines of standard input; each request sends one of them as a row to `buys`. Prints what
was sent and what came back, by status. The next request never waits for an answer.
"""

import asyncio
import json
import random
import re
import sys
import time

import uvloop

CONNECTIONS = 32
TICK_S = 0.004
STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")


class Client(asyncio.Protocol):
    def __init__(self, counts):
        self.counts = counts
        self.kept = b""

    def data_received(self, data):
        data = self.kept + data
        for status in STATUS.findall(data):
            self.counts[status.decode()] = self.counts.get(status.decode(), 0) + 1
        # A status line may be cut by the end of what was received.
        at = data.rfind(b"HTTP/1.1 ")
        tail = data[-12:]
        self.kept = tail if b"H" in tail and at < len(data) - 12 else b""
        if at >= len(data) - 12:
            self.kept = b"" if STATUS.search(data[at:]) else data[at:]


async def main(port, rate, seconds):
    bodies = [request(line.strip()) for line in sys.stdin.buffer if line.strip()]
    loop, counts, sent = asyncio.get_running_loop(), {}, 0
    made = [
        (await loop.create_connection(lambda: Client(counts), "127.0.0.1", port))[0]
        for _ in range(CONNECTIONS)
    ]
    start, at = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(int(elapsed * rate) - sent):
            made[at % CONNECTIONS].write(random.choice(bodies))
            sent, at = sent + 1, at + 1
        await asyncio.sleep(TICK_S)
    deadline = time.perf_counter() + 5
    while sum(counts.values()) < sent and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    print(json.dumps({"sent": sent, "seconds": seconds, "answered": counts}))


def request(row):
    body = b'{"rows":[%b]}' % row
    return (
        b"POST /v1/deployments/buys/score HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
