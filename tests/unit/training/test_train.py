from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, DataError, DefinitionError
from tondo.scoring.baseline import read_baseline
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.stages.training.matrix import feature_matrix
from tondo.stages.training.periods import Period
from tondo.stages.training.run import Run
from tondo.stages.training.samples import plain_rows

from .conftest import DAY_US, START_US, flights, model_spec

BOTH = pytest.mark.parametrize("algorithm", ["logistic", "lightgbm"])


@pytest.fixture
def package(tools):
    return lambda run: open_package(tools.blobs.get(run.package))


@BOTH
def test_changing_the_algorithm_is_one_line(trained, algorithm):
    run = trained(model_spec(algorithm=algorithm))
    assert run.rows.training > 1000
    assert run.metrics["auc"] > 0.6


@BOTH
def test_row_path_and_table_path_agree_in_every_bit(trained, tools, package, algorithm):
    model = load_model(package(trained(model_spec(algorithm=algorithm))), tools.runtimes)
    table = flights(300, seed=9)
    matrix = feature_matrix(model.contents.features, table, engine=tools.engine)
    rows = [model.score_row(row) for row in plain_rows(table)]
    assert rows == model.score_matrix(matrix).tolist()


@BOTH
def test_the_same_training_twice_gives_the_same_package(trained, algorithm):
    first, second = (trained(model_spec(algorithm=algorithm)) for _ in range(2))
    assert first.package == second.package
    assert first.id != second.id


@BOTH
def test_another_number_of_threads_gives_the_same_model(trained, tools, algorithm):
    more = dataclasses.replace(tools, threads=2)
    one = trained(model_spec(algorithm=algorithm))
    two = trained(model_spec(algorithm=algorithm), tools=more)
    assert one.model_digest == two.model_digest


def test_another_seed_with_drawn_rows_gives_another_model(trained):
    parameters = {"row_share": 0.5, "trees": 20}
    runs = [
        trained(model_spec(algorithm="lightgbm", parameters=parameters, seed=seed))
        for seed in (1, 2)
    ]
    assert runs[0].model_digest != runs[1].model_digest


def test_what_is_fitted_is_learned_on_the_training_rows_only(trained, package):
    run = trained(model_spec())
    table = flights()
    times = table.column("scored_at").cast(pa.int64()).to_numpy()
    learned = table.filter(
        (times < run.validation_from_us) & table.column("@label").is_valid().to_numpy()
    )
    mean = package(run).fitted["distance"][0]["parameters"]["mean"]
    assert mean == pytest.approx(np.nanmean(learned.column("distance").to_numpy()), rel=1e-14)


def test_the_last_fourteen_days_are_held_back(trained):
    run = trained(model_spec())
    assert run.validation_from_us > run.last_training_time_us
    assert run.validation_from_us == pytest.approx(START_US + 46 * DAY_US, abs=DAY_US / 20)
    assert run.rows.training + run.rows.validation + run.rows.unlabelled == 2000


def test_a_refit_learns_from_every_labelled_row(trained):
    judged = trained(model_spec())
    refit = trained(model_spec(), period=Period(everything=True), refit_of=judged.id)
    assert refit.rows.validation == 0
    assert refit.rows.training == judged.rows.training + judged.rows.validation
    assert refit.refit_of == judged.id


def test_a_refit_of_another_spec_is_refused(trained):
    judged = trained(model_spec())
    with pytest.raises(CallerError, match="TD-TRAIN-008"):
        trained(model_spec(seed=8), refit_of=judged.id)


def test_a_run_reads_back_from_the_ledger_as_it_was(trained, tools):
    run = trained(model_spec())
    assert tools.ledger.read("run", run.id, Run) == run


def test_from_the_package_one_walks_up_to_spec_and_training_set(trained, tools):
    run = trained(model_spec())
    above = tools.ledger.lineage("package", run.package, direction="up").nodes
    assert {node.kind for node in above} == {
        "package", "run", "training_set", "model_spec", "environment",
    }  # fmt: skip


def test_a_refit_points_at_the_judged_run(trained, tools):
    judged = trained(model_spec())
    refit = trained(model_spec(), period=Period(everything=True), refit_of=judged.id)
    edges = tools.ledger.lineage("run", refit.id, direction="up").edges
    assert [edge.parent_id for edge in edges if edge.role == "refit_of"] == [judged.id]


def test_the_package_says_what_it_is(trained, package):
    contents = package(trained(model_spec()))
    assert contents.threshold == 0.3
    assert len(contents.samples) == 20
    assert contents.training["training_set"] == "ts1"
    assert contents.schema["columns"]["distance"]["null_share"] > 0.02
    assert contents.environment["packages"]["numpy"] == np.__version__


def test_the_package_records_how_its_form_agreed_with_the_library(trained, package):
    (form,) = package(trained(model_spec())).training["parity"]["forms"]
    assert form["runtime"] == "onnx"
    assert form["largest_difference"] < 1e-12
    assert form["decisions_differing"] == 0


def test_the_package_remembers_the_features_distributions(trained, package):
    contents = package(trained(model_spec(categorical=("carrier",))))
    baseline = read_baseline(contents.baseline)
    assert baseline.features.keys() == contents.features.keys()
    assert baseline.features["carrier"].kind == "category"
    assert baseline.features["wind"].nulls > 50
    assert baseline.score.total == trained(model_spec()).rows.validation


def test_the_packages_samples_hold_nulls_and_text(trained, package):
    rows = [sample.row for sample in package(trained(model_spec())).samples]
    assert {row["carrier"] for row in rows} > {"AA"}
    assert any(row["@weather.wind[origin]"] is None for row in rows)


def test_one_class_only_is_refused(trained):
    table = flights()
    place = table.column_names.index("@label")
    table = table.set_column(place, "@label", pa.array([False] * 2000))
    with pytest.raises(DataError, match=r"TD-TRAIN-007.*all \d+ training rows are negative"):
        trained(model_spec(), table)


def test_an_unknown_algorithm_names_those_that_are_here(trained):
    with pytest.raises(DefinitionError, match=r"TD-SPEC-004.*Did you mean 'lightgbm'"):
        trained(model_spec(algorithm="lightgmb"))


def test_an_unknown_parameter_names_near_ones(trained):
    with pytest.raises(DefinitionError, match=r"TD-SPEC-005.*Did you mean 'leaves'"):
        trained(model_spec(algorithm="lightgbm", parameters={"leafs": 31}))


def test_each_step_is_told_and_timed(trained):
    told = []

    class Ear:
        def advance(self, done, total, note=""):
            told.append((done, total, note))

    run = trained(model_spec(), progress=Ear())
    assert [note for _, _, note in told] == list(run.seconds)
    assert told[0] == (0, 7, "split")


def test_a_run_shows_itself(trained):
    run = trained(model_spec())
    assert repr(run).startswith("Run('late', logistic, rows=")
    assert "Importance" in run._repr_html_()


def test_text_in_a_runs_page_is_escaped(trained):
    run = msgspec.structs.replace(trained(model_spec()), algorithm="<script>")
    assert "<script>" not in run._repr_html_()
