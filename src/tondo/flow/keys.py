"""The key of a step: everything its result depends on, as one digest."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.canonical import digest_bytes
from tondo.core.errors import MissingExtraError
from tondo.flow.values import KeyChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def step_parts(
    name: str,
    fn: Callable[..., Any],
    *,
    version: int,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
    packages: Iterable[str],
) -> dict[str, Any]:
    """Return what the result of a step depends on; its digest is the step's key."""
    parts: dict[str, Any] = {
        "name": name,
        "version": version,
        "parameters": dict(parameters),
        "inputs": dict(inputs),
        "packages": {package: package_version(package) for package in packages},
    }
    code = module_digest(fn)
    if code is not None:
        parts["code"] = code
    return parts


def module_digest(fn: Callable[..., Any]) -> str | None:
    """Return the digest of the file that defines `fn`, or None for tondo's own code.

    Tondo's steps declare a `version` instead: a comment in our code must not cost a user the
    results of a night. Code typed into an interpreter has no file and no digest.
    """
    while isinstance(fn, functools.partial):
        fn = fn.func
    module = sys.modules.get(getattr(fn, "__module__", "") or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__.split(".")[0] == "tondo":
        return None
    return _file_digest(file)


@functools.cache
def _file_digest(file: str) -> str | None:
    # Once in a process: the code that runs is what was there when it was imported.
    try:
        return digest_bytes(Path(file).read_bytes())
    except OSError:
        return None


@functools.cache
def package_version(package: str) -> str:
    """Return the installed version of a package that a step declares.

    >>> package_version("msgspec").split(".")[0]
    '0'
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError.of(package, "a step") from None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[KeyChange]:
    """Return the parts of a key that differ, one level deep.

    >>> changes({"version": 1, "inputs": {"a": "x"}}, {"version": 1, "inputs": {"a": "y"}})
    [KeyChange(part='inputs.a', before='x', after='y')]
    """
    return [
        KeyChange(part=part, before=old.get(part), after=new.get(part))
        for old, new in [(_flat(before), _flat(after))]
        for part in sorted(old.keys() | new.keys())
        if old.get(part) != new.get(part)
    ]


def _flat(parts: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for part, value in parts.items():
        if isinstance(value, dict):
            flat.update({f"{part}.{name}": each for name, each in value.items()})
        else:
            flat[part] = value
    return flat
