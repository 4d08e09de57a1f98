"""Verbs on bare files and tables: statistics, schema and check with no project and no ledger.

A path of a CSV, Parquet or JSON-lines file is read as a source would be, times without a zone as
UTC; anything else is taken as a table that Arrow understands (pyarrow, Polars, pandas).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.core.errors import CallerError, DataError
from tondo.stages.data.exchange.converted import Converted
from tondo.workspace import exchange
from tondo.workspace.bootstrap import bare, statistics_sketches

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.ports.engine import FileTable, Profiler
    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.definitions import SourceDefinition
    from tondo.stages.data.distances import Distance
    from tondo.stages.data.movement import Movement
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.sketches import StatisticsSketch
    from tondo.stages.data.statistics import Statistics

_ZONE = "UTC"


class Checked(NamedTuple):
    """What a table looks like beside its schema."""

    anomalies: Anomalies
    distances: list[Distance]
    """Every distance that can be measured; its threshold is None where the schema sets none."""
    schema: Schema
    """What was checked against."""
    left_out: tuple[str, ...] = ()
    """What of a schema or of statistics of another tool was not understood."""


def statistics(data: Any, *, engine: str = "duckdb", delimiter: str | None = None) -> Statistics:
    """Return exact statistics of a file or a table, by the engine `duckdb` or `spark`.

    A Parquet file is read by Spark's own workers; other files are read here and handed to them.
    `delimiter` is what parts the cells of a CSV, such as `;` or `tab`.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DataError: TD-DATA-003 and following when it cannot be read.
    :raises CallerError: TD-SPARK-004 for another engine.
    """
    with bare(engine) as parts:
        return _statistics(data, parts.engine, delimiter=delimiter)


def infer_schema(data: Any, *, name: str | None = None, delimiter: str | None = None) -> Schema:
    """Return the schema that a file or a table satisfies; `name` is the file's by default."""
    from tondo.stages.data.inference import infer_schema as infer

    return infer(statistics(data, delimiter=delimiter), name=name or _name_of(data))


def check_schema(
    data: Any,
    schema: Schema | str | Path,
    *,
    previous: Any = None,
    serving: Any = None,
    reference: Any = None,
    environment: str | None = None,
    delimiter: str | None = None,
) -> Checked:
    """Check a file or a table against a schema, or the file of one.

    A schema's file is tondo's (YAML), tensorflow-metadata's (JSON, text or binary) or SageMaker's.
    Data may also be statistics, or a file of them that another tool wrote (.json, .pb, .pbtxt).

    `previous` is the batch before, for drift; `serving` what was served, for skew; `reference` are
    accepted rows, at least 200, in the order in which they came: the batch is compared with what is
    usual for them. `delimiter` parts the cells of those that are CSV.
    """
    from tondo.stages.data.distances import measure
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.validation import validate

    read = Converted(schema) if isinstance(schema, Schema) else exchange.read_schema(schema)
    wanted, said = read.value, list(read.left_out)
    foreign = not isinstance(schema, Schema) and exchange.writer_of(schema) != "tondo"
    meant = {name: each.type for name, each in wanted.columns.items()}
    with bare() as parts:
        look = _Looking(parts.engine, meant, foreign=foreign, said=said, delimiter=delimiter)
        found = look.at(data)
        before, served = (None if each is None else look.at(each) for each in (previous, serving))
    anomalies = validate(
        found,
        wanted,
        environment=environment,
        previous=before,
        serving=served,
        movements=() if reference is None else _movements(data, reference, delimiter),
    )
    distances = [] if before is None else measure(before, found, wanted, against="drift")
    distances += [] if served is None else measure(served, found, wanted, against="skew")
    return Checked(anomalies, distances, wanted, tuple(said))


def _movements(data: Any, reference: Any, delimiter: str | None) -> list[Movement]:
    from tondo.stages.data.movement import movements
    from tondo.stages.data.reference_profile import LEAST_ROWS, learn_profile

    accepted = _table(reference, delimiter=_of_csv(reference, delimiter))
    profile = learn_profile(accepted, name=_name_of(reference))
    if profile is None:
        raise CallerError(
            "TD-WORKSPACE-022",
            f"the reference has {accepted.num_rows} rows, too few to say what is usual",
            expected=f"{LEAST_ROWS} rows or more",
            fix="Take more accepted rows, or `previous` for the distances of two batches.",
        )
    return movements(_table(data, delimiter=_of_csv(data, delimiter)), profile)


def sketch(data: Any) -> StatisticsSketch:
    """Return statistics of a file or a table that merge with those of other parts.

    Counts are exact; quantiles, distinct and top values have bounds. Needs tondo[sketches].
    """
    from tondo.stages.data.sketches import sketch as sketched

    return sketched(_table(data), sketches=statistics_sketches())


def read_sketch(data: bytes) -> StatisticsSketch:
    """Read back what `StatisticsSketch.to_bytes` wrote (TD-SKETCH-001 when it is not that)."""
    from tondo.stages.data.sketches import read_sketch as read

    return read(data, sketches=statistics_sketches())


def read_schema(path: Path) -> Schema:
    """Read a schema's YAML; TD-DATA-001, -002 and TD-SCHEMA-003, -006, -007 say what is wrong."""
    return exchange.read_own_schema(path)


