"""What a run was made with: Python, packages, platform, the commit of the user's code."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any


def environment_record() -> dict[str, Any]:
    """Return the runtime environment as plain JSON; nothing of the process's variables.

    The packages are all that are installed, not those that were imported.
    """
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": dict(_packages()),
        "code": dict(_code(str(Path.cwd()))),
    }


@functools.cache
def _packages() -> tuple[tuple[str, str], ...]:
    """Return (name, version); read once, because walking over them takes a tenth of a second."""
    found = {
        str(each.metadata["Name"]): each.version
        for each in importlib.metadata.distributions()
        if each.metadata["Name"]
    }
    return tuple(sorted(found.items(), key=lambda item: item[0].lower()))


@functools.cache
def _code(folder: str) -> tuple[tuple[str, Any], ...]:
    """Return commit, branch and whether files differ from it; empty outside a repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return ()
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return (
        ("commit", commit),
        ("branch", _git(folder, "rev-parse", "--abbrev-ref", "HEAD") or None),
        ("dirty", None if status is None else bool(status)),
    )


def _git(folder: str, *arguments: str) -> str | None:
    """Return what git says, or None when it is not installed, slow or refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
