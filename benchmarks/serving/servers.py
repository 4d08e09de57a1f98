"""Starts a server on one core, waits for its right answers, and stops it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.serving.environments import python_of
from benchmarks.serving.wires import WIRES, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_S = 120


class NoAnswer(Exception):  # noqa: N818 - of a peer, which is then left out
    """A server does not answer, or ended."""


class Server:
    """A running server: its port, and the processor time of all its processes."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self._left: set[int] = set()
        """Processes that may outlive the first."""

    def cpu_seconds(self) -> float:
        """Return user and system time of the server's processes."""
        return sum(each.ticks for each in self._processes()) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End all processes of the server."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            for each in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        for each in self._left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    def _processes(self) -> list[Process]:
        """Return our process and all that it started, also those with a session of their own."""
        there = [each for each in map(_process, Path("/proc").glob("[0-9]*/stat")) if each]
        ours = {self.process.pid}
        while True:
            more = {each.pid for each in there if each.parent in ours or each.session in ours}
            if more <= ours:
                break
            ours |= more
        found = [each for each in there if each.pid in ours]
        self._left |= {each.pid for each in found} - {self.process.pid}
        return found


class Process(NamedTuple):
    """A process as the system shows it."""

    pid: int
    parent: int
    session: int
    ticks: int


def _process(stat: Path) -> Process | None:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return Process(
        int(stat.parent.name), int(fields[1]), int(fields[3]), int(fields[11]) + int(fields[12])
    )


def command_of(name: str, folder: Path, port: int) -> tuple[Sequence[str | Path], dict[str, str]]:
    """Return the command line of a server, and its environment beyond ours."""
    if name.startswith("ours"):
        what = ["--root", folder / "views"] if name == "ours-views" else ["--packages", folder]
        log = ["--log", folder / f"log-{port}"] if name == "ours" else []
        return [sys.executable, "-m", "tondo.faces.scorer", *what, *log, "--port", str(port)], {}
    python = sys.executable if name == "bare" else str(python_of(name))
    library, _, manner = name.partition("-")
    script = HERE / "peers" / f"{library}_server.py"
    return [python, script, folder, str(port), *([manner] if manner else [])], {
        "PATH": f"{Path(python).parent}:{os.environ['PATH']}"
    }


@contextlib.contextmanager
def running(name: str, folder: Path, core: int) -> Iterator[Server]:
    """Run a server whose processes share one core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, more = command_of(name, folder, port)
    ours = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "PYTHONWARNINGS": "ignore",
    }
    log = (folder / f"{name}-{port}.txt").open("wb")
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *map(str, command)],
        stdout=log,
        stderr=log,
        cwd=folder,
        env={**os.environ, **ours, **more},
        start_new_session=True,
    )
    server = Server(process, port)
    try:
        yield server
    finally:
        server.stop()
        log.close()


def check(server: Server, wire_name: str, folder: Path) -> float:
    """Wait until every row is answered rightly; return the seconds to the first answer."""
    wire = WIRES[wire_name]
    known = json.loads((folder / "rows.json").read_text())
    began = time.monotonic()
    first = 0.0
    for body, score in zip(wire.bodies(known["rows"]), known["scores"], strict=True):
        answer = _ask(server, wire, body, began)
        first = first or time.monotonic() - began
        found = wire.score(json.loads(answer))
        assert abs(found - score) <= 1e-12, (wire.path, found, score)
    return first


def _ask(server: Server, wire: Wire, body: bytes, began: float) -> bytes:
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.request("POST", wire.path, body, wire.headers)
            response = connection.getresponse()
            data = response.read()
            connection.close()
        except (OSError, http.client.HTTPException):
            data, response = b"", None
        if response is not None and response.status == http.client.OK:
            return data
        if server.process.poll() is not None or time.monotonic() - began > START_S:
            raise NoAnswer(f"no answer from {wire.path}: {data[:300]!r}")
        time.sleep(0.05)
