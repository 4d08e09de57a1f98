"""An airport: an entity, two sources and two views over them, for tests of features."""

import pyarrow as pa

from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.features.definitions import EntityDefinition, FeatureViewDefinition

HOUR_US = 3_600_000_000
TIME = pa.timestamp("us", tz="UTC")
ORIGIN = EntityDefinition(
    entity="origin", key="origin", type="string", owner="ops", description="An airport."
)
LANDINGS = SourceDefinition(
    name="landings",
    columns={
        "flight": "id",
        "origin": "string",
        "landed_at": "timestamp",
        "recorded_at": "timestamp",
        "delay": "double",
    },
    event_time="landed_at",
    recorded_at="recorded_at",
    key=("flight",),
)
WEATHER = SourceDefinition(
    name="weather",
    columns={"origin": "string", "hour": "timestamp", "wind": "double", "sky": "string"},
    event_time="hour",
    key=("origin", "hour"),
)


def delays_view(**changes):
    fields = {
        "view": "delays",
        "entity": "origin",
        "source": "landings",
        "owner": "ops",
        "description": "Delays of flights landed at an airport.",
        "freshness": "1h",
        "arrival": "pushed",
        "features": {
            "mean_3h": "avg(delay) over 3h",
            "landed_3h": "count(*) over 3h",
            "worst_1h": "max(delay) over 1h",
            "spread_3h": "stddev(delay) over 3h",
            "last_3h": "last(delay) over 3h",
            "known_3h": "count(delay) over 3h",
        },
    }
    return FeatureViewDefinition(**{**fields, **changes})


def weather_view(**changes):
    fields = {
        "view": "weather",
        "entity": "origin",
        "source": "weather",
        "owner": "ops",
        "description": "Weather at an airport.",
        "freshness": "2h",
        "arrival": "pushed",
        "features": {"wind": "wind", "windy": "wind > 20", "sky": "upper(sky)"},
    }
    return FeatureViewDefinition(**{**fields, **changes})


def rows_table(source, rows):
    types = {"string": pa.string(), "timestamp": TIME, "double": pa.float64(), "id": pa.int64()}
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], types[type_])
            for name, type_ in source.columns.items()
        }
    )
