"""Canonical JSON and digests: the same value always has the same bytes and the same name."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from blake3 import blake3

from tondo.core.errors import DefinitionError

DIGEST_BYTES = 32


def canonical_json(value: Any) -> bytes:
    """Return `value` as JSON with sorted keys, no white space and only finite numbers.

    >>> canonical_json({"b": 1, "a": [True, None, 0.5]})
    b'{"a":[true,null,0.5],"b":1}'
    """
    plain = msgspec.to_builtins(value, builtin_types=(), str_keys=True)
    _refuse_non_finite(plain, "$")
    return msgspec.json.encode(plain, order="sorted")


def _refuse_non_finite(value: Any, path: str) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DefinitionError(
                "TD-CORE-001",
                f"{value!r} at {path} has no JSON form",
                expected="a finite number or null",
                fix="Write null, or leave the field out.",
                path=path,
            )
    elif isinstance(value, dict):
        for key, each in value.items():
            _refuse_non_finite(each, f"{path}.{key}")
    elif isinstance(value, list):
        for position, each in enumerate(value):
            _refuse_non_finite(each, f"{path}[{position}]")


def digest_bytes(data: bytes) -> str:
    """Return the BLAKE3 digest of `data` as 64 hexadecimal characters.

    >>> digest_bytes(b"")[:16]
    'af1349b9f5f9a1a6'
    """
    return str(blake3(data).hexdigest())


def digest(value: Any) -> str:
    """Return the digest of the canonical JSON of `value`.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return digest_bytes(canonical_json(value))
