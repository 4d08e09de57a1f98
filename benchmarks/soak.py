"""One scorer under steady load: what its memory and its descriptors do in an hour.

    python benchmarks/soak.py [--minutes 60] [--share 0.7] [--rate N]

The forest of `benchmarks/serving` with three views read online, log mode `written`. First the
scorer's capacity is measured with requests as fast as they are answered; then it is asked at
`share` of that, or at `--rate` a second, on keep-alive connections of which each is closed and
opened anew after some thousand requests, as callers do. Memory is what the process has of its own
(anonymous pages), read every ten seconds: a share of what others map would move with them. Growth
is the median of the last tenth beside that of the second tenth, the first being the time in which
caches and the allocator fill. A logged frame is a file's and no memory of ours; segments that were
closed are removed now and then, as the pruning of a workspace does, or an hour would fill the disk.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving.forest import make_forest
from benchmarks.serving.views import body, make_root
from benchmarks.table import tell

CONNECTIONS = 16
REQUESTS_A_CONNECTION = 5_000
MEASURED_S = 10.0
SAMPLE_S = 10.0


def main():
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_forest(folder)
        make_root(folder)
        rows = json.loads((folder / "rows.json").read_text())["rows"]
        bodies = [json.dumps(body(at, row)).encode() for at, row in enumerate(rows)]
        command = [sys.executable, "-m", "tondo.faces.scorer", "--root", str(folder / "views")]
        with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE) as scorer:
            try:
                ready = json.loads(scorer.stdout.readline())
                port = int(ready["ready"].rpartition(":")[2])
                asyncio.run(soak(options, port, ready["pid"], bodies, folder))
            finally:
                scorer.terminate()


async def soak(options, port, pid, bodies, folder):
    """Load, sample, tell."""
    capacity = await _capacity(port, bodies)
    rate = options.rate or options.share * capacity
    load = Load(port, bodies, rate)
    seconds = options.minutes * 60
    samples = []
    removed = 0
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(load.call(place)) for place in range(CONNECTIONS)]
        while time.monotonic() < begun + seconds:
            await asyncio.sleep(min(SAMPLE_S, seconds / 100))
            samples.append((_memory_kb(pid), _descriptors(pid)))
            removed += _prune(folder / "views" / "eventlog")
        for each in callers:
            each.cancel()
    elapsed = time.monotonic() - begun
    _tell(samples, load, elapsed, capacity, removed + _log_bytes(folder))


class Load:
    """Callers at one rate together; `failed` is what was not answered with 200."""

    def __init__(self, port, bodies, rate):
        self.answered = self.failed = 0
        self._port = port
        self._between = CONNECTIONS / rate if rate else 0.0
        self._requests = [
            b"POST /v1/deployments/forest/score HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(each), each)
            for each in bodies
        ]

    async def call(self, place):
        """Send one request after another, each in its time, until cancelled."""
        due = time.monotonic() + self._between * place / CONNECTIONS
        number = place
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                for _ in range(REQUESTS_A_CONNECTION):
                    due = max(due + self._between, time.monotonic() - 1)
                    if due > (now := time.monotonic()):
                        await asyncio.sleep(due - now)
                    number += 1
                    writer.write(self._requests[number % len(self._requests)])
                    await self._receive(reader)
            finally:
                writer.close()

    async def _receive(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.index(b"content-length:") + 15
        await reader.readexactly(int(head[at:].split(b"\r\n", 1)[0]))
        if head.startswith(b"http/1.1 200"):
            self.answered += 1
        else:
            self.failed += 1


async def _capacity(port, bodies):
    load = Load(port, bodies, 0)
    callers = [asyncio.create_task(load.call(place)) for place in range(CONNECTIONS)]
    await asyncio.sleep(MEASURED_S)
    for each in callers:
        each.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    return load.answered / MEASURED_S


def _memory_kb(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1])
    raise AssertionError("the system tells no anonymous pages")


def _descriptors(pid):
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _prune(log):
    """Remove segments of which a writer has begun a later one; return their bytes."""
    removed = 0
    for stream in {each.parent for each in log.rglob("*") if each.is_file()}:
        for each in sorted(stream.iterdir())[:-1]:
            removed += each.stat().st_size
            each.unlink()
    return removed


def _log_bytes(folder):
    return sum(each.stat().st_size for each in folder.glob("views/eventlog/**/*") if each.is_file())


def _tell(samples, load, elapsed, capacity, logged):
    tenth = max(len(samples) // 10, 1)
    first, last = samples[tenth : 2 * tenth], samples[-tenth:]
    memory = [statistics.median(each[0] for each in part) / 1024 for part in (first, last)]
    files = [max(each[1] for each in part) for part in (first, last)]
    done = load.answered + load.failed
    tell(
        ["what", "figure"],
        [
            ["minutes", f"{elapsed / 60:.1f}"],
            ["requests", f"{done:,}"],
            ["not answered with 200", f"{load.failed:,}"],
            ["a second", f"{done / elapsed:,.0f}"],
            ["of what was answered as fast as it went", f"{done / elapsed / capacity:.0%}"],
            ["own memory, second tenth, MB", f"{memory[0]:.1f}"],
            ["own memory, last tenth, MB", f"{memory[1]:.1f}"],
            ["growth", f"{memory[1] / memory[0] - 1:+.2%}"],
            ["descriptors, second tenth, at most", files[0]],
            ["descriptors, last tenth, at most", files[1]],
            ["log written, MB", f"{logged / 1e6:,.0f}"],
        ],
    )


def _parser():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--share", type=float, default=0.7, help="of what the scorer can answer")
    parser.add_argument("--rate", type=float, help="requests a second, whatever it can")
    return parser


if __name__ == "__main__":
    main()
