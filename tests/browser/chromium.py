"""A Chromium that tests speak to over a pipe."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess

CHROMIUM = next(
    (
        found
        for each in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(each))
    ),
    None,
)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """A Chromium that is spoken to over a pipe: JSON messages, each ended by a zero byte."""

    def __init__(self, profile) -> None:
        reads, self._out = (_high(each) for each in os.pipe())
        self._in, writes = (_high(each) for each in os.pipe())

        def give() -> None:
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            preexec_fn=give,  # noqa: PLW1509 - the pipe is 3 and 4 in the child, whatever runs here
            pass_fds=(3, 4),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        self._kept = b""
        self._number = 0
        self._session = None
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return heard["result"]

    def open(self, address: str) -> None:
        self.ask("Page.navigate", url=address)
        self.wait_for_load()

    def wait_for_load(self) -> None:
        while self._hear().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str):
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._out)
        os.close(self._in)

    def _hear(self):
        while b"\0" not in self._kept:
            part = os.read(self._in, 65_536)
            assert part, "the browser ended"
            self._kept += part
        first, _, self._kept = self._kept.partition(b"\0")
        heard = json.loads(first)
        method, parameters = heard.get("method"), heard.get("params", {})
        if method == "Runtime.exceptionThrown" or (
            method == "Log.entryAdded" and parameters["entry"]["level"] == "error"
        ):
            self.complaints.append(json.dumps(parameters))
        return heard


def _high(descriptor: int) -> int:
    """Return the descriptor moved out of the way of 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved
