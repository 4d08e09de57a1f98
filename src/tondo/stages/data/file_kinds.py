"""What stands at a path: a file that can be read to its end, or something else."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def is_there(path: Path, source: str) -> bool:
    """Say whether a file stands at a path; TD-DATA-043 when it is no file, and never opens it."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise _no_file(path, source, "a link to nothing") from None
        return False
    except ValueError:
        return False
    except OSError as error:
        raise _no_file(path, source, f"out of reach ({error.strerror})") from None
    if stat.S_ISREG(mode):
        return True
    raise _no_file(path, source, _KINDS.get(stat.S_IFMT(mode), "no file"))


def shown(path: Path) -> str:
    r"""Return a path's name as text on one line that any encoding holds.

    >>> from pathlib import Path
    >>> shown(Path("two" + chr(10) + "lines.csv")), shown(Path("b" + chr(0xDCFF) + ".csv"))
    ('two\\nlines.csv', 'b\\xff.csv')
    """
    text = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _no_file(path: Path, source: str, what: str) -> DataError:
    fix = f"Write {path.name}/*.csv for the files in it." if what == "a folder" else ""
    return DataError(
        "TD-DATA-043",
        f"source '{source}': {path.parent / shown(path)} is {what}",
        expected="a file, or a glob such as days/*.csv that names files alone",
        fix=fix or "Correct the path; nothing was read.",
        path=str(path.parent / shown(path)),
    )
