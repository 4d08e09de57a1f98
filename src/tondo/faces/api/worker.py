"""The thread on which the workspace lives: requests wait for it, the event loop never does."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

# A page reads while a training run writes: two are enough for one person's machine, and the
# ledger has one writer at a time anyway.
THREADS = 2


class Worker:
    """Calls the verbs of one workspace off the event loop."""

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tondo-workspace")

    async def call(self, function: Callable[..., Result], **arguments: Any) -> Result:
        """Return what `function` returns, called on a thread of the workspace."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(function, **arguments))

    def close(self) -> None:
        """End the threads; what is running is finished first."""
        self._threads.shutdown(wait=True)
