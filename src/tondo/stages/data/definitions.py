"""Definitions of sources and derived data sets, read from plain dictionaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from tondo.core.columns import check_type
from tondo.core.errors import DefinitionError, near
from tondo.core.names import check_name
from tondo.stages.data.cleaning import CleaningStep
from tondo.stages.data.csv_faults import delimiter_sign
from tondo.stages.data.database_keys import check_database
from tondo.stages.data.function_columns import FunctionColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
Format = Literal["csv", "parquet", "jsonl"]

_UNKNOWN = re.compile(r"unknown field `(.+?)`")
_AT = re.compile(r" - at `\$\.?(.*)`$")


class SourceDefinition(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Where rows come from, and when each column becomes known."""

    name: str = msgspec.field(name="source")
    path: str | None = None
    """A file, a glob such as `days/*.csv`, `package://name/data/x.csv` for the files of an
    installed package, or an object store's `s3://`, `gs://`, `az://`, `file://` address of an
    object, a glob or a prefix that ends in a slash. None for a source that rows are handed to."""
    url: str | None = None
    """A database as a SQLAlchemy URL, its secrets as `${NAME}` of the environment."""
    table: str | None = None
    """The database's table, with its schema before a dot where it has one."""
    query: str | None = None
    """A SELECT in the database's own SQL, in place of `table`."""
    chunk_rows: int | None = None
    """Read a database in ranges of about so many rows of the first column of `key`, each range
    a file of the snapshot, so that memory stays bounded. None reads it whole."""
    format: Format | None = None
    """None reads it off the suffix: .csv, .csv.gz, .zip of one CSV, .parquet, .jsonl."""
    delimiter: str | None = None
    """What parts the cells of a CSV: one character, or the word `tab`. None: a comma, and a tab
    in a file named .tsv."""
    expanded_mb: int | None = None
    """How much a packed file may unpack to, in MB; None: 4,096 and 200 times its size."""
    columns: dict[str, str] = {}
    """Column types that are declared; the others are inferred (`text_columns.py`)."""
    null_values: tuple[str, ...] = ()
    """Cell texts of a CSV that mean missing, in every column; the empty cell always does."""
    zone: str | None = None
    """Zone of times written without one; None refuses such times (TD-DATA-005)."""
    event_time: str | None = None
    recorded_at: str | None = None
    known_at: dict[str, str] = {}
    """Column to the time column that says when its value became known."""
    key: tuple[str, ...] = ()
    schema: str | None = None
    """A schema's YAML file, which other projects may share: `../shared/flights.schema.yaml`, from
    the project's folder. The file is then the schema, each change of it a version."""
    owner: str = ""
    description: str = ""


