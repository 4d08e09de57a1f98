"""Faults of text files that a reader of CSV would swallow or name badly.

One pass over the bytes finds NULs, and quotes that stand where no cell begins or ends; only then
a slow and strict reader decides whether a quote was left open.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from tondo.core.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES = 1 << 20
_QUOTE = ord('"')
_WORDS = {"tab": "\t", "\\t": "\t"}
_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BEGINNINGS = {
    b"\x1f\x8b": ("gzip", "Add .gz to its name."),
    b"PK\x03\x04": ("a zip archive or a spreadsheet", "Name an archive .zip; export a sheet."),
    b"PAR1": ("Parquet", "Name it .parquet."),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "Unpack it."),
    b"\xff\xfe": ("UTF-16", "Write it as UTF-8: iconv -f UTF-16 -t UTF-8."),
    b"\xfe\xff": ("UTF-16", "Write it as UTF-8: iconv -f UTF-16 -t UTF-8."),
}


class Scan(NamedTuple):
    """What one pass over a text's bytes shows."""

    quoted: bool
    """A quote stands after the first line."""
    tidy: bool
    """Every quote begins a cell, ends one, or is doubled inside one."""
    nul: bool


def scan(file: BinaryIO, delimiter: str) -> Scan:
    r"""Return what its bytes show; the file is left at its beginning.

    >>> scan(io.BytesIO(b'a,b\n1,"x, y"\n'), ",")
    Scan(quoted=True, tidy=True, nul=False)
    >>> scan(io.BytesIO(b'a,b\n1,"x\n2,"y"\n'), ",").tidy
    False
    """
    file.seek(0)
    odd = file.readline().count(b'"') % 2 == 1
    after = file.tell()
    quoted = odd or any(b'"' in block for block in _blocks(file))
    file.seek(0)
    nul = any(b"\0" in block for block in _blocks(file))
    file.seek(0)
    has_any = quoted or b'"' in file.read(after)
    tidy = not has_any or _tidy(file, delimiter)
    file.seek(0)
    return Scan(quoted, tidy, nul)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_BLOCK_BYTES), b"")


def _tidy(file: BinaryIO, delimiter: str) -> bool:
    """Say whether each first quote of a pair follows an edge of a cell and each second precedes.

    A doubled quote closes and opens, so quotes are edges too.
    """
    import numpy as np

    edge = np.zeros(256, dtype=bool)
    edge[[*b'\r\n"', ord(delimiter)]] = True
    file.seek(0)
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    carried, before = b"\n", 0
    while True:
        block = file.read(_BLOCK_BYTES)
        data = np.frombuffer(carried + (block or b"\n"), dtype=np.uint8)
        # The first and the last byte are neighbours only; the last is judged with the next block.
        places = np.flatnonzero(data[1:-1] == _QUOTE) + 1
        opens = (np.arange(len(places)) + before) % 2 == 0
        beside = np.where(opens, data[places - 1], data[places + 1])
        if not edge[beside].all():
            return False
        before += len(places)
        if not block:
            return before % 2 == 0
        carried = data[-2:].tobytes()


def refuse_faults(file: BinaryIO, found: Scan, *, delimiter: str, where: str) -> None:
    """Refuse NULs (TD-DATA-003) and a quote left open (TD-DATA-040), naming the line."""
    if found.nul or file.read(4).startswith(tuple(_BEGINNINGS)):
        raise no_text(file, where) or _damaged(where, "it holds NUL bytes", "")
    file.seek(0)
    if found.tidy:
        return
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    usual = csv.field_size_limit(sys.maxsize)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            "TD-DATA-040",
            f"{where}, line {line}: a quote is not closed where its cell ends ({error})",
            expected='cells with a separator or a line break in quotes, quotes within doubled: ""',
            fix="Close the quote, or double it; nothing of the file was kept.",
            line=line,
        ) from None
    finally:
        csv.field_size_limit(usual)
        text.detach()
        file.seek(0)


def delimiter_sign(said: str, *, where: str) -> str:
    r"""Return the sign that parts cells; TD-DATA-046 for what parts none.

    >>> delimiter_sign(";", where="source"), delimiter_sign("tab", where="source")
    (';', '\t')
    """
    sign = _WORDS.get(said, said)
    if len(sign) == 1 and sign.isascii() and not sign.isalnum() and sign not in '"\r\n\0':
        return sign
    raise DefinitionError(
        "TD-DATA-046",
        f"{where}: {said[:20]!r} parts no cells",
        expected="one ASCII character that is no letter, digit, quote or line break, or `tab`",
        fix="Write what stands between two cells, such as ; or tab.",
    )


def refuse_other_separator(names: list[str], where: str, *, delimiter: str) -> None:
    """Refuse a header of one name that other separators would cut (TD-DATA-041)."""
    for sign, word in _SIGNS.items():
        if sign != delimiter and len(names) == 1 and sign in names[0]:
            said = json.dumps(sign)
            option = "tab" if sign == "\t" else repr(sign)
            raise DataError(
                "TD-DATA-041",
                f"{where}: the cells of the header {names[0][:60]!r} are parted by {word}",
                expected=_SIGNS.get(delimiter, repr(delimiter)),
                fix=f"Write `delimiter: {said}` in the source, or --delimiter {option} after a "
                "command on a file.",
            )


def no_text(file: BinaryIO, where: str) -> DataError | None:
    """Return what shows that a file is no UTF-8 text, with its line; None when it is (-003)."""
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    for beginning, (what, fix) in _BEGINNINGS.items():
        if head.startswith(beginning):
            return _damaged(where, f"it is {what}, no text in UTF-8", fix)
    try:
        for number, line in enumerate(file, start=1):
            if b"\0" in line:
                return _damaged(
                    where, f"line {number} holds a NUL byte", "Was it cut off, or is it UTF-16?"
                )
            _ = line.decode()
    except UnicodeDecodeError as error:
        what = f"line {number}: the byte 0x{error.object[error.start]:02x} is no UTF-8"
        return _damaged(where, what, "If it is Latin-1: iconv -f LATIN1 -t UTF-8.")
    finally:
        file.seek(0)
    return None


def _damaged(where: str, what: str, fix: str) -> DataError:
    return DataError(
        "TD-DATA-003",
        f"{where} cannot be read: {what}",
        expected="text in UTF-8",
        fix=f"{fix} Nothing of the file was kept.".strip(),
    )
