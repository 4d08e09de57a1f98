"""Measures two servers in turn: seven interleaved pairs, one after the other on the same core."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.serving import closed_loop, open_loop, servers
from benchmarks.serving.wires import WIRES

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 7
CONNECTIONS = (1, 16, 64)
RATE = 1_000


@dataclass(frozen=True)
class Side:
    """A server, how it is asked, and how the table names it."""

    server: str
    wire: str
    label: str


@dataclass(frozen=True)
class Pair:
    """Two sides; the ratio is of the first to the second."""

    name: str
    first: Side
    second: Side
    connections: tuple[int, ...] = CONNECTIONS
    rate: bool = False
    """Whether both are measured at a fixed rate, in pairs too; else only the second, once."""


ROWS = Side("ours", "rows", "tondo, native rows")
SILENT = Side("ours-silent", "rows", "tondo, native rows, nothing logged")
PAIRS = [
    Pair("rows", ROWS, Side("bare", "plain-rows", "bare, rows")),
    Pair("v2", Side("ours", "v2", "tondo, V2 JSON"), Side("bare", "v2", "bare, V2 JSON")),
    Pair("binary", Side("ours", "binary", "tondo, V2 tensors as bytes"), ROWS, connections=(1, 64)),
    Pair("log", ROWS, SILENT, connections=(), rate=True),
    Pair(
        "views",
        Side("ours-views", "views", "tondo, 15 of the 30 values from three views"),
        ROWS,
        connections=(1, 16),
        rate=True,
    ),
]
PEERS = {
    "fastapi": Side("fastapi", "plain-rows", "FastAPI on uvicorn"),
    "mlserver": Side("mlserver", "one-tensor", "MLServer"),
    "mlserver-inline": Side("mlserver-inline", "one-tensor", "MLServer, inline"),
    "bentoml": Side("bentoml", "plain-rows", "BentoML"),
    "litserve": Side("litserve", "plain-rows", "LitServe"),
    "mlflow": Side("mlflow", "split", "mlflow models serve"),
}


@dataclass
class Setup:
    """Where and for how long is measured."""

    folder: Path
    seconds: int
    rate_seconds: int
    server_core: int
    client_core: int


def measure(pair: Pair, setup: Setup) -> dict[str, Any]:
    """Return each side's figures: a list of rounds for each number of connections, and the rate."""
    found: dict[str, Any] = {"start_s": [], "closed": {}, "open": [[], []]}
    with contextlib.ExitStack() as stack:
        started = {
            name: stack.enter_context(servers.running(name, setup.folder, setup.server_core))
            for name in dict.fromkeys((pair.first.server, pair.second.server))
        }
        sides = [(started[each.server], each) for each in (pair.first, pair.second)]
        for server, side in sides:
            found["start_s"].append(servers.check(server, side.wire, setup.folder))
        for connections in pair.connections:
            print(f"{pair.name}: {connections} connections", file=sys.stderr, flush=True)
            rounds = found["closed"][str(connections)] = [[], []]
            for number in range(ROUNDS):
                for place, (server, side) in _in_turn(sides, number):
                    rounds[place].append(_closed(server, side, setup, connections))
        print(f"{pair.name}: {RATE} a second", file=sys.stderr, flush=True)
        for number in range(ROUNDS if pair.rate else 1):
            for place, (server, side) in _in_turn(sides, number):
                if pair.rate or place == 1:
                    found["open"][place].append(_open(server, side, setup))
    return found


def _in_turn(
    sides: list[tuple[servers.Server, Side]], number: int
) -> list[tuple[int, tuple[servers.Server, Side]]]:
    """Return the sides with their places; every other round the second goes first."""
    numbered = list(enumerate(sides))
    return numbered[::-1] if number % 2 else numbered


def _closed(server: servers.Server, side: Side, setup: Setup, connections: int) -> dict[str, Any]:
    return closed_loop.measure(
        server,
        side.wire,
        setup.folder,
        connections=connections,
        seconds=setup.seconds,
        core=setup.client_core,
    )


def _open(server: servers.Server, side: Side, setup: Setup) -> dict[str, Any]:
    wire = WIRES[side.wire]
    rows = json.loads((setup.folder / "rows.json").read_text())["rows"]
    told = {
        "port": server.port,
        "path": wire.path,
        "headers": wire.headers,
        "bodies": [each.hex() for each in wire.bodies(rows)],
        "rate": RATE,
        "seconds": setup.rate_seconds,
        "core": setup.client_core,
    }
    command = [sys.executable, open_loop.__file__]
    done = subprocess.run(
        command, input=json.dumps(told), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
