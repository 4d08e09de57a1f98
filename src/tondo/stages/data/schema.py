"""The schema: what a batch of a data set must look like. Owned by people, inferred once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.canonical import digest
from tondo.core.columns import check_type
from tondo.core.errors import CallerError, DefinitionError, near
from tondo.stages.data import display
from tondo.stages.data.definitions import read_definition

if TYPE_CHECKING:
    from collections.abc import Mapping

Severity = Literal["error", "warning", "off"]
Stage = Literal["planned", "alpha", "beta", "production", "deprecated", "debug_only", "disabled"]
UNCHECKED_STAGES = ("planned", "alpha", "deprecated", "debug_only", "disabled")
NUMERIC = ("double", "id")


class Presence(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How often a column must have a value (null and NaN are none)."""

    min_count: int = 0
    min_fraction: float | None = None
    """Share of the rows, 0 to 1; meeting it exactly passes."""


class ColumnSchema(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What one column must look like."""

    type: str
    presence: Presence = Presence()
    domain: tuple[str, ...] | None = None
    """The texts that may occur; None allows any."""
    min_domain_mass: float = 1.0
    """Share of the present values that must lie in the domain."""
    boolean: bool = False
    """Numbers are 0 or 1; texts are one word for true and one for false."""
    min: float | None = None
    max: float | None = None
    allow_infinite: bool = False
    not_in: tuple[str, ...] = ()
    """Environments in which the column is not expected."""
    stage: Stage = "production"
    """Planned, alpha, deprecated, debug_only and disabled columns are not checked."""
    description: str = ""

    def expected_in(self, environment: str | None) -> bool:
        """Say whether the column belongs to an environment; None means all belong."""
        return environment is None or environment not in self.not_in


class Schema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a batch must look like: its columns, its size."""

    name: str = msgspec.field(name="schema")
    columns: dict[str, ColumnSchema]
    min_rows: int = 1
    """0 accepts an empty batch."""
    max_rows: int | None = None
    environments: tuple[str, ...] = ("TRAINING", "SERVING")
    severities: dict[str, Severity] = {}
    """Kind of anomaly to its severity, where it is not the usual one."""

    @property
    def id(self) -> str:
        """The digest of the content."""
        return digest(self)

    def __repr__(self) -> str:
        lines = [f"Schema of {self.name}: {len(self.columns)} columns, min_rows {self.min_rows}"]
        width = max((len(name) for name in self.columns), default=0)
        for name, column in self.columns.items():
            lines.append(f"{name.ljust(width)}  {column.type.ljust(9)}  {_rules(column)}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [[name, each.type, _rules(each)] for name, each in self.columns.items()]
        return display.table(["column", "type", "must"], rows, caption=f"schema of {self.name}")


def to_document(schema: Schema) -> dict[str, Any]:
    """Return the schema as a plain dictionary for YAML, without what is at its default."""
    found: dict[str, Any] = msgspec.to_builtins(schema)
    for name, usual in (("max_rows", None), ("severities", {})):
        if found[name] == usual:
            del found[name]
    return found


def parse_schema(data: Mapping[str, Any], *, origin: str = "schema") -> Schema:
    """Read what `to_document` wrote or a person edited (TD-DATA-001, TD-SCHEMA-003)."""
    return check_schema(read_definition(data, Schema, origin=origin))


def check_schema(schema: Schema) -> Schema:
    """Return the schema when it can be meant, else raise TD-SCHEMA-003 naming the column."""
    if schema.max_rows is not None and schema.min_rows > schema.max_rows:
        raise DefinitionError(
            "TD-SCHEMA-003",
            f"schema of {schema.name}: min_rows {schema.min_rows} is above max_rows "
            f"{schema.max_rows}",
            fix="Correct the schema; the data was not looked at.",
        )
    for name, column in schema.columns.items():
        check_type(column.type, where=f"schema column '{name}'")
        for what, holds in _faults(column, schema.environments).items():
            if holds:
                raise DefinitionError(
                    "TD-SCHEMA-003",
                    f"schema of {schema.name}, column '{name}': {what}",
                    fix="Correct the schema; the data was not looked at.",
                    column=name,
                )
    return schema


def _faults(column: ColumnSchema, environments: tuple[str, ...]) -> dict[str, bool]:
    fraction = column.presence.min_fraction
    unknown = [each for each in column.not_in if each not in environments]
    ranged = column.min is not None or column.max is not None
    return {
        f"min_fraction {fraction} is not between 0 and 1": fraction is not None
        and not 0 <= fraction <= 1,
        f"min_domain_mass {column.min_domain_mass} is not between 0 and 1": not (
            0 <= column.min_domain_mass <= 1
        ),
        "min_count is below 0": column.presence.min_count < 0,
        f"a domain is for text, not for {column.type}": column.domain is not None
        and column.type != "string",
        "the domain lists a value twice": column.domain is not None
        and len(set(column.domain)) < len(column.domain),
        f"a range is for numbers, not for {column.type}": ranged and column.type not in NUMERIC,
        f"min {column.min} is above max {column.max}": column.min is not None
        and column.max is not None
        and column.min > column.max,
        f"the schema has no environment {', '.join(unknown)}": bool(unknown),
    }


def check_environment(schema: Schema, environment: str | None) -> None:
    """Refuse an environment that the schema does not know (TD-SCHEMA-004)."""
    if environment is not None and environment not in schema.environments:
        raise CallerError(
            "TD-SCHEMA-004",
            f"the schema of {schema.name} has no environment '{environment}'",
            fix=near(environment, schema.environments),
            environment=environment,
        )


def _rules(column: ColumnSchema) -> str:
    """Return the constraints of a column as a short text."""
    parts = []
    if column.presence.min_fraction is not None:
        parts.append(f"present in {column.presence.min_fraction:.4g} of rows")
    elif column.presence.min_count:
        parts.append(f"present in {column.presence.min_count} rows")
    if column.domain is not None:
        shown = ", ".join(column.domain[:5]) + (", ..." if len(column.domain) > 5 else "")
        parts.append(f"one of {len(column.domain)}: {shown}")
    if column.boolean:
        parts.append("boolean")
    if column.min is not None or column.max is not None:
        parts.append(f"from {column.min} to {column.max}")
    if column.not_in:
        parts.append("not in " + ", ".join(column.not_in))
    if column.stage != "production":
        parts.append(column.stage)
    return "; ".join(parts)
