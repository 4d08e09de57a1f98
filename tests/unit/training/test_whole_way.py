"""From rows to a tagged version on the embedded engine, and the paths compared."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.stages.evaluation.compare import paired
from tondo.stages.evaluation.evaluate import evaluate, score_labelled, score_table
from tondo.stages.evaluation.gate import inherit, judge
from tondo.stages.evaluation.report import Subject, keep_report
from tondo.stages.registry.resolve import resolve
from tondo.stages.registry.tagging import tag
from tondo.stages.registry.versions import register
from tondo.stages.training.matrix import feature_matrix
from tondo.stages.training.periods import Period, split_rows
from tondo.stages.training.samples import plain_rows
from tondo.stages.training.spec import Change, Gate, Limit

from .conftest import flights, model_spec, resolved

BOTH = pytest.mark.parametrize("algorithm", ["logistic", "lightgbm"])


@pytest.fixture
def on_duckdb(tools):
    engine = DuckDBEngine(threads=1)
    yield dataclasses.replace(tools, engine=engine)
    engine.close()


def loaded(tools, run):
    return load_model(open_package(tools.blobs.get(run.package)), tools.runtimes)


@BOTH
def test_the_engine_makes_the_package_that_the_plain_loop_makes(trained, on_duckdb, algorithm):
    by_engine = trained(model_spec(algorithm=algorithm), tools=on_duckdb)
    assert by_engine.package == trained(model_spec(algorithm=algorithm)).package


@BOTH
def test_a_row_scores_as_it_does_in_a_table_of_the_engine(trained, on_duckdb, algorithm):
    model = loaded(on_duckdb, trained(model_spec(algorithm=algorithm), tools=on_duckdb))
    table = flights(500, seed=11)
    rows = plain_rows(table)
    matrix = feature_matrix(model.contents.features, table, engine=on_duckdb.engine)
    np.testing.assert_array_equal(matrix, [model.vector(row) for row in rows])
    scores = score_table(model, table, engine=on_duckdb.engine)
    assert [model.score_row(row) for row in rows] == scores.tolist()


LEARNED = {
    "carrier": "target_mean(carrier, 5)",
    "distance": "robust_scale(fill_median(distance))",
    "bucket": "quantile_bucket(distance, 6)",
    "code": "vocab(origin, 1, oov = 2)",
    "words": "sum(idf(tokens(carrier || ' ' || origin), 5))",
    "wind": "fill_mean(@weather.wind)",
}


def test_every_learned_feature_goes_the_whole_way(trained, on_duckdb):
    spec, found = model_spec(features=LEARNED), resolved(LEARNED)
    run = trained(spec, tools=on_duckdb, resolved=found)
    assert run.package == trained(spec, resolved=found).package
    assert run.metrics["auc"] > 0.6
    model = loaded(on_duckdb, run)
    table = flights(400, seed=12)
    matrix = feature_matrix(model.contents.features, table, engine=on_duckdb.engine)
    np.testing.assert_array_equal(matrix, [model.vector(row) for row in plain_rows(table)])
    by_carrier = model.contents.fitted["carrier"][0]["parameters"]
    served = dict(zip(by_carrier["values"], by_carrier["means"], strict=True))
    assert set(matrix[:, 0]) == {served[each] for each in table["carrier"].to_pylist()}


def test_from_rows_to_a_refit_that_serves(trained, on_duckdb):
    gate = Gate(thresholds={"auc": Limit(min=0.6)}, change=Change(margin=0.1))
    spec = model_spec(algorithm="lightgbm", parameters={"trees": 30}, gate=gate)
    ledger, engine = on_duckdb.ledger, on_duckdb.engine
    run = trained(spec, tools=on_duckdb)
    rows = split_rows(
        flights(),
        time="scored_at",
        label="@label",
        split=spec.split,
        period=Period(),
        row_id=spec.row_id,
    )
    subject = Subject(model="late", package=run.package, run=run.id, training_set="ts1")
    model = loaded(on_duckdb, run)
    report = evaluate(model, rows.validation, label="@label", engine=engine, subject=subject)
    keep_report(report, ledger=ledger)
    assert report.metrics["auc"] == run.metrics["auc"]

    current = trained(msgspec.structs.replace(spec, seed=8), tools=on_duckdb)
    ours, theirs = (
        score_labelled(each, rows.validation, label="@label", engine=engine)
        for each in (model, loaded(on_duckdb, current))
    )
    verdict = judge(gate, report, paired(ours.scores, theirs.scores, ours.positive))
    assert verdict.passed

    refit = trained(spec, tools=on_duckdb, period=Period(everything=True), refit_of=run.id)
    version = register(
        "late",
        run=refit,
        report=report,
        verdict=inherit(verdict, run=run.id),
        owner=spec.owner,
        by="ann",
        ledger=ledger,
    )
    tag("late", "live", version, by="ann", why="passed", ledger=ledger)
    assert resolve("late", "live", ledger=ledger) == version
    below = {node.kind for node in ledger.lineage("training_set", "ts1", direction="down").nodes}
    assert {"run", "package", "report", "verdict", "model_version"} <= below
