"""A first project from a table: what is guessed, and that it goes up."""

from __future__ import annotations

import random

import pytest

import tondo
from tondo.core.errors import CallerError, ConflictError, DataError, NotFoundError
from tondo.stages.data.statistics import ColumnStatistics
from tondo.workspace.pipelines.up import up
from tondo.workspace.project import load_project
from tondo.workspace.starter.guesses import guess_label
from tondo.workspace.starter.write import plan_starter, scalar, write_starter


def table(folder, *, rows=600):
    made = random.Random(3)
    lines = ["Customer ID,plan,Monthly Charge,tenure,senior,signup,churn"]
    for at in range(rows):
        charge, tenure, plan = (
            made.uniform(10, 120),
            made.randint(0, 72),
            made.choice(["basic", "pro"]),
        )
        leaves = made.random() < 1 / (1 + 2.7 ** -(0.05 * (charge - 60) - 0.08 * (tenure - 20)))
        day = f"2024-{1 + at * 12 // rows:02d}-{1 + at % 28:02d}"
        senior = made.choice(["true", "false"])
        lines.append(
            f"C{at:04d},{plan},{charge:.2f},{tenure},{senior},{day},{'Yes' if leaves else 'No'}"
        )
    path = folder / "customers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def column(type_, *values, distinct=None):
    counted = tuple((value, 1) for value in values)
    return ColumnStatistics(
        type=type_,
        rows=9,
        missing=0,
        distinct=distinct or len(values),
        top=counted,
        quantiles={"0.5": 2.5},
    )


@pytest.mark.parametrize(
    ("found", "label"),
    [
        (column("bool", True, False), "left"),
        (column("double", 0.0, 1.0), "left = 1"),
        (column("string", "No", "Yes"), "left = 'Yes'"),
        (column("string", "ham", "spam"), "left = 'spam'"),
        (column("string", "it's", "no"), "left = 'no'"),
        (column("double", 1.0, 2.0, 3.0, 4.0), "left > 2.5"),
    ],
)
def test_a_labels_question_is_read_off_its_values(found, label):
    assert guess_label("left", found).text == label


def test_a_column_of_one_value_is_no_label():
    with pytest.raises(DataError, match="TD-STARTER-001"):
        guess_label("left", column("string", "Yes"))


def test_a_question_that_was_made_up_says_so():
    assert "change it" in guess_label("price", column("double", 1.0, 2.0, 3.0)).why


def test_names_and_dates_become_no_features_and_say_why(tmp_path):
    starter = plan_starter(table(tmp_path), label="churn", time=None, folder=tmp_path)
    assert starter.features == ["plan", "Monthly_Charge", "tenure", "senior"]
    assert set(starter.left_out) == {"Customer ID", "signup"}


def test_the_file_is_a_project_that_reads_back(tmp_path):
    starter = plan_starter(table(tmp_path), label="churn", time="signup", folder=tmp_path)
    write_starter(starter, tmp_path)
    kinds = [each.kind for each in load_project(tmp_path).definitions]
    assert kinds == ["project", "source", "dataset", "model", "deployment"]


def test_a_project_is_never_written_over(tmp_path):
    data = table(tmp_path)
    write_starter(plan_starter(data, label="churn", time=None, folder=tmp_path), tmp_path)
    with pytest.raises(ConflictError, match="TD-STARTER-004"):
        plan_starter(data, label="churn", time=None, folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ({"label": "chrun", "time": None}, CallerError, "TD-STARTER-002.*'churn'"),
        ({"label": "churn", "time": "plan"}, CallerError, "TD-STARTER-003"),
    ],
)
def test_wrong_columns_are_told_and_nothing_is_written(arguments, error, code, tmp_path):
    data = table(tmp_path)
    with pytest.raises(error, match=code):
        plan_starter(data, folder=tmp_path, **arguments)
    assert [each.name for each in tmp_path.iterdir()] == ["customers.csv"]


def test_a_missing_table_suggests_its_neighbours(tmp_path):
    table(tmp_path)
    with pytest.raises(NotFoundError, match=r"TD-STARTER-005.*'customers.csv'"):
        plan_starter(tmp_path / "custmers.csv", label="churn", time=None, folder=tmp_path)


@pytest.mark.parametrize("text", ["yes", "No", "a: b", "#1", "", "1.5", "it's", '"'])
def test_yaml_keeps_every_text(text):
    import yaml

    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


@pytest.mark.parametrize("time", [None, "signup"])
def test_a_table_goes_up_to_a_model_that_answers_and_again_in_no_time(time, tmp_path):
    data = table(tmp_path)
    write_starter(plan_starter(data, label="churn", time=time, folder=tmp_path), tmp_path)
    row = {"plan": "pro", "Monthly Charge": 110.0, "tenure": 2.0, "senior": True}
    if time:
        row["signup"] = "2024-12-01"
    with tondo.open(tmp_path) as workspace:
        (found,) = up(workspace.parts, by="me", why="first").models
        assert (found.passed, found.version) == (True, 1)
        answer = workspace.deployment.predict("churn", row)
        assert answer.predictions[0].score > 0.6
        up(workspace.parts, by="me", why="again")
        assert all(step.reused for step in workspace.flow.executions(limit=1)[0].steps)


def test_the_sign_between_cells_is_written_into_the_source(tmp_path):
    path = table(tmp_path)
    path.write_text(path.read_text().replace(",", ";"))
    starter = plan_starter(
        path, label="churn", time="signup", folder=tmp_path / "project", delimiter=";"
    )
    write_starter(starter, tmp_path / "project")
    (source,) = load_project(tmp_path / "project").of("source").values()
    assert source.body["delimiter"] == ";"
