"""Verbs on bare files and tables: statistics, schema and check with no project and no ledger.

A path of a CSV, Parquet or JSON-lines file is read as a source would be, times without a zone as
UTC; anything else is taken as a table that Arrow understands (pyarrow, Polars, pandas).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.errors import CallerError, DefinitionError, NotFoundError
from tondo.workspace.bootstrap import bare

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.ports.engine import Engine
    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.distances import Distance
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.statistics import Statistics

_ZONE = "UTC"


class Checked(NamedTuple):
    """What a table looks like beside its schema."""

    anomalies: Anomalies
    distances: list[Distance]
    """Every distance that can be measured; its threshold is None where the schema sets none."""


def statistics(data: Any) -> Statistics:
    """Return exact statistics of a file or a table.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DataError: TD-DATA-003 and following when it cannot be read.
    """
    with bare() as parts:
        return _statistics(data, parts.engine)


def infer_schema(data: Any, *, name: str | None = None) -> Schema:
    """Return the schema that a file or a table satisfies; `name` is the file's by default."""
    from tondo.stages.data.inference import infer_schema as infer

    return infer(statistics(data), name=name or _name_of(data))


def check_schema(
    data: Any,
    schema: Schema | str | Path,
    *,
    previous: Any = None,
    serving: Any = None,
    environment: str | None = None,
) -> Checked:
    """Check a file or a table against a schema, or the file of one (YAML).

    `previous` is the batch before, for drift; `serving` what was served, for skew.
    """
    from tondo.stages.data.distances import measure
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.validation import validate

    wanted = schema if isinstance(schema, Schema) else read_schema(Path(schema))
    with bare() as parts:
        found = _statistics(data, parts.engine)
        before = None if previous is None else _statistics(previous, parts.engine)
        served = None if serving is None else _statistics(serving, parts.engine)
    anomalies = validate(found, wanted, environment=environment, previous=before, serving=served)
    distances = [] if before is None else measure(before, found, wanted, against="drift")
    distances += [] if served is None else measure(served, found, wanted, against="skew")
    return Checked(anomalies, distances)


def read_schema(path: Path) -> Schema:
    """Read a schema's YAML; TD-DATA-001, -002 and TD-SCHEMA-003, -006, -007 say what is wrong."""
    import yaml

    from tondo.stages.data.schema import parse_schema

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError(
            "TD-DATA-002",
            f"the schema {path} cannot be read: {error.strerror}",
            expected="a file that `tondo schema infer FILE --out SCHEMA` wrote",
            path=str(path),
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError("TD-DATA-001", f"{path} is no YAML: {error}") from None
    if not isinstance(document, dict):
        raise DefinitionError(
            "TD-DATA-001", f"{path} holds no schema", expected="a mapping with `schema:`"
        )
    return parse_schema(document, origin=str(path))


def write_schema(schema: Schema) -> str:
    """Return a schema as YAML for people to edit."""
    import yaml

    from tondo.stages.data.schema import to_document

    document = msgspec.to_builtins(to_document(schema))
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text


def _statistics(data: Any, engine: Engine) -> Statistics:
    from tondo.stages.data.statistics import statistics as compute

    return compute(_table(data), engine=engine)


def _table(data: Any) -> pa.Table:
    from tondo.stages.data.conform import conform
    from tondo.stages.data.definitions import SourceDefinition
    from tondo.stages.data.sources import read_source

    if isinstance(data, str | Path):
        path = Path(data).absolute()
        source = SourceDefinition(name=_name_of(data), path=str(path), zone=_ZONE)
        return read_source(source, base=path.parent)
    return conform(_arrow(data), {}, zone=_ZONE, where=_name_of(data))


def _arrow(data: Any) -> pa.Table:
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
    return Path(data).name.partition(".")[0] if isinstance(data, str | Path) else "table"
