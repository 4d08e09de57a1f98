"""What tondo says of the cases, in the form of the peer's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.stages.data.distances import measure
from tondo.stages.data.inference import infer_schema, values_of
from tondo.stages.data.schema import Schema, parse_schema
from tondo.stages.data.statistics import Statistics, statistics
from tondo.stages.data.validation import validate

if TYPE_CHECKING:
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics

COLUMN_TYPE = {"INT": "id", "FLOAT": "double", "BYTES": "string", "BOOL": "bool"}
ARROW = {"INT": pa.int64(), "FLOAT": pa.float64(), "BYTES": pa.string(), "BOOL": pa.bool_()}
AS_THEY_ARE = (
    "value_count",
    "domain",
    "shared_domain",
    "min_domain_mass",
    "boolean",
    "true_value",
    "false_value",
    "integer_text",
    "number_text",
    "min",
    "max",
    "unique",
    "drift",
    "skew",
    "in",
    "not_in",
    "stage",
)


class Ours:
    """Answers cases with tondo; `close` it."""

    def __init__(self) -> None:
        self._engine = DuckDBEngine(threads=1)

    def close(self) -> None:
        self._engine.close()

    def answer(self, case: dict[str, Any]) -> dict[str, Any]:
        # Whole numbers are `double` here unless they are declared ids, which have no mean.
        moments = case["family"] == "statistics"
        found = self.statistics(case["table"], whole="FLOAT" if moments else "INT")
        told: dict[str, Any] = {
            "rows": found.rows,
            "columns": {name: of_column(each) for name, each in found.columns.items()},
        }
        if case["family"] == "infer":
            schema = infer_schema(found, name="t")
            told["schema"] = {name: of_inferred(each) for name, each in schema.columns.items()}
        if "schema" in case:
            told |= self._verdict(case, found)
        return told

    def statistics(self, table: dict[str, Any], *, whole: str = "INT") -> Statistics:
        columns = {}
        for name, each in table["columns"].items():
            type_ = whole if each["type"] == "INT" else each["type"]
            columns[name] = array_of({**each, "type": type_})
        return statistics(pa.table(columns), engine=self._engine)

    def _verdict(self, case: dict[str, Any], found: Statistics) -> dict[str, Any]:
        schema = schema_of(case["schema"])
        others = {
            name: self.statistics(case[name])
            for name in ("previous", "serving", "previous_version")
            if case.get(name)
        }
        anomalies = validate(found, schema, environment=case.get("environment"), **others)
        told = [
            [each.column, "data_missing" if each.kind == "no_rows" else each.tfdv]
            for each in anomalies
        ]
        return {
            "anomalies": sorted(told, key=str),
            "distances": sorted(
                [each.column, each.measure, each.against, each.value, each.threshold]
                for against, name in (("drift", "previous"), ("skew", "serving"))
                if name in others
                for each in measure(others[name], found, schema, against=against)
                if each.threshold is not None
            ),
        }


def array_of(column: dict[str, Any]) -> pa.Array:
    values = column["values"]
    if column["type"] == "FLOAT":
        values = [_floats(each) for each in values]
    type_ = ARROW[column["type"]]
    return pa.array(values, type=pa.list_(type_) if column["list"] else type_)


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return None if value is None else float(value)


def of_column(column: ColumnStatistics) -> dict[str, Any]:
    """Return the statistics under their names; NaN is a value there and is none here."""
    values = values_of(column)
    sizes = column.valency
    told: dict[str, Any] = {
        "type": values.type,
        "present": column.rows - column.missing,
        "missing": column.missing,
        "sizes": None if sizes is None else [sizes.min or 0, sizes.max or 0, sizes.total or 0],
        "nan": values.nan,
        "infinite": values.infinite,
    }
    if values.type == "string":
        length = values.length
        told |= {
            "unique": values.distinct,
            "avg_length": None if length is None else length.mean,
            "top": [list(each) for each in values.top[:20]],
        }
    elif values.type == "bool":
        told["num_zeros"] = sum(count for value, count in values.top if not value)
    else:
        told |= {"mean": values.mean, "std_dev": values.sd, "num_zeros": values.zeros}
        told |= {"min": values.min, "max": values.max, "median": values.quantiles.get("0.50")}
        told["standard"] = [list(each) for each in values.histogram]
        told["quantiles"] = bounds_of(values)
    return told


def bounds_of(values: ColumnStatistics) -> list[float]:
    """Return the ends of the buckets of equal count, the first one's low end first."""
    buckets = values.quantile_histogram
    return [low for low, _, _ in buckets[:1]] + [high for _, high, _ in buckets]


def of_inferred(column: ColumnSchema) -> dict[str, Any]:
    count = column.value_count
    kinds = {
        "bool_domain": column.boolean or column.type == "bool",
        "int_domain": column.integer_text,
        "domain": column.domain is not None,
    }
    return {
        "type": column.type,
        "min_count": column.presence.min_count,
        "min_fraction": column.presence.min_fraction,
        "value_count": None if count is None else [count.min or 0, count.max or 0],
        "domain_kind": next((kind for kind, holds in kinds.items() if holds), None),
        "domain": None if column.domain is None else list(column.domain),
    }


def schema_of(body: dict[str, Any]) -> Schema:
    document: dict[str, Any] = {
        "schema": "t",
        "columns": {name: column_of(each) for name, each in body["columns"].items()},
    }
    if "default_environments" in body:
        document["environments"] = body["default_environments"]
        document["default_environments"] = body["default_environments"]
    for name in ("min_rows", "max_rows", "rows_against_previous", "rows_against_version"):
        if name in body:
            document[name] = body[name]
    if body.get("domains"):
        document["domains"] = body["domains"]
    return parse_schema(document)


def column_of(column: dict[str, Any]) -> dict[str, Any]:
    type_ = COLUMN_TYPE[column["type"]]
    found = {name: column[name] for name in AS_THEY_ARE if name in column}
    if type_ == "bool":
        found.pop("boolean", None)
    presence = {name: column[name] for name in ("min_count", "min_fraction") if name in column}
    return found | {
        "type": f"list<{type_}>" if column["list"] else type_,
        "presence": presence,
        "allow_nan": not column.get("disallow_nan", False),
        "allow_infinite": not column.get("disallow_inf", False),
    }
