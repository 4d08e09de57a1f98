"""A spine from a query: every customer at every Monday, with what they did in the week after."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shop import HABITS, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.instants import parse_instant
from tondo.stages.features.training_set import read_training_set, training_table
from tondo.workspace.bootstrap import open_workspace

NOW_US = parse_instant("2026-03-01T00:00:00Z")
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "model-spec.md"
FIRST, LAST = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The example of the docs, run as it stands there."""
    (example,) = re.findall(r"```yaml\n(dataset: mondays\n.*?)```", PAGE.read_text(), re.DOTALL)
    folder = write_shop(tmp_path_factory.mktemp("spine") / "shop", HABITS, example)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as shop:
        shop.data.commit_source("visits", by="ana", why="first load")
        shop.data.derive("mondays", by="ana")
        shop.features.sync_definitions(by="ana")
        run = shop.training.train("comes_back")
        made = read_training_set(run.training_set, ledger=shop.parts.ledger)
        rows = shop.parts.engine.scan(training_table(made, blobs=shop.parts.blobs)).to_pylist()
        visits = shop.data.sql("select customer, visits.at from visits", limit=5000)
        yield shop, made, rows, visits


def test_every_customer_is_there_at_every_monday(found):
    _, made, rows, visits = found
    mondays = [FIRST + timedelta(days=7 * week) for week in range(7)]
    customers = {each["customer"] for each in visits}
    expected = {(customer, at) for customer in customers for at in mondays}
    assert {(row["customer"], row["at"]) for row in rows} == expected
    assert made.rows == len(rows) == len(expected)
    assert mondays[-1] == LAST


def test_features_are_of_the_week_before_and_labels_of_the_week_after(found):
    _, _, rows, visits = found
    week = timedelta(days=7)
    for row in rows[::37]:
        own = [each["at"] for each in visits if each["customer"] == row["customer"]]
        before = sum(row["at"] - week <= at < row["at"] for at in own)
        after = sum(row["at"] <= at < row["at"] + week for at in own)
        assert (row["@habits.visits_7d[customer]"], row["label"]) == (before, after > 0)


def test_it_is_rebuilt_from_its_manifest(found):
    shop, made, _, _ = found
    assert shop.training.rebuild(made.id).same
