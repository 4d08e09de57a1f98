"""The process in which declared Python functions run; `functions.py` starts it and speaks with it.

It imports nothing of tondo: it gets a module's text, then pieces of rows, and answers each piece
with values or with what went wrong. Frames are a length in four bytes and MessagePack.
"""

from __future__ import annotations

import os
import struct
import sys
import traceback
import types
from datetime import date
from typing import IO, Any

import msgspec

LENGTH = struct.Struct("<I")


def main() -> None:
    """Answer frames until the input ends."""
    # What the function prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = read_frame(sys.stdin.buffer)
    try:
        function = _function(first)
    except BaseException as error:  # noqa: BLE001 - told to the parent, which raises it by code
        write_frame(answers, {"error": _told(error, first["file"])})
        return
    write_frame(answers, {"ready": True})
    while (rows := read_frame(sys.stdin.buffer)) is not None:
        write_frame(answers, _answered(function, rows, first))


def _function(first: dict[str, Any]) -> Any:
    module = types.ModuleType(first["file"])
    exec(compile(first["source"], first["file"], "exec"), module.__dict__)  # noqa: S102 - the project's own
    function = module.__dict__.get(first["function"])
    if not callable(function):
        message = f"there is no function '{first['function']}'"
        raise TypeError(message)
    return function


def _answered(function: Any, rows: list[list[Any]], first: dict[str, Any]) -> dict[str, Any]:
    dates = [place for place, type_ in enumerate(first["types"]) if type_ == "date"]
    values = []
    for number, row in enumerate(rows):
        for place in dates:
            if row[place] is not None:
                row[place] = date.fromisoformat(row[place])
        try:
            values.append(function(*row))
        except BaseException as error:  # noqa: BLE001 - also SystemExit must not end the worker unheard
            return {"error": {**_told(error, first["file"]), "row": number}}
    return {"values": values}


def _told(error: BaseException, file: str) -> dict[str, Any]:
    lines = [
        each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == file
    ]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    line = next((each for each in reversed(lines) if each), 1)
    return {"kind": type(error).__name__, "message": str(error)[:500], "line": line}


def _plain(value: Any) -> Any:
    """Return a number of a library as Python's; what is no value of a column as its name."""
    item = getattr(value, "item", None)
    return item() if callable(item) else {"type": type(value).__name__}


def read_frame(file: IO[bytes]) -> Any:
    """Return what the next frame holds, None at the end."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    body = file.read(size)
    return msgspec.msgpack.decode(body) if len(body) == size else None


def write_frame(file: IO[bytes], value: Any) -> None:
    """Write one frame."""
    body = msgspec.msgpack.encode(value, enc_hook=_plain)
    file.write(LENGTH.pack(len(body)) + body)
    file.flush()


if __name__ == "__main__":
    main()
