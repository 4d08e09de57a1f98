from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import DataError
from tondo.language.tree import Column
from tondo.ledger.ledger import Ledger
from tondo.scoring.model import LoadedModel
from tondo.scoring.package import PackageContents
from tondo.stages.evaluation.evaluate import evaluate, score_table
from tondo.stages.evaluation.report import Report, Subject, keep_report


class PlainEngine:
    """Reads columns; the features of these tests are columns."""

    def scan(self, table, columns=None):
        return table

    def evaluate(self, expressions, table, *, keep=()):
        return pa.table({name: table.column(node.name) for name, node in expressions.items()})


class FirstFeature:
    """A runtime that says the first feature."""

    few_rows = 1

    def predict_row(self, vector):
        return vector[0]

    def predict_packed(self, data):
        return np.frombuffer(data)[0]

    def predict_table(self, matrix):
        return matrix[:, 0].copy()

    def close(self):
        pass


@pytest.fixture
def model():
    contents = PackageContents(
        name="late",
        task="binary",
        algorithm="given",
        runtime="given",
        inputs={"p": "double", "q": "double"},
        features={"p": Column("p", "double"), "q": Column("q", "double")},
        threshold=0.5,
        training={"base_rate": 0.4},
        files={},
    )
    return LoadedModel(contents, FirstFeature())


@pytest.fixture
def table():
    draw = np.random.default_rng(1)
    p = draw.random(1200)
    return pa.table(
        {
            "p": p,
            "q": draw.random(1200),
            "late": pa.array(draw.random(1200) < p, mask=np.arange(1200) % 12 == 0),
            "origin": ["EWR", "JFK", "LGA"] * 400,
            "at": pa.array(np.arange(1200) * 10**6, pa.timestamp("us", tz="UTC")),
        }
    )


@pytest.fixture
def report(model, table):
    return reported(model, table, slices=("origin", "q"), time="at")


def reported(model, table, **more):
    subject = Subject(model="late", package="p1", run="r1")
    return evaluate(model, table, label="late", engine=PlainEngine(), subject=subject, **more)


def test_rows_without_label_are_left_out_and_counted(report):
    assert (report.rows, report.unlabelled) == (1100, 100)


def test_the_metrics_are_those_of_the_labelled_rows(report, table):
    known = table.filter(table.column("late").is_valid())
    label, scores = known.column("late").to_numpy(), known.column("p").to_numpy()
    assert report.metrics["auc"] == pytest.approx(roc_auc_score(label, scores), abs=1e-12)
    assert report.metrics["log_loss"] == pytest.approx(log_loss(label, scores), abs=1e-12)


def test_the_constant_says_the_training_rows_base_rate(report, table):
    known = table.filter(table.column("late").is_valid()).column("late").to_numpy()
    expected = log_loss(known, np.full(1100, 0.4))
    assert report.baseline.log_loss == pytest.approx(expected, abs=1e-12)
    assert report.baseline.auc == 0.5


def test_a_package_without_base_rate_has_no_constant(model, table):
    contents = msgspec.structs.replace(model.contents, training={})
    assert reported(LoadedModel(contents, FirstFeature()), table).baseline is None


def test_without_a_threshold_there_are_no_decisions(model, table):
    contents = msgspec.structs.replace(model.contents, threshold=None)
    assert "accuracy" not in reported(LoadedModel(contents, FirstFeature()), table).metrics


def test_slices_may_be_columns_or_features(report):
    assert {each.column for each in report.slices} == {"origin", "q"}
    assert sum(each.rows for each in report.slices if each.column == "q") == 1100


def test_an_unknown_slice_names_near_columns(model, table):
    with pytest.raises(DataError, match=r"TD-TRAIN-001.*Did you mean 'origin'"):
        reported(model, table, slices=("orign",))


def test_the_report_says_from_when_to_when(report):
    assert (report.from_us, report.last_us) == (10**6, 1199 * 10**6)


def test_the_histogram_counts_every_row(report):
    assert sum(each.negatives + each.positives for each in report.histogram) == report.rows
    assert sum(each.positives for each in report.histogram) == report.positives


def test_equal_reports_have_one_id(report, model, table):
    again = reported(model, table, slices=("origin", "q"), time="at")
    assert report.id == again.id
    assert report.id != reported(model, table.slice(1), time="at").id


def test_a_report_is_kept_under_its_id_and_reads_back(report):
    ledger = Ledger.open("sqlite://", clock=ManualClock(1))
    ledger.put("run", "r1", {})
    ledger.put("package", "p1", {}, parents=[("run", "r1", "sealed_by")])
    assert keep_report(report, ledger=ledger) == report.id
    assert ledger.read("report", report.id, Report) == report
    above = ledger.lineage("report", report.id, direction="up").nodes
    assert {node.kind for node in above} == {"report", "run", "package"}


def test_rows_without_positives_have_a_report_without_auc(model, table):
    none = table.set_column(2, "late", pa.array([False] * 1200))
    report = reported(model, none)
    assert report.metrics["auc"] is None
    assert report.roc == []
    assert "auc=none" in repr(report)


def test_no_rows_have_a_report_without_metrics(model, table):
    report = reported(model, table.slice(0, 0), time="at", slices=("origin",))
    assert (report.rows, report.metrics["log_loss"], report.from_us) == (0, None, None)


def test_a_table_is_scored_in_its_order(model, table):
    scores = score_table(model, table, engine=PlainEngine())
    assert scores.tolist() == table.column("p").to_pylist()


def test_a_report_shows_its_headline_and_curve(report):
    assert repr(report).startswith("Report('late', rows=1100, auc=0.")
    page = report._repr_html_()
    assert page.count("<svg") == 1
    assert "EWR" in page


def test_text_in_a_reports_page_is_escaped(report):
    bad = msgspec.structs.replace(
        report, subject=Subject(model="<img src=x onerror=alert(1)>", package="p")
    )
    assert "<img" not in bad._repr_html_()
