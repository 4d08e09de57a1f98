"""The launcher port: starts scorers and consumers as processes of their own, with limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Process(Protocol):
    """A process that was started here and ends with us."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    @property
    def address(self) -> str:
        """The URL it answers on, once ready."""
        ...

    @property
    def grpc_address(self) -> str:
        """Host and port of gRPC, empty where it speaks none."""
        ...

    @property
    def running(self) -> bool:
        """Whether it has not ended, or others go on in its place."""
        ...

    def wait_ready(self, timeout_s: float) -> None:
        """Return when it answers; raise PlatformError TD-LAUNCH-001 with its log when it dies."""
        ...

    def stop(self, timeout_s: float = 10.0) -> int:
        """End it gracefully, then by force; return its exit code."""
        ...


class Launcher(Protocol):
    """Starts processes that die with their parent."""

    def start(
        self,
        arguments: Sequence[str],
        *,
        memory_mb: int | None = None,
        cpus: int | None = None,
        nice: int | None = None,
    ) -> Process:
        """Start `python -m tondo...` with `arguments`; limits are of the operating system.

        `nice` is 1 to 19: 19 takes the processor only where others leave it.
        """
        ...


class MemberLauncher(Protocol):
    """Starts processes that outlive this one: whoever comes next finds them."""

    def start(
        self,
        arguments: Sequence[str],
        *,
        keep_open: Sequence[int] = (),
        memory_mb: int | None = None,
        niceness: int = 0,
    ) -> int:
        """Start `python -m tondo...`; return its process id.

        It has our standard error and the descriptors `keep_open`, under their numbers.
        """
        ...
