"""Vectors computed afterwards are those that were served."""

import pyarrow as pa

from airport import HOUR_US, LANDINGS, ORIGIN, TIME, delays_view, rows_table
from tondo.language.rows import compile_rows
from tondo.scoring.reader import FeatureReader
from tondo.stages.features.push import push
from tondo.stages.features.recompute import recompute_vectors
from tondo.stages.features.resolve import resolve_features
from tondo.stages.features.views import check_view, layout_of

VIEW = check_view(delays_view(), entity=ORIGIN, source=LANDINGS)
COLUMNS = {"origin": "string", "distance": "double", "at": "timestamp"}
FEATURES = {
    "late": "coalesce(@delays.mean_3h, 0) / nullif(distance, 0)",
    "busy": "@delays.landed_3h > 1",
    "far": "ln(distance)",
}


def test_served_and_recomputed_vectors_are_equal(online, eventlog, clock, engine):
    resolved = resolve_features(
        FEATURES, columns=COLUMNS, views={"delays": VIEW}, known_at={}, time="at"
    )
    landings = [
        {
            "flight": flight,
            "origin": "JFK",
            "landed_at": hour * HOUR_US,
            "recorded_at": hour * HOUR_US,
            "delay": flight / 3,
        }
        for flight, hour in enumerate((8, 9, 10, 10, 11))
    ]
    push(VIEW, landings, online=online, eventlog=eventlog, clock=clock)
    reader = FeatureReader(online, {"delays": layout_of(VIEW)})
    plan, compute = reader.plan(resolved.view_features), compile_rows(resolved.features)
    asked = [("JFK", 700.0, 11), ("LGA", 0.0, 11), ("JFK", 3.0, 12), (None, None, 9)]
    served = []
    for origin, distance, hour in asked:
        row = {"origin": origin, "distance": distance}
        reader.fetch([row], plan, hour * HOUR_US)
        served.append(compute(row))
    logged = pa.table(
        {
            "origin": [each[0] for each in asked],
            "distance": [each[1] for each in asked],
            "as_of": pa.array([each[2] * HOUR_US for each in asked], TIME),
        }
    )
    again = recompute_vectors(
        logged,
        time="as_of",
        features=resolved.features,
        view_features=resolved.view_features,
        views={"delays": (VIEW, rows_table(LANDINGS, landings))},
        engine=engine,
    )
    assert [list(row.values()) for row in again.to_pylist()] == served
