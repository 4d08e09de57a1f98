"""As many requests as a number of connections can ask one after the other: `wrk` on a core of its own."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from benchmarks.serving.wires import WIRES

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.serving.servers import Server

SCRIPT = """
local requests, place = {}, 0
function init(args)
  local headers = {}
  for place = 3, #args, 2 do
    headers[args[place]] = args[place + 1]
  end
  local bodies = io.open(args[1], "rb")
  for size in bodies:lines() do
    requests[#requests + 1] = wrk.format("POST", args[2], headers, bodies:read(tonumber(size)))
  end
end
function request()
  place = place % #requests + 1
  return requests[place]
end
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format('\\n{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
"""


def measure(
    server: Server, wire_name: str, folder: Path, *, connections: int, seconds: int, core: int
) -> dict[str, Any]:
    """Return answers a second, what was refused, latencies in milliseconds and the server's processor time."""
    script = folder / "requests.lua"
    script.write_text(SCRIPT)
    wire = WIRES[wire_name]
    bodies = folder / f"{wire_name}.bin"
    rows = json.loads((folder / "rows.json").read_text())["rows"]
    bodies.write_bytes(b"".join(b"%d\n%b" % (len(each), each) for each in wire.bodies(rows)))
    headers = [text for header in wire.headers.items() for text in header]
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["-s", script, f"http://127.0.0.1:{server.port}", "--", bodies, wire.path, *headers]
    before = server.cpu_seconds()
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    spent = server.cpu_seconds() - before
    told = json.loads(done.stdout.splitlines()[-1])
    return {
        "rate": (told["requests"] - told["failed"]) / told["seconds"],
        "failed": told["failed"],
        "p50_ms": told["p50_ms"],
        "p99_ms": told["p99_ms"],
        "cpu_us": spent / max(told["requests"], 1) * 1e6,
    }
