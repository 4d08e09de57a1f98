"""A fixed rate, whatever the server does: each latency is measured from the intended moment.

A server that stalls is asked on, and what waits for a connection waits in the figures
(`coordinated omission` is what else would hide it). One thread on a core of its own never sleeps:
timers of an event loop would be a millisecond off.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections import deque
from typing import Any

CONNECTIONS = 32
PATIENCE_S = 5


class _Connection:
    __slots__ = ("buffer", "intended_ns", "is_refused", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.intended_ns = 0
        self.is_refused = False

    def send(self, request: bytes, intended_ns: int) -> None:
        self.intended_ns = intended_ns
        assert self.socket.send(request) == len(request)

    def receive(self) -> bool:
        """Take what has come; return whether the answer is whole."""
        self.buffer += self.socket.recv(1 << 16)
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return False
        lower = self.buffer[:head].lower()
        at = lower.index(b"content-length:") + 15
        length = int(lower[at:].split(b"\r\n", 1)[0])
        if len(self.buffer) < head + 4 + length:
            return False
        self.is_refused = not self.buffer.startswith(b"HTTP/1.1 200")
        self.buffer = b""
        return True


def run(port: int, requests: list[bytes], rate: int, seconds: float) -> dict[str, Any]:
    """Send at `rate` a second; return latencies in milliseconds, and how many were refused or never answered."""
    made = [_Connection(port) for _ in range(CONNECTIONS)]
    poll = select.epoll()
    by_file = {each.socket.fileno(): each for each in made}
    for file in by_file:
        poll.register(file, select.EPOLLIN)
    idle, waiting = deque(made), deque()
    latencies: list[int] = []
    begun = time.perf_counter_ns() + 10_000_000
    number, refused, total = 0, 0, int(rate * seconds)
    last = begun + int((seconds + PATIENCE_S) * 1e9)
    while len(latencies) + refused < total and (now := time.perf_counter_ns()) < last:
        while number < total and begun + number * 1_000_000_000 // rate <= now:
            waiting.append(begun + number * 1_000_000_000 // rate)
            number += 1
        while waiting and idle:
            idle.popleft().send(requests[len(latencies) % len(requests)], waiting.popleft())
        for file, _ in poll.poll(0):
            connection = by_file[file]
            if not connection.receive():
                continue
            idle.append(connection)
            if connection.is_refused:
                refused += 1
            else:
                latencies.append(time.perf_counter_ns() - connection.intended_ns)
    elapsed = (time.perf_counter_ns() - begun) / 1e9
    for each in made:
        each.socket.close()
    latencies.sort()
    at = {share: latencies[int(len(latencies) * share)] / 1e6 for share in (0.5, 0.99, 0.999)}
    return {
        "rate": len(latencies) / elapsed,
        "failed": refused,
        "unanswered": total - len(latencies) - refused,
        "p50_ms": at[0.5],
        "p99_ms": at[0.99],
        "p999_ms": at[0.999],
    }


def main() -> None:
    """Read what to do as JSON, and answer the same way: a process of its own, on its own core."""
    told = json.load(sys.stdin)
    os.sched_setaffinity(0, {told["core"]})
    headers = "".join(f"{name}: {text}\r\n" for name, text in told["headers"].items())
    requests = [
        b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\n%bcontent-length: %d\r\n\r\n%b"
        % (told["path"].encode(), headers.encode(), len(body), body)
        for body in map(bytes.fromhex, told["bodies"])
    ]
    print(json.dumps(run(told["port"], requests, told["rate"], told["seconds"])))


if __name__ == "__main__":
    main()
