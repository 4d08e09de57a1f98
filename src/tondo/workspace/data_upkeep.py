"""The pages on which people look after a dataset: its schema and its tracked anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.data.constraints import ColumnSchema
from tondo.stages.data.schema import Schema
from tondo.stages.data.tracked_items import TrackedAnomaly
from tondo.workspace.data_pages import (
    Found,
    VersionFacts,
    commit_of,
    part_of,
    schema_of,
    versions_of,
)
from tondo.workspace.data_pages import version_facts as facts
from tondo.workspace.verbs.schemas import SchemaEdit, SchemaLogEntry

if TYPE_CHECKING:
    from tondo.workspace.facade import Workspace

_EXAMPLE_ROWS = 5
_COLUMNS_EDITED = 1000
"""The text of so many columns is about 100 KB, and takes half a second to write."""


class SchemaPage(msgspec.Struct, frozen=True, kw_only=True):
    """The schema of a dataset and its versions."""

    version: VersionFacts
    schema: Schema | None
    columns: list[tuple[str, ColumnSchema, str, list[str]]]
    """Name, column, constraints in words and environments, of the part that is shown."""
    part: Found
    log: list[SchemaLogEntry]
    """Each version with what it changed, the newest first."""
    text: str | None
    """The schema as YAML, for people to edit; None of more columns than a page has room for."""
    base: str
    """The id of the schema version that `text` is; empty when there is none."""
    file: str
    """The file that the schema lives in and that saving writes; empty when it lives in none."""


class AnomalyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tracked anomaly and what accepting it changes."""

    tracked: TrackedAnomaly
    patch: list[str]
    """Lines of the schema's difference; of one that is not open, the patch as it was."""
    has_rows: bool
    """True where single rows can be told to have it."""


class AnomaliesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The tracked anomalies of a dataset: open ones first, errors before warnings."""

    version: VersionFacts
    anomalies: list[AnomalyRow]
    file: str
    """The file that the schema lives in and that accepting writes; empty when it lives in none."""
    rows_of: str
    """The id of the anomaly whose rows are shown; empty when of none."""
    rows: list[dict[str, Any]]


def schema_page(
    workspace: Workspace, dataset: str, *, search: str = "", page: int = 1
) -> SchemaPage:
    """Return the present schema of a dataset in words and as text, and its versions."""
    from tondo.stages.data.constraints import describe

    commit = commit_of(workspace, dataset, "")
    schema = schema_of(workspace, dataset)
    log = workspace.schemas.log(dataset) if schema else []
    columns = schema.columns if schema else {}
    names, part = part_of(list(columns), search, page)
    return SchemaPage(
        version=facts(workspace, commit, versions_of(workspace, dataset)),
        schema=schema,
        columns=[
            (name, columns[name], describe(columns[name]), _belongs_to(schema, name))
            for name in names
        ],
        part=part,
        log=log,
        text=_text(schema),
        base=log[0].id if log else "",
        file=_file(workspace, dataset),
    )


def _text(schema: Schema | None) -> str | None:
    from tondo.workspace.bare import write_schema

    if schema is None:
        return ""
    return write_schema(schema) if len(schema.columns) <= _COLUMNS_EDITED else None


def _belongs_to(schema: Schema | None, column: str) -> list[str]:
    if schema is None:
        return []
    return [each for each in schema.environments if schema.expects(column, each)]


def save_schema_text(
    workspace: Workspace, dataset: str, text: str, *, base: str, by: str = "", why: str
) -> SchemaEdit:
    """Make a schema that a person wrote as YAML the one in force; a file it lives in is written.

    `base` is the version that was edited. Errors: TD-UI-001 (no reason), TD-UI-002 (somebody
    changed the schema meanwhile), TD-DATA-001 (no YAML, or not a schema's form), TD-SCHEMA-003,
    -006 and -007 (it cannot be meant).
    """
    from tondo.core.errors import CallerError, ConflictError

    if not why.strip():
        raise CallerError(
            "TD-UI-001",
            "the change has no reason",
            expected="a few words that say why, for those who read the history",
            fix="Fill in the reason, and save again.",
        )
    log = workspace.schemas.log(dataset) if schema_of(workspace, dataset) else []
    if base != (log[0].id if log else ""):
        raise ConflictError(
            "TD-UI-002",
            f"the schema of '{dataset}' was changed by {log[0].by if log else 'somebody'} while"
            " it was edited here",
            expected="an edit of its newest version",
            fix="Open the page again in another window, and bring your change into the new text.",
            dataset=dataset,
        )
    return workspace.schemas.replace(
        dataset,
        _document(text, dataset),
        by=by,
        why=why.strip(),
        to_file=bool(_file(workspace, dataset)),
    )


def accept_patch(workspace: Workspace, anomaly_id: str, *, why: str) -> TrackedAnomaly:
    """Accept the patch of a tracked anomaly; a file that the schema lives in is written.

    Errors as `workspace.data.accept_anomaly`.
    """
    tracked = workspace.data.anomaly(anomaly_id)
    to_file = bool(_file(workspace, tracked.dataset))
    return workspace.data.accept_anomaly(tracked.id, why=why, to_file=to_file)


def _file(workspace: Workspace, dataset: str) -> str:
    from tondo.workspace.schemas import schema_file

    path = schema_file(dataset, workspace.parts)
    return "" if path is None else path.name


def _document(text: str, dataset: str) -> dict[str, Any]:
    import yaml

    from tondo.core.errors import DefinitionError

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DefinitionError(
            "TD-DATA-001", f"the schema of {dataset} is no YAML: {error}", expected="YAML"
        ) from None
    if not isinstance(document, dict):
        raise DefinitionError(
            "TD-DATA-001",
            f"the text holds no schema of {dataset}",
            expected="a mapping with `schema:` and `columns:`",
        )
    return document


def anomalies_page(workspace: Workspace, dataset: str, *, rows_of: str = "") -> AnomaliesPage:
    """Return the tracked anomalies of a dataset, with example rows of the one asked for."""
    commit = commit_of(workspace, dataset, "")
    schema = schema_of(workspace, dataset)
    found = sorted(
        workspace.data.anomalies(dataset=dataset),
        key=lambda each: (each.state != "open", each.severity != "error", -each.last_seen_us),
    )
    asked = next((each for each in found if each.id == rows_of), None)
    return AnomaliesPage(
        version=facts(workspace, commit, versions_of(workspace, dataset)),
        anomalies=[
            AnomalyRow(
                tracked=each,
                patch=_patch(each, schema),
                has_rows=each.state == "open" and bool(_condition(each, schema)),
            )
            for each in found
        ],
        file=_file(workspace, dataset),
        rows_of=asked.id if asked else "",
        rows=_example_rows(workspace, asked, schema) if asked else [],
    )


def _patch(tracked: TrackedAnomaly, schema: Schema | None) -> list[str]:
    from tondo.stages.data.schema_diff import schema_diff
    from tondo.stages.data.validation import apply_changes

    if tracked.state == "open" and schema is not None:
        lines = schema_diff(schema, apply_changes(schema, tracked.patch))
        if lines:
            return lines
    return [str(each) for each in tracked.patch]


def _example_rows(
    workspace: Workspace, tracked: TrackedAnomaly, schema: Schema | None
) -> list[dict[str, Any]]:
    """Return a few rows of the snapshot in which it was seen last, its own column first."""
    condition = _condition(tracked, schema)
    if not condition:
        return []
    table = workspace.data.table(tracked.last_snapshot)
    found = workspace.parts.engine.query(
        f"select * from batch where {condition} limit {_EXAMPLE_ROWS}",  # noqa: S608 - quoted
        {"batch": table},
    )
    own = str(tracked.column)
    return [{own: row.pop(own), **row} for row in found.to_pylist()]


def _condition(tracked: TrackedAnomaly, schema: Schema | None) -> str:
    """Return the SQL condition that holds for the rows with an anomaly; empty when none tells."""
    column = schema.columns.get(tracked.column or "") if schema else None
    if schema is None or column is None or column.type.startswith("list"):
        return ""
    name = '"' + str(tracked.column).replace('"', '""') + '"'
    if tracked.kind in {"not_present", "fraction_present", "count_present"}:
        return f"{name} is null"
    if tracked.kind == "domain" and column.type == "string":
        allowed = schema.domains.get(column.shared_domain or "", column.domain or ())
        listed = ", ".join("'" + each.replace("'", "''") + "'" for each in allowed)
        return f"{name} is not null" + (f" and {name} not in ({listed})" if listed else "")
    if column.type not in {"double", "id"}:
        return ""
    # In DuckDB NaN is greater than every number.
    beyond = {
        "nan": f"isnan(cast({name} as double))",
        "infinite": f"isinf(cast({name} as double))",
        "min_value": f"{name} < {column.min}" if column.min is not None else "",
        "max_value": f"{name} > {column.max} and not isnan(cast({name} as double))"
        if column.max is not None
        else "",
    }
    return beyond.get(tracked.kind, "")
