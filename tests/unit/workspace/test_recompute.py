"""What a package reads of logged predictions: from their inputs, or joined where they lack it."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from shop import HABITS, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.instants import parse_instant
from tondo.scoring.package import PackageContents
from tondo.stages.features.views import layout_of
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.recompute import AS_OF, join_logged, logged_rows

HABIT = "@habits.visits_7d[customer]"
AS_OF_US = parse_instant("2026-02-20T12:00:00Z")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("habits") / "shop", HABITS)
    with open_workspace(folder, clock=ManualClock(parse_instant("2026-03-01T00:00:00Z"))) as shop:
        shop.data.commit_source("visits", by="ana", why="first load")
        shop.features.sync_definitions(by="ana")
        yield shop.parts


@pytest.fixture
def contents(parts):
    return PackageContents(
        name="buys",
        task="binary",
        algorithm="logistic",
        runtime="onnx",
        inputs={"customer": "string", "pages": "double", "at": "timestamp"},
        features={},
        views={"habits": layout_of(parts.views["habits"])},
        view_features=[(HABIT, "habits", "visits_7d", "customer")],
        files={},
    )


def logged(*inputs):
    return pa.table(
        {
            "prediction_id": [f"p{place}" for place in range(len(inputs))],
            "as_of": pa.array([AS_OF_US] * len(inputs), pa.timestamp("us", tz="UTC")),
            "inputs": pa.array(
                [msgspec.json.encode(each).decode() for each in inputs], pa.string()
            ),
        }
    )


def row(customer, **more):
    return {"customer": customer, "pages": 3.0, "at": AS_OF_US, **more}


def test_logged_values_are_taken_as_they_are(parts, contents):
    found = logged_rows(
        parts, logged(row("c01", **{HABIT: 41.0}), row("c02", **{HABIT: None})), contents
    )
    assert found.column(HABIT).to_pylist() == [41.0, None]
    assert found.column("customer").to_pylist() == ["c01", "c02"]
    assert found.column("at").type == found.column(AS_OF).type


def test_logged_and_joined_values_are_one(parts, contents):
    customers = [f"c{place:02d}" for place in range(100)]
    joined = join_logged(parts, logged(*map(row, customers)), contents)
    values = joined.column(HABIT).to_pylist()
    assert len(set(values)) > 2
    whole = [row(each, **{HABIT: value}) for each, value in zip(customers, values, strict=True)]
    assert logged_rows(parts, logged(*whole), contents).equals(joined)


def test_what_one_row_lacks_is_joined_for_all(parts, contents):
    rows = logged(row("c01", **{HABIT: 41.0}), row("c02"))
    assert logged_rows(parts, rows, contents).equals(join_logged(parts, rows, contents))


def test_a_request_column_that_was_not_logged_is_null(parts, contents):
    found = logged_rows(parts, logged({"customer": "c01", HABIT: 1.0}), contents)
    assert found.column("pages").to_pylist() == [None]


def test_nothing_logged_has_every_column(parts, contents):
    found = logged_rows(parts, logged(), contents)
    assert found.num_rows == 0
    assert found.column_names == ["prediction_id", AS_OF, "customer", "pages", "at", HABIT]