def write_schema(schema: Schema) -> str:
    """Return a schema as YAML for people to edit."""
    return exchange.write_schema(schema, to="yaml").value.decode()


class _Looking(NamedTuple):
    """Statistics of what is checked, read as the types that its schema means."""

    engine: Profiler
    meant: dict[str, str]
    """Column types of the schema."""
    foreign: bool
    """True for a schema of another tool, where times and truth values may be texts."""
    said: list[str]
    """Takes what of other tools' statistics is not understood."""
    delimiter: str | None
    """Of files that are CSV."""

    def at(self, data: Any) -> Statistics:
        """Return the statistics of a file, a table, or of what are statistics already."""
        from tondo.stages.data.statistics import Statistics

        if isinstance(data, Statistics):
            return data
        if isinstance(data, str | Path) and exchange.holds_statistics(data):
            read = exchange.read_statistics(data)
            self.said.extend(read.left_out)
            return read.value
        delimiter = _of_csv(data, self.delimiter)
        found = _statistics(data, self.engine, delimiter=delimiter)
        declared = {
            name: meant
            for name, meant in self.meant.items()
            if name in found.columns and self._only_declared(found.columns[name].type, meant)
        }
        return self._again(data, declared) or found if declared else found

    def _only_declared(self, inferred: str, meant: str) -> bool:
        """Say whether the type that is meant is one that reading a bare file never infers."""
        if (inferred, meant) in {("double", "id"), ("list<double>", "list<id>")}:
            return True
        return self.foreign and meant == "string" and inferred in {"date", "timestamp", "bool"}

    def _again(self, data: Any, declared: dict[str, str]) -> Statistics | None:
        """Return the statistics by declared types, None when the values are not of them."""
        while declared:
            try:
                delimiter = _of_csv(data, self.delimiter)
                return _profiled(data, self.engine, declared=declared, delimiter=delimiter)
            except DataError as error:
                column = error.fields.get("column")
                declared = {name: each for name, each in declared.items() if name != column}
                if column is None:
                    return None
        return None


def _statistics(data: Any, engine: Profiler, *, delimiter: str | None = None) -> Statistics:
    from tondo.stages.data.statistics import statistics as compute

    if engine.name == "spark" and isinstance(data, str | Path) and _is_parquet(Path(data)):
        return compute(_parquet_files(Path(data)), engine=engine)
    return _profiled(data, engine, delimiter=delimiter)


def _profiled(
    data: Any,
    engine: Profiler,
    *,
    declared: dict[str, str] | None = None,
    delimiter: str | None = None,
) -> Statistics:
    """Return statistics of a table in memory, or of a large Parquet file where it lies."""
    from tondo.stages.data.large_parquet import is_large, open_large
    from tondo.stages.data.statistics import statistics as compute

    if isinstance(data, str | Path) and delimiter is None and is_large(Path(data)):
        path = Path(data).absolute()
        with open_large(_source(path, declared), base=path.parent) as files:
            return compute(files, engine=engine)
    return compute(_table(data, declared, delimiter), engine=engine)


def _is_parquet(path: Path) -> bool:
    return path.suffix == ".parquet" and path.is_file()


def _parquet_files(path: Path) -> FileTable:
    """Return a Parquet file for an engine to read, with the types that reading it here gives."""
    import pyarrow.parquet as pq

    from tondo.ports.engine import FileTable
    from tondo.stages.data.arrow_types import column_types

    return FileTable(paths=(path,), columns=column_types(pq.read_schema(path).empty_table()))


def _of_csv(data: Any, delimiter: str | None) -> str | None:
    """Return the delimiter for a CSV: of several files the others have none."""
    from tondo.stages.data.sources import format_of

    is_file = isinstance(data, str | Path)
    return delimiter if is_file and format_of(Path(data)) == "csv" else None


def _table(
    data: Any, declared: dict[str, str] | None = None, delimiter: str | None = None
) -> pa.Table:
    from tondo.stages.data.conform import conform
    from tondo.stages.data.sources import read_source

    if isinstance(data, str | Path):
        path = Path(data).absolute()
        return read_source(_source(path, declared, delimiter), base=path.parent)
    return conform(arrow_of(data), declared or {}, zone=_ZONE, where=_name_of(data))


def _source(
    path: Path, declared: dict[str, str] | None, delimiter: str | None = None
) -> SourceDefinition:
    from tondo.stages.data.definitions import SourceDefinition

    return SourceDefinition(
        name=_name_of(path),
        path=str(path),
        zone=_ZONE,
        columns=declared or {},
        delimiter=delimiter,
    )


def arrow_of(data: Any) -> pa.Table:
    """Return a table of pyarrow, Polars or pandas as Arrow's (TD-WORKSPACE-021 for others)."""
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    raise CallerError(
        "TD-WORKSPACE-021",
        f"a {type(data).__name__} is no table",
        expected="the path of a file, or a table of pyarrow, Polars or pandas",
    )


def _name_of(data: Any) -> str:
    from tondo.stages.data.file_kinds import shown

    return shown(Path(data)).partition(".")[0] if isinstance(data, str | Path) else "table"
