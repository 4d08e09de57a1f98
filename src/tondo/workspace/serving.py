"""The processes that serve a workspace: the scorer and the pages; both end with this one."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from tondo.ports.launcher import Process
    from tondo.workspace.bootstrap import Parts

READY_S = 30.0
"""A scorer with a few models answers within a second; a busy machine may need more."""
_POLL_S = 0.02


class Servers:
    """Starts scorer and pages of one workspace, and stops them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._scorer: Process | None = None
        self._web: Process | None = None

    def start_scorer(self, *, port: int) -> str:
        """Start the scorer and return its address once it answers."""
        self._parts.tell_scorers()
        process = self._parts.launcher.start(
            ["--root", str(self._parts.state), "--port", str(port)]
        )
        process.wait_ready(READY_S)
        self._scorer = process
        return process.address

    def start_web(self, *, port: int) -> None:
        """Start the pages; `web_address` waits for them."""
        self._web = self._parts.web_launcher.start(
            ["--project", str(self._parts.root), "--port", str(port)]
        )

    def web_address(self) -> str:
        """Return the address of the pages once they answer."""
        assert self._web is not None
        self._web.wait_ready(READY_S)
        return self._web.address

    def scorer_status(self) -> dict[str, Any]:
        """Return what the scorer says of itself."""
        assert self._scorer is not None
        return get_json(f"{self._scorer.address}/v1/status")

    def await_plan(self, number: int) -> None:
        """Return when the scorer serves plan `number`; TD-WORKSPACE-015 when it refuses it."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            status = self.scorer_status()
            if (status.get("plan") or 0) >= number:
                return
            if status.get("problem"):
                break
            time.sleep(_POLL_S)
        raise PlatformError(
            "TD-WORKSPACE-015",
            f"the scorer does not serve plan {number}: {status.get('problem') or 'no answer yet'}",
            expected="the plan that was published",
            fix="Look at GET /v1/status of the scorer.",
        )

    def close_log_segments(self) -> None:
        """Ask the scorer to close the segments it writes, so that they can be compacted."""
        assert self._scorer is not None
        _ask(f"{self._scorer.address}/v1/log/roll", method="POST")

    @property
    def running(self) -> bool:
        """Whether every process that was started still runs."""
        return all(each.running for each in (self._scorer, self._web) if each is not None)

    def stop(self) -> None:
        """End both processes in order."""
        for process in (self._scorer, self._web):
            if process is not None:
                process.stop()


def get_json(address: str) -> dict[str, Any]:
    """Return the JSON at an address of this machine."""
    found: dict[str, Any] = msgspec.json.decode(_ask(address, method="GET"))
    return found


def _ask(address: str, *, method: str) -> bytes:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=READY_S)
    try:
        connection.request(method, parts.path)
        return connection.getresponse().read()
    finally:
        connection.close()


def free_port(wanted: int) -> int:
    """Return `wanted` when nothing listens there, else 0, which lets the system choose."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted
