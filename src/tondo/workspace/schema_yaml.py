"""A schema as YAML for people to read and edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError

if TYPE_CHECKING:
    from pathlib import Path

    from tondo.stages.data.schema import Schema


def read_yaml(data: bytes, path: Path) -> Schema:
    """Return the schema that a file's bytes hold; `path` is named by errors.

    Errors: TD-DATA-001 (no schema's form), TD-SCHEMA-003, -006, -007 (it cannot be meant).
    """
    import yaml

    from tondo.stages.data.schema import parse_schema

    try:
        document = yaml.safe_load(data.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError("TD-DATA-001", f"{path} is no YAML: {error}") from None
    if not isinstance(document, dict):
        raise DefinitionError(
            "TD-DATA-001", f"{path} holds no schema", expected="a mapping with `schema:`"
        )
    return parse_schema(document, origin=str(path))


def write_yaml(schema: Schema) -> bytes:
    """Return a schema as a file's bytes."""
    import yaml

    from tondo.stages.data.schema import to_document

    document = msgspec.to_builtins(to_document(schema))
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
