"""A batch whose features Spark computes: the same answers, in every bit."""

import pytest
from pyarrow import parquet

pytestmark = pytest.mark.long


def scores(shop, dataset):
    paths = shop.workspace.data.table(dataset).paths
    return [score for path in paths for score in parquet.read_table(path)["score"].to_pylist()]


def test_spark_computes_the_features_of_a_batch(shop, spark):
    shop.parts.__dict__["spark"] = spark
    for engine in ("duckdb", "spark"):
        shop.workspace.scoring.run(
            "buys", dataset="visits", as_of="2026-03-01T00:00:00Z", out=engine, engine=engine
        )
    found = scores(shop, "spark")
    assert len(found) == 1200
    assert found == scores(shop, "duckdb")
    del shop.parts.__dict__["spark"]
