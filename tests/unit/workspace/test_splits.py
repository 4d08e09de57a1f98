"""Splits of a project's models: whole customers apart, a column that decides, a part for the report."""

from __future__ import annotations

import pytest

from shop import PROJECT, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import DefinitionError
from tondo.core.instants import parse_instant
from tondo.stages.features.training_set import read_training_set, training_table
from tondo.workspace.bootstrap import open_workspace

NOW_US = parse_instant("2026-03-01T00:00:00Z")
BY_TIME = "split: {by: time, validation: 0.25}"
BY_CUSTOMER = "split: {by: group, column: customer, validation: 0.3, test: 0.2}"
MARKED = """\
dataset: marked
owner: ana
description: Visits with the part that each belongs to.
inputs: [visits]
key: [visit]
event_time: at
sql: |
  select *, case when customer < 'c20' then 'validation' else 'training' end as part from visits
---
"""


def trained(folder, split, *more):
    write_shop(folder)
    text = PROJECT.replace(BY_TIME, split)
    if more:
        text = text.replace("source: visits\nrow_id", "source: marked\nrow_id")
    (folder / "shop0.yaml").write_text("".join(more) + text)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as shop:
        shop.data.commit_source("visits", by="ana", why="first load")
        if more:
            shop.data.derive("marked", by="ana")
        run = shop.training.train("buys")
        made = read_training_set(run.training_set, ledger=shop.parts.ledger)
        table = shop.parts.engine.scan(training_table(made, blobs=shop.parts.blobs))
        return run, shop.training.report(run.id), table


def test_whole_customers_are_held_back_and_the_report_is_about_the_test_part(tmp_path):
    run, report, table = trained(tmp_path / "shop", BY_CUSTOMER)
    assert "customer" in table.column_names
    assert run.rows.training + run.rows.validation + run.rows.test == table.num_rows == 1200
    assert (report.rows, run.split.by, run.validation_from_us) == (run.rows.test, "group", None)
    assert run.metrics["auc"] != report.metrics["auc"]


def test_a_derived_column_decides(tmp_path):
    split = "split: {by: column, column: part}"
    run, report, table = trained(tmp_path / "shop", split, MARKED)
    marked = table.column("part").to_pylist().count("validation")
    assert (run.rows.validation, report.rows, run.rows.test) == (marked, marked, 0)


@pytest.mark.parametrize(
    ("split", "what"),
    [
        ("split: {by: group, column: custommer}", "split.column.*Did you mean 'customer'"),
        ("split: {by: column, column: bought}", "split.column.*is bool, not string"),
    ],
)
def test_a_split_by_what_is_not_there_is_refused_before_any_data(tmp_path, split, what):
    with pytest.raises(DefinitionError, match=f"TD-SPEC-006.*{what}"):
        trained(tmp_path / "shop", split)
