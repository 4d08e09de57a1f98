"""`tondo top`: what runs now, looked at once a second."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections import defaultdict, deque
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.workspace.facade import Workspace
    from tondo.workspace.live.feed import Feed
    from tondo.workspace.live.top import TopView

_LOOK_EVERY_S = 1.0
_PAST = 60
_ENDING = {b"q", b"Q", b"\x1b", b"\x03", b""}

Past = dict[tuple[str, str], deque[float]]


def top(
    *,
    project: Project = HERE,
    once: Annotated[bool, typer.Option("--once", help="Look for a second, tell, and end.")] = False,
    json: Json = False,
) -> None:
    """Watch what runs: requests, latency and errors of each variant, scorers, rollouts; q ends."""
    with opened(project) as workspace, closing(workspace.live.feed()) as feed:
        feed.look()
        if json or once or not sys.stdout.isatty():
            time.sleep(_LOOK_EVERY_S)
            _tell_once(_look(workspace, feed), as_json=json)
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(workspace, feed)


def _look(workspace: Workspace, feed: Feed) -> TopView:
    from tondo.workspace.live.top import top_view

    return top_view(workspace.parts, workspace.rollouts, feed.look())


def _tell_once(view: TopView, *, as_json: bool) -> None:
    if as_json:
        show(view, as_json=True)
        return
    from tondo.faces.cli.top_screen import screen

    console = console_for_output()
    console.print(screen(view, {}, width=console.width))


def _watch(workspace: Workspace, feed: Feed) -> None:
    """Draw a look a second until q, Escape or Ctrl-C."""
    from rich.live import Live

    from tondo.faces.cli.top_screen import screen

    console = console_for_output()
    past: Past = defaultdict(lambda: deque(maxlen=_PAST))
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        due = time.monotonic() + _LOOK_EVERY_S
        while not pressed(due - time.monotonic()):
            view = _look(workspace, feed)
            for row in view.rows:
                past[row.deployment, row.variant].append(row.rate.requests_s or 0.0)
            seen = {name: list(values) for name, values in past.items()}
            live.update(screen(view, seen, width=console.width), refresh=True)
            due = max(due + _LOOK_EVERY_S, time.monotonic())


@contextmanager
def _keys() -> Iterator[_Pressed]:
    """Read single keys of a terminal; where standard input is none, only time passes."""
    if not sys.stdin.isatty():
        yield _Pressed(None)
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield _Pressed(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class _Pressed:
    """Waits for a time, and tells whether a key that ends was pressed meanwhile."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def __call__(self, seconds: float) -> bool:
        """Wait at most so long."""
        until = time.monotonic() + max(seconds, 0.0)
        while True:
            left = max(until - time.monotonic(), 0.0)
            if self._descriptor is None:
                time.sleep(left)
                return False
            if not select.select([self._descriptor], [], [], left)[0]:
                return False
            # An end of input ends too: nobody is there any more.
            if os.read(self._descriptor, 1) in _ENDING:
                return True
