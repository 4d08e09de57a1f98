"""What the documents of SageMaker's Model Monitor share: types, and reading them as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from tondo.core.columns import BOOL, DOUBLE, ID, STRING
from tondo.core.errors import DataError

TYPES = {ID: "Integral", DOUBLE: "Fractional", STRING: "String", BOOL: "String"}
"""Column type to `inferred_type`; truth values are their texts, all others are Unknown."""
UNKNOWN = "Unknown"
COLUMN_TYPES = {"Integral": ID, "Fractional": DOUBLE, "String": STRING}

Document = dict[str, Any]


def read_document(data: bytes, *, key: str) -> Document:
    """Return a file's JSON object, which must have `key`.

    Errors: TD-EXCHANGE-003 (it is another document).

    >>> read_document(b'{"violations": []}', key="violations")
    {'violations': []}
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(f"it is no JSON: {error}", key) from None
    if not isinstance(found, dict) or not isinstance(found.get(key), list | dict):
        raise _refused(f"it has no `{key}`", key)
    return found


def read_fields(document: Document, kind: Any, *, key: str) -> Any:
    """Return a document as typed values; TD-EXCHANGE-003 names the field of another kind."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error), key) from None


def _refused(why: str, key: str) -> DataError:
    return DataError(
        "TD-EXCHANGE-003",
        f"this is no document of SageMaker's Model Monitor: {why}",
        expected=f"a JSON object with `{key}`, as Model Monitor writes it",
        fix="Check which of its files this is.",
    )
