"""The sealed package: everything a model version needs to score, in one readable file.

A ZIP of JSON and model files with checksums and, when a key is given, a signature. Nothing in it
is ever executed: features are typed trees, compiled from our own function table.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import canonical_json, digest_bytes
from tondo.core.errors import DataError, TondoError, near
from tondo.language import walk
from tondo.language.tree import LANGUAGE_VERSION, Node
from tondo.scoring.archive import damaged, read_archive, write_archive
from tondo.scoring.layout import ViewLayout

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
"""Grows when the files of a package change their shape."""

_PLAIN_PARTS = ("spec", "schema", "fitted", "training", "environment", "baseline", "importance")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One row with the answer that the package must give for it."""

    row: dict[str, Any]
    """Request columns and `@view.feature[key]` values; timestamps are microseconds."""
    vector: list[float | None]
    """Feature values in model order, None where missing."""
    score: float


class PackageContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a package says, once opened and checked."""

    name: str
    task: str
    """`binary` or `regression`."""
    algorithm: str
    runtime: str
    """Name of the runtime that loads `files`."""
    runtime_options: dict[str, Any] = {}
    extra: str | None = None
    """The extra that brings the runtime; None when the base install has it."""
    language_version: int = LANGUAGE_VERSION
    inputs: dict[str, str]
    """Request column to column type, keys of views among them."""
    features: dict[str, Node]
    """Feature name to frozen, view-bound tree, in the order of the model's vector."""
    views: dict[str, ViewLayout] = {}
    view_features: list[tuple[str, str, str, str]] = []
    """(canonical name, view, feature, key column) of each fetched value."""
    keys: dict[str, Node] = {}
    """Key columns that are computed, to their trees."""
    threshold: float | None = None
    """Score at or above which the decision is positive; None for no decision."""
    schema: dict[str, Any] = {}
    spec: dict[str, Any] = {}
    fitted: dict[str, Any] = {}
    importance: dict[str, Any] = {}
    samples: list[Sample] = []
    training: dict[str, Any] = {}
    environment: dict[str, Any] = {}
    files: dict[str, bytes]
    """Model files by name, without a folder."""
    baseline: dict[str, Any] = {}
    """Per feature the training distribution that drift is measured against."""

    def __repr__(self) -> str:
        """Say what it is in one line."""
        size = sum(map(len, self.files.values()))
        return (
            f"PackageContents({self.name!r}, {self.algorithm}, runtime={self.runtime!r}, "
            f"features={len(self.features)}, model_bytes={size})"
        )


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    name: str
    task: str
    algorithm: str
    runtime: str
    runtime_options: dict[str, Any]
    extra: str | None
    language_version: int
    inputs: dict[str, str]
    views: dict[str, ViewLayout]
    view_features: list[tuple[str, str, str, str]]
    threshold: float | None


class _Checksum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    blake3: str
    bytes: int


class _Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    algorithm: str
    over: str
    signature: str


def package_digest(data: bytes) -> str:
    """Return the digest under which a package is kept."""
    return digest_bytes(data)


def seal(contents: PackageContents, *, key: bytes | None = None) -> bytes:
    """Return the package's bytes: the same contents give the same bytes.

    With `key` the checksums are signed by HMAC-SHA256, and `open_package` with that key refuses
    a package that anybody else made.
    """
    _check_agreement(contents)
    manifest = {
        "format": FORMAT,
        **{
            name: getattr(contents, name)
            for name in _Manifest.__struct_fields__
            if name != "format"
        },
    }
    entries = {
        "manifest.json": _readable(manifest),
        "features.json": _readable(_trees(contents.features)),
        **({"keys.json": _readable(_trees(contents.keys))} if contents.keys else {}),
        "samples.json": _readable(contents.samples),
        **{f"{part}.json": _readable(getattr(contents, part)) for part in _PLAIN_PARTS},
        **{f"model/{name}": data for name, data in contents.files.items()},
    }
    entries["checksums.json"] = _readable(_checksums(entries))
    if key is not None:
        entries["signature.json"] = _readable(_sign(entries["checksums.json"], key))
    return write_archive(entries)


def open_package(data: bytes, *, key: bytes | None = None) -> PackageContents:
    """Read and check a package.

    TD-PACKAGE-001 damaged (names the file), -002 not ours, -004 signature missing or of another
    key, -005 written by a newer tondo, -007 its parts contradict each other.
    """
    entries = read_archive(data)
    _verify_checksums(entries)
    if key is not None:
        _verify_signature(entries, key)
    contents = _read_contents(entries)
    _check_agreement(contents)
    return contents


def _readable(value: Any) -> bytes:
    return msgspec.json.format(canonical_json(value), indent=1) + b"\n"


