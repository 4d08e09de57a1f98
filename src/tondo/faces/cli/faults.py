"""Errors on a terminal: code, what, expected, fix; the exit code says whose fault it is."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from tondo.core.errors import MissingExtraError, PlatformError, TondoError

EXIT_OF_FAULT = {"data": 1, "caller": 2, "definition": 2, "platform": 3, "outside": 3}
# sysexits.h: an internal software error.
EXIT_UNEXPECTED = 70
EXIT_INTERRUPTED = 130

_BOLD_RED, _DIM, _BOLD, _OFF = "\x1b[1;31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


def exit_code(error: TondoError) -> int:
    """Return 1 for data, 2 for what the person can mend, 3 for the platform and outside.

    >>> exit_code(MissingExtraError.of("platform", "the command line"))
    2
    """
    if isinstance(error, MissingExtraError):
        return 2
    return EXIT_OF_FAULT.get(error.fault, 3)


def has_colour(stream: TextIO) -> bool:
    """Tell whether colours are wanted on `stream` (https://no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def print_error(error: TondoError) -> int:
    """Print a coded error to stderr and return the exit code."""
    sys.stderr.write(error_text(error, colour=has_colour(sys.stderr)))
    return exit_code(error)


def error_text(error: TondoError, *, colour: bool = False) -> str:
    """Return the lines that a person sees.

    >>> from tondo.core.errors import CallerError
    >>> error = CallerError("TD-REGISTRY-001", "no model 'lat'", fix="Did you mean 'late'?")
    >>> print(error_text(error))
    TD-REGISTRY-001: no model 'lat'
      fix: Did you mean 'late'?
      more: tondo explain TD-REGISTRY-001
    <BLANKLINE>
    """
    red, dim, bold, off = (_BOLD_RED, _DIM, _BOLD, _OFF) if colour else ("", "", "", "")
    lines = [f"{red}{error.code}{off}: {bold}{error.what}{off}"]
    lines += _labelled("expected", error.expected, dim, off)
    lines += _labelled("fix", error.fix, dim, off)
    lines.append(f"  {dim}more:{off} tondo explain {error.code}")
    return "\n".join(lines) + "\n"


def _labelled(label: str, text: str, dim: str, off: str) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    return [f"  {dim}{label}:{off} {first}", *(f"    {each}" for each in rest)]


def print_unexpected(error: BaseException) -> int:
    """Keep the traceback in a file, print one line, return the exit code."""
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="tondo-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    said = PlatformError(
        "TD-CLI-001", f"tondo failed inside ({type(error).__name__}), the details are in {path}"
    )
    sys.stderr.write(f"{said}\n")
    return EXIT_UNEXPECTED
