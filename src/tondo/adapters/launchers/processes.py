"""Scorers as child processes of this one."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_LOG_BYTES = 4_000
"""The end of a process's log is where it says why it ended."""


class ChildProcess:
    """One process. It ends when this one ends, however that happens: it watches a socket."""

    def __init__(
        self, popen: subprocess.Popen[bytes], lifeline: socket.socket, log: IO[bytes]
    ) -> None:
        self._popen = popen
        self._lifeline = lifeline
        self._log = log
        self._ready: dict[str, Any] = {}
        self._told = ""

    def __repr__(self) -> str:
        """Say which process."""
        return f"<process {self.pid} at {self._ready.get('ready', 'no address yet')}>"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def address(self) -> str:
        """The URL it answers on; TD-LAUNCH-002 before `wait_ready`."""
        if not self._ready:
            raise PlatformError(
                "TD-LAUNCH-002",
                f"process {self.pid} has told no address yet",
                fix="Call wait_ready first.",
            )
        return str(self._ready["ready"])

    @property
    def grpc_address(self) -> str:
        """Host and port of gRPC, empty where it speaks none or is not ready."""
        return str(self._ready.get("grpc", ""))

    @property
    def running(self) -> bool:
        """Whether it has not ended, or others go on in its place.

        A scorer's workers outlive their supervisor; all of them watch the same socket.
        """
        return self._popen.poll() is None or self._is_watched(0.0)

    def _is_watched(self, within_s: float) -> bool:
        """Whether anybody has the other end of our socket, after `within_s` at most."""
        if self._lifeline.fileno() < 0:
            return False
        self._lifeline.settimeout(within_s)
        try:
            return self._lifeline.recv(1) != b""
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False

    def wait_ready(self, timeout_s: float) -> None:
        """Return when it answers; TD-LAUNCH-001 with its log when it ends or takes too long."""
        deadline = time.monotonic() + timeout_s
        said = b""
        while not self._ready:
            part = self._read_output(deadline - time.monotonic())
            if not part:
                raise self._failed(timeout_s)
            *lines, said = (said + part).split(b"\n")
            self._ready = next(filter(None, map(_ready_in, lines)), {})

    def stop(self, timeout_s: float = 10.0) -> int:
        """End it gracefully, then by force, and who goes on in its place; return its exit code."""
        self._popen.terminate()
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            code = self._popen.wait()
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)  # whoever is left ends now
        self._is_watched(timeout_s)
        self._release()
        return code

    def kill(self) -> int:
        """End it at once, as a crash would."""
        self._popen.kill()
        code = self._popen.wait()
        self._release()
        return code

    def log_tail(self) -> str:
        """Return the end of what it wrote to standard error."""
        if self._log.closed:
            return self._told
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _SHOWN_LOG_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def _read_output(self, timeout_s: float) -> bytes:
        output = self._popen.stdout
        assert output is not None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(max(0.0, timeout_s)):
                return b""
        return os.read(output.fileno(), 65_536)

    def _failed(self, timeout_s: float) -> PlatformError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(0.5)
        code = self._popen.poll()
        told = self.log_tail()
        what = f"was not ready within {timeout_s:g} s" if code is None else f"ended with {code}"
        self.stop()
        return PlatformError(
            "TD-LAUNCH-001",
            f"the scorer process {what}; it said: {told or 'nothing'}",
            expected="a process that tells its address on standard output",
            exit_code=code,
        )

    def _release(self) -> None:
        self._told = self.log_tail()
        self._log.close()
        self._lifeline.close()
        if self._popen.stdout is not None:
            self._popen.stdout.close()


def _ready_in(line: bytes) -> dict[str, Any]:
    """Return what a line of output tells of who is ready; libraries may print other lines."""
    try:
        told = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) and "ready" in told else {}


class ProcessLauncher:
    """Starts `python -m <module>`; the module must know `--parent-fd`."""

    def __init__(self, module: str = "tondo.faces.scorer") -> None:
        self._module = module

    def start(
        self,
        arguments: Sequence[str],
        *,
        memory_mb: int | None = None,
        cpus: int | None = None,
        nice: int | None = None,
        log: Path | None = None,
    ) -> ChildProcess:
        """Start it; `memory_mb` limits its address space, `cpus` the processors it may use.

        `nice` is its priority, 19 the lowest.
        """
        lifeline, child_end = socket.socketpair()
        errors: Any = tempfile.TemporaryFile() if log is None else Path(log).open("a+b")  # noqa: SIM115 - kept open as long as the process
        try:
            popen = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    self._module,
                    *arguments,
                    "--parent-fd",
                    str(child_end.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=(child_end.fileno(),),
                start_new_session=True,  # Ctrl-C is for us; we end it in order
            )
        except OSError:
            lifeline.close()
            raise
        finally:
            child_end.close()
        _limit(popen.pid, memory_mb, cpus, nice)
        return ChildProcess(popen, lifeline, errors)


def _limit(pid: int, memory_mb: int | None, cpus: int | None, nice: int | None) -> None:
    """Set limits from outside: code between fork and exec is not safe beside threads."""
    with contextlib.suppress(ProcessLookupError):
        if memory_mb is not None:
            most = memory_mb << 20
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
        if cpus is not None:
            mine = sorted(os.sched_getaffinity(pid))
            os.sched_setaffinity(pid, mine[:cpus])
        if nice is not None:
            _be_nice(pid, nice)


def _be_nice(pid: int, nice: int) -> None:
    """Lower the priority of a process, and of its session, where the system has one for each.

    Linux shares the processor among sessions first (sched(7), autogroup): a process alone in its
    session takes a full share of it, however nice it is to the others within.
    """
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