def _checksums(entries: dict[str, bytes]) -> dict[str, _Checksum]:
    return {
        name: _Checksum(blake3=digest_bytes(data), bytes=len(data))
        for name, data in entries.items()
    }


def _sign(checksums: bytes, key: bytes) -> _Signature:
    mac = hmac.new(key, checksums, hashlib.sha256).hexdigest()
    return _Signature(algorithm="HMAC-SHA256", over="checksums.json", signature=mac)


def _verify_checksums(entries: dict[str, bytes]) -> None:
    recorded = _decode(entries, "checksums.json", dict[str, _Checksum])
    sealed = {name for name in entries if name not in {"checksums.json", "signature.json"}}
    for name in sorted(sealed | set(recorded)):
        data = entries.get(name)
        if data is None or name not in recorded:
            raise damaged(name)
        if recorded[name] != _Checksum(blake3=digest_bytes(data), bytes=len(data)):
            raise damaged(name)


def _verify_signature(entries: dict[str, bytes], key: bytes) -> None:
    why = "it carries no signature"
    if "signature.json" in entries:
        found = _decode(entries, "signature.json", _Signature)
        wanted = _sign(entries["checksums.json"], key)
        if hmac.compare_digest(found.signature, wanted.signature):
            return
        why = "its signature was not made with this key"
    raise DataError(
        "TD-PACKAGE-004",
        f"the package cannot be trusted: {why}",
        expected="a package sealed by the holder of this workspace's key",
        fix="Register the model in this workspace, or open the package without a key.",
    )


def _decode(entries: dict[str, bytes], name: str, type_: Any) -> Any:
    try:
        return msgspec.json.decode(entries[name], type=type_)
    except KeyError:
        raise damaged(name) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _contradiction(name, str(error)) from None


def _contradiction(name: str, why: str) -> DataError:
    return DataError(
        "TD-PACKAGE-007",
        f"the package contradicts itself in {name}: {why}",
        fix="Seal it again from its run.",
        file=name,
    )


def _check_version(entries: dict[str, bytes]) -> None:
    head = _decode(entries, "manifest.json", dict[str, Any])
    found = (head.get("format"), head.get("language_version"))
    if found != (FORMAT, LANGUAGE_VERSION):
        raise DataError(
            "TD-PACKAGE-005",
            f"the package has format {found[0]!r} and language version {found[1]!r}",
            expected=f"format {FORMAT} and language version {LANGUAGE_VERSION}",
            fix="Use the tondo that sealed it, or train the model again with this one.",
        )


def _read_contents(entries: dict[str, bytes]) -> PackageContents:
    _check_version(entries)
    manifest = _decode(entries, "manifest.json", _Manifest)
    parts = {part: _decode(entries, f"{part}.json", dict[str, Any]) for part in _PLAIN_PARTS}
    head = {name: getattr(manifest, name) for name in _Manifest.__struct_fields__}
    del head["format"]
    return PackageContents(
        **head,
        **parts,
        features=_read_trees(entries, "features.json"),
        keys=_read_trees(entries, "keys.json") if "keys.json" in entries else {},
        samples=_decode(entries, "samples.json", list[Sample]),
        files={
            name.removeprefix("model/"): data
            for name, data in entries.items()
            if name.startswith("model/")
        },
    )


def _trees(nodes: Mapping[str, Node]) -> list[dict[str, Any]]:
    return [{"name": name, "tree": walk.to_json(node)} for name, node in nodes.items()]


def _read_trees(entries: dict[str, bytes], name: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for item in _decode(entries, name, list[dict[str, Any]]):
        try:
            found[item["name"]] = walk.from_json(item["tree"])
        except (TondoError, KeyError, TypeError, msgspec.ValidationError) as error:
            raise _contradiction(name, str(error)) from None
    return found


def _check_agreement(contents: PackageContents) -> None:
    fetched = {canonical for canonical, _, _, _ in contents.view_features}
    known = set(contents.inputs) | fetched
    for name, node in contents.keys.items():
        for column in sorted(walk.columns_of(node) - known):
            raise _contradiction("keys.json", f"the key '{name}' reads '{column}'")
    for name, node in contents.features.items():
        for column in sorted(walk.columns_of(node) - known):
            raise _contradiction(
                "features.json", f"feature {name} reads '{column}'. {near(column, known)}"
            )
    for canonical, view, feature, key in contents.view_features:
        layout = contents.views.get(view)
        if layout is None or feature not in layout.features:
            raise _contradiction("manifest.json", f"{canonical} has no layout")
        if key not in known and key not in contents.keys:
            raise _contradiction("manifest.json", f"{canonical} needs the input '{key}'")
    for position, sample in enumerate(contents.samples):
        if len(sample.vector) != len(contents.features):
            raise _contradiction("samples.json", f"sample {position} has a vector too short")
