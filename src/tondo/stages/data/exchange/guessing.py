"""Whose schema, statistics or anomalies a file holds, told by what is in it."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

Writer = Literal["tondo", "tensorflow", "sagemaker"]
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_OURS = re.compile(r"^(schema|columns)[ \t]*:", re.MULTILINE)
# A field of the text form: its name, then a block or a value.
_TEXT_FORM = re.compile(
    r"^(feature|sparse_feature|weighted_feature|string_domain|int_domain|float_domain|annotation"
    r"|dataset_constraints|tensor_representation_group)\s*:?\s*[{<]"
    r"|^(default_environment|represent_variable_length_as_ragged)\s*:",
    re.MULTILINE,
)
_SAGEMAKER = ("features", "dataset", "violations")
_TENSORFLOW = (
    "feature",
    "string_domain",
    "stringDomain",
    "default_environment",
    "defaultEnvironment",
    "dataset_constraints",
    "datasetConstraints",
    "datasets",
)


def writer_of_schema(data: bytes) -> Writer:
    """Return whose schema the bytes are; what looks like nobody else's is ours.

    >>> writer_of_schema(b"schema: days"), writer_of_schema(b'feature { name: "x" type: INT }')
    ('tondo', 'tensorflow')
    >>> writer_of_schema(b'{"version": 0, "features": []}')
    'sagemaker'
    """
    text = _text(data)
    if text is None:
        return "tensorflow"
    document = _object(text)
    if document is not None:
        if any(key in document for key in _SAGEMAKER):
            return "sagemaker"
        return "tensorflow" if any(key in document for key in _TENSORFLOW) else "tondo"
    return "tensorflow" if _TEXT_FORM.search(text) and not _OURS.search(text) else "tondo"


def writer_of_message(data: bytes) -> Writer:
    """Return whose statistics or anomalies the bytes are.

    >>> writer_of_message(b'{"violations": []}'), writer_of_message(b"datasets { num_examples: 3 }")
    ('sagemaker', 'tensorflow')
    """
    text = _text(data)
    document = None if text is None else _object(text)
    known = document is not None and any(key in document for key in _SAGEMAKER)
    return "sagemaker" if known else "tensorflow"


def _text(data: bytes) -> str | None:
    """Return the text, None for what is none and so a binary message."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text.lstrip("\ufeff"))
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
