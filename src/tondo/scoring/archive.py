"""The outer form of a package: a ZIP that has exactly one spelling.

Entries are stored, never compressed: the same contents give the same bytes with any zlib, and
nothing can expand on opening. Reading rebuilds the archive from what was found and compares every
byte, so a change anywhere (also in a header that ZIP readers forgive) is refused and named.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PACKAGE_BYTES = 1 << 30
"""1 GiB: far above any tree or linear model, far below what would end a small scorer."""

MAX_ENTRIES = 256
"""A package holds about ten files and a handful of model files."""

_SAFE_NAME = re.compile(r"[a-z]+\.json|model/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_STRUCTURE = "the archive's own structure"


def write_archive(entries: Mapping[str, bytes]) -> bytes:
    """Return the one archive that holds `entries`, in order of name.

    >>> write_archive({"a.json": b"1"}) == write_archive({"a.json": b"1"})
    True
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(entries):
            _check_entry_name(name)
            info = zipfile.ZipInfo(name, date_time=_ZIP_EPOCH)
            info.create_system = 3  # Unix, on every system: else the bytes would differ
            info.external_attr = 0o644 << 16
            archive.writestr(info, entries[name])
    return out.getvalue()


def read_archive(data: bytes) -> dict[str, bytes]:
    """Return name to bytes; TD-PACKAGE-001 when damaged, TD-PACKAGE-002 when not ours."""
    if len(data) > MAX_PACKAGE_BYTES:
        raise _refused(f"{len(data)} bytes", f"at most {MAX_PACKAGE_BYTES} bytes")
    if not data.startswith(b"PK"):
        raise _refused("the bytes are not a ZIP archive", "a sealed .tondo package")
    spans: dict[str, int] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_infos(infos, len(data))
            spans = {info.filename: info.header_offset for info in infos}
            entries = {info.filename: _read_entry(archive, info) for info in infos}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError, ValueError):
        raise damaged(_STRUCTURE) from None
    rebuilt = write_archive(entries)
    if rebuilt != data:
        raise damaged(_place_of_difference(rebuilt, data, spans))
    return entries


def damaged(name: str) -> DataError:
    """Build the error for a package whose file `name` is not as it was sealed."""
    return DataError(
        "TD-PACKAGE-001",
        f"the package is damaged: {name} is not as it was sealed",
        expected="the very bytes that were written when the package was sealed",
        fix="Fetch the package again from where it was registered; do not edit it.",
        file=name,
    )


def _refused(what: str, expected: str) -> DataError:
    return DataError(
        "TD-PACKAGE-002",
        f"this is not a package that may be opened: {what}",
        expected=expected,
        fix="Seal packages with tondo only.",
    )


def _check_entry_name(name: str) -> None:
    if not _SAFE_NAME.fullmatch(name) or ".." in name:
        raise _refused(
            f"it holds a file named {name!r}", "names such as spec.json or model/model.txt"
        )


def _check_infos(infos: list[zipfile.ZipInfo], size: int) -> None:
    if len(infos) > MAX_ENTRIES:
        raise _refused(f"it holds {len(infos)} files", f"at most {MAX_ENTRIES} files")
    names = [info.filename for info in infos]
    for name in names:
        _check_entry_name(name)
    if len(set(names)) != len(names):
        raise _refused("a file name stands in it twice", "each name once")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED:
            raise _refused(f"{info.filename} is compressed", "files stored as they are")
    if sum(info.file_size for info in infos) > size:
        raise _refused("its files claim to be larger than the archive", "true sizes")


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        raise damaged(info.filename) from None


def _place_of_difference(rebuilt: bytes, data: bytes, spans: Mapping[str, int]) -> str:
    limit = min(len(rebuilt), len(data))
    first = next((at for at in range(limit) if rebuilt[at] != data[at]), limit)
    directory = data.rfind(b"PK\x05\x06")
    central = int.from_bytes(data[directory + 16 : directory + 20], "little")
    if first >= central:
        return _STRUCTURE
    before = [(offset, name) for name, offset in spans.items() if offset <= first]
    return max(before)[1] if before else _STRUCTURE