class DerivedDefinition(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A data set made from others: by one SELECT or one Python function, cleaned, or both."""

    name: str = msgspec.field(name="dataset")
    inputs: tuple[str, ...]
    """Data sets the SQL may name."""
    sql: str = ""
    python: str = ""
    """`module:function` of the project's folder, in place of `sql`: it takes the inputs as Arrow
    tables in their order and returns one."""
    functions: dict[str, FunctionColumn] = {}
    """Columns that declared Python functions compute from the result, or from the single input
    itself, row by row in a process of their own; outside the promise of equality."""
    clean: tuple[CleaningStep, ...] = ()
    """Steps on the result, or on the single input itself; what they reject is kept in the data
    set `<name>.rejected` with its reason."""
    rowwise: bool = False
    """True when each output row comes from one row of the single input: then each input file is
    computed once, and a commit that adds a file costs only that file."""
    columns: dict[str, str] = {}
    zone: str | None = None
    event_time: str | None = None
    recorded_at: str | None = None
    known_at: dict[str, str] = {}
    key: tuple[str, ...] = ()
    schema: str | None = None
    """A schema's YAML file, as for a source."""
    owner: str = ""
    description: str = ""


Definition = SourceDefinition | DerivedDefinition


def parse_source(data: Mapping[str, Any], *, origin: str = "source") -> SourceDefinition:
    """Read a source; `origin` is the file (and line) that errors name.

    >>> parse_source({"source": "planes", "path": "planes.csv", "key": ["tailnum"]}).key
    ('tailnum',)
    """
    definition = read_definition(data, SourceDefinition, origin=origin)
    check_name(definition.name, "source")
    _check_types(definition.columns, origin)
    if definition.delimiter is not None:
        delimiter_sign(definition.delimiter, where=origin)
    check_database(definition, origin=origin)
    return definition


def parse_derived(data: Mapping[str, Any], *, origin: str = "dataset") -> DerivedDefinition:
    """Read a derived data set (TD-DATA-001, TD-DATA-014)."""
    definition = read_definition(data, DerivedDefinition, origin=origin)
    check_name(definition.name, "dataset")
    _check_types(definition.columns, origin)
    for name, each in definition.functions.items():
        check_type(each.type, where=f"{origin}: functions.{name}")
    _check_making(definition, origin)
    if definition.rowwise and len(definition.inputs) != 1:
        raise DefinitionError(
            "TD-DATA-014",
            f"{origin}: '{definition.name}' is rowwise over {len(definition.inputs)} inputs",
            expected="exactly one input, since each output row comes from one row of it",
            fix="Remove `rowwise`, or join in a data set of its own.",
            dataset=definition.name,
        )
    return definition


def _check_making(definition: DerivedDefinition, origin: str) -> None:
    """Refuse a data set that is made in two ways or none, or rowwise against its steps."""
    ways = [bool(definition.sql), bool(definition.python)]
    carried = not any(ways) and (definition.clean or definition.functions)
    only_cleaned = carried and len(definition.inputs) == 1
    if sum(ways) != 1 and not only_cleaned:
        raise DefinitionError(
            "TD-CLEAN-006",
            f"{origin}: it is not said in one way how '{definition.name}' is made",
            expected="`sql` or `python`, or `clean` or `functions` over exactly one input",
            fix="Keep one; `functions` and `clean` may follow either.",
            dataset=definition.name,
        )
    if definition.rowwise and any(step.deduplicate for step in definition.clean):
        raise DefinitionError(
            "TD-CLEAN-010",
            f"{origin}: '{definition.name}' is rowwise and deduplicates",
            expected="all rows together where duplicates are sought",
            fix="Remove `rowwise`, or deduplicate in a data set of its own.",
            dataset=definition.name,
        )


def read_definition(data: Mapping[str, Any], kind: type[T], *, origin: str) -> T:
    """Return `data` as a `kind`; TD-DATA-001 names `origin`, the key and near keys."""
    try:
        return msgspec.convert(dict(data), kind)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        place = f"{origin}: {at[1]}" if at else origin
        unknown = _UNKNOWN.search(text)
        if unknown:
            what = f"{place}: '{unknown[1]}' is not a key here"
            fix = near(unknown[1], _keys(kind))
        else:
            what = f"{place}: {_AT.sub('', text)}"
            fix = "Correct that key."
        raise DefinitionError("TD-DATA-001", what, fix=fix, origin=origin) from None


def check_columns(definition: Definition, columns: Mapping[str, str]) -> None:
    """Refuse a definition that names a column which the data does not have (TD-DATA-006)."""
    times = time_columns(definition)
    named = [*definition.key, *definition.known_at, *times]
    for name in named:
        if name not in columns:
            raise DefinitionError(
                "TD-DATA-006",
                f"'{definition.name}' names the column '{name}', which its data does not have",
                fix=near(name, columns),
                column=name,
            )
    for name in times:
        if columns[name] != "timestamp":
            raise DefinitionError(
                "TD-DATA-006",
                f"'{definition.name}' takes its time from '{name}', a {columns[name]} column",
                expected="a timestamp column",
                fix=f"Declare it: columns: {{{name}: timestamp}}, or name another column.",
                column=name,
            )


def time_columns(definition: Definition) -> list[str]:
    """Return the columns that the definition takes times from, each once."""
    named = [definition.event_time, definition.recorded_at, *definition.known_at.values()]
    return list(dict.fromkeys(each for each in named if each))


def _check_types(columns: Mapping[str, str], origin: str) -> None:
    for name, type_ in columns.items():
        check_type(type_, where=f"{origin}: columns.{name}")


def _keys(kind: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]
