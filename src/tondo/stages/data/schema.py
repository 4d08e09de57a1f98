"""The schema: what a batch of a data set must look like. Owned by people, inferred once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, near
from tondo.stages.data import display
from tondo.stages.data.constraints import (
    NUMERIC,
    UNCHECKED_STAGES,
    ColumnSchema,
    Comparator,
    Presence,
    RowsComparator,
    Unique,
    ValueCount,
    describe,
)
from tondo.stages.data.definitions import read_definition
from tondo.stages.data.schema_faults import refuse_faults
from tondo.stages.data.time_bounds import read_times, write_times

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NUMERIC",
    "UNCHECKED_STAGES",
    "ColumnSchema",
    "Comparator",
    "Presence",
    "RowsComparator",
    "Schema",
    "Unique",
    "ValueCount",
    "check_environment",
    "check_schema",
    "parse_schema",
    "to_document",
]

Severity = Literal["error", "warning", "off"]
# Schemas that were stored before these keys existed keep their ids.
_LEFT_OUT_AT_DEFAULT = (
    "domains",
    "default_environments",
    "rows_against_previous",
    "rows_against_version",
)


class Schema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a batch must look like: its columns, its size."""

    name: str = msgspec.field(name="schema")
    columns: dict[str, ColumnSchema]
    min_rows: int = 1
    """0 accepts an empty batch."""
    max_rows: int | None = None
    environments: tuple[str, ...] = ("TRAINING", "SERVING")
    """Every environment that there is."""
    severities: dict[str, Severity] = {}
    """Kind of anomaly to its severity, where it is not the usual one."""
    default_environments: tuple[str, ...] | None = None
    """Where a column belongs that says nothing itself; None means to all environments."""
    domains: dict[str, tuple[str, ...]] = {}
    """Lists of texts that columns share by name."""
    rows_against_previous: RowsComparator | None = None
    """Rows divided by those of the previous batch."""
    rows_against_version: RowsComparator | None = None
    """Rows divided by those of the previous version of the same batch."""

    @property
    def id(self) -> str:
        """The digest of the content; equal schemas have equal ids."""
        body = _plain(msgspec.to_builtins(self))
        usual = msgspec.structs.asdict(Schema(name="", columns={}))
        for name in _LEFT_OUT_AT_DEFAULT:
            if getattr(self, name) == usual[name]:
                del body[name]
        columns = {name: _identity(column) for name, column in self.columns.items()}
        return digest({**body, "columns": columns})

    def expects(self, column: str, environment: str | None) -> bool:
        """Say whether a column of the schema belongs to an environment; None means all belong."""
        defaults = self.default_environments
        return self.columns[column].expected_in(environment, defaults=defaults)

    def __repr__(self) -> str:
        lines = [f"Schema of {self.name}: {len(self.columns)} columns, min_rows {self.min_rows}"]
        width = max((len(name) for name in self.columns), default=0)
        for name, column in self.columns.items():
            lines.append(
                f"{name.ljust(width)}  {column.type.ljust(9)}  {describe(column)}".rstrip()
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [[name, each.type, describe(each)] for name, each in self.columns.items()]
        return display.table(["column", "type", "must"], rows, caption=f"schema of {self.name}")


def to_document(schema: Schema) -> dict[str, Any]:
    """Return the schema as plain dictionaries and lists for YAML, without what is usual.

    >>> to_document(Schema(name="t", columns={"x": ColumnSchema(type="id", max=9)}))["columns"]
    {'x': {'type': 'id', 'max': 9}}
    """
    found: dict[str, Any] = _plain(msgspec.to_builtins(schema))
    found["columns"] = {name: _column_document(each) for name, each in schema.columns.items()}
    usual = msgspec.structs.asdict(Schema(name="", columns={}))
    for name in ("max_rows", "severities", *_LEFT_OUT_AT_DEFAULT):
        if getattr(schema, name) == usual[name]:
            del found[name]
    return write_times(found)


def _column_document(column: ColumnSchema) -> dict[str, Any]:
    """Return what is not at its default, by value: msgspec leaves out the very same object only."""
    usual = ColumnSchema(type="")
    written: dict[str, Any] = _plain(msgspec.to_builtins(column))
    # Not `msgspec.structs.fields`, which resolves the annotations anew for each of many columns.
    names = zip(ColumnSchema.__struct_fields__, ColumnSchema.__struct_encode_fields__, strict=True)
    for name, written_as in names:
        if getattr(column, name) == getattr(usual, name):
            written.pop(written_as, None)
    return written


def _identity(column: ColumnSchema) -> dict[str, Any]:
    """Return the document with 5 and 5.0 as one number, as far as doubles are exact."""
    written = _column_document(column)
    for end in ("min", "max"):
        if end in written and float(written[end]) == written[end]:
            written[end] = float(written[end])
    return written


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def parse_schema(data: Mapping[str, Any], *, origin: str = "schema") -> Schema:
    """Read what `to_document` wrote or a person edited.

    Errors: TD-DATA-001 (not a schema's form), TD-CORE-005 (no such type), TD-SCHEMA-003, -006 and
    -007 (it cannot be meant).
    """
    return check_schema(
        read_definition(read_times(dict(data), origin=origin), Schema, origin=origin)
    )


def check_schema(schema: Schema) -> Schema:
    """Return the schema when it can be meant, else raise TD-SCHEMA-003, -006 or -007."""
    refuse_faults(schema)
    return schema


def check_environment(schema: Schema, environment: str | None) -> None:
    """Refuse an environment that the schema does not know (TD-SCHEMA-004)."""
    if environment is not None and environment not in schema.environments:
        raise CallerError(
            "TD-SCHEMA-004",
            f"the schema of {schema.name} has no environment '{environment}'",
            fix=near(environment, schema.environments),
            environment=environment,
        )
