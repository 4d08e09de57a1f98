"""An open-loop generator: requests go out when they are due, whatever has been answered."""

import asyncio
import json
import time

import uvloop

WARM_UP_S = 0.3


class _Caller(asyncio.Protocol):
    """One keep-alive connection; answers come in the order of the requests."""

    def __init__(self, host):
        self.host = host
        self.waiting = []
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        while True:
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self.received.find(b"content-length: ") + 16
            end = head + 4 + int(self.received[at : self.received.index(b"\r", at)])
            if len(self.received) < end:
                return
            status = int(self.received[9:12])
            due = self.waiting.pop(0)
            self.host.answered(status, time.perf_counter() - due, due)
            if b"connection: close" in self.received[:head]:
                self.transport.close()
            self.received = self.received[end:]

    def connection_lost(self, exc):
        for _ in self.waiting:
            self.host.broken += 1
        self.waiting.clear()
        self.host.lost(self)


class Load:
    """`rate` requests a second for `seconds` over `connections`, measured from when each was due."""

    def __init__(self, port, path, body, *, rate, seconds, connections=8):
        data = json.dumps(body).encode()
        self.request = b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n%b" % (
            path.encode(),
            len(data),
            data,
        )
        self.port, self.rate, self.seconds, self.connections = port, rate, seconds, connections
        self.statuses = {}
        self.accepted = []
        """Seconds of each answer 200, by when it was due."""
        self.broken = 0
        self.sent = 0
        self.done_at = []
        self._callers = []
        self._missing = 0

    def answered(self, status, elapsed, due):
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.accepted.append((due, elapsed))

    def lost(self, caller):
        if caller in self._callers:
            self._callers.remove(caller)
            self._missing += 1

    def quantile(self, share, since=WARM_UP_S):
        start = self.started + since
        times = sorted(elapsed for due, elapsed in self.accepted if due >= start)
        return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")

    def p99_ms(self):
        return self.quantile(0.99) * 1e3

    def failures(self):
        return self.broken + sum(n for status, n in self.statuses.items() if status != 200)

    async def _connect(self):
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Caller(self), "127.0.0.1", self.port)
        self._callers.append(made)

    async def _run(self):
        for _ in range(self.connections):
            await self._connect()
        self.started = time.perf_counter()
        total = int(self.rate * self.seconds)
        while self.sent < total:
            now = time.perf_counter()
            while self._missing:
                self._missing -= 1
                await self._connect()
            due = self.started + self.sent / self.rate
            if due > now:
                await asyncio.sleep(min(due - now, 0.001))
                continue
            caller = min(self._callers, key=lambda each: len(each.waiting))
            caller.waiting.append(due)
            caller.transport.write(self.request)
            self.sent += 1
        deadline = time.perf_counter() + 10
        while time.perf_counter() < deadline:
            if not any(each.waiting for each in self._callers):
                break
            await asyncio.sleep(0.01)
        self.broken += sum(len(each.waiting) for each in self._callers)
        for each in list(self._callers):
            each.waiting.clear()
            each.transport.close()
        return self

    def run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._run())
