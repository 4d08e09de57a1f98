"""The quality of a model's labels, judged by scores from training."""

import json

import numpy as np
import pytest
from pyarrow import parquet
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from shop import TREES, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import NotFoundError, TondoError
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.label_pages import labels_page

NOW_US = parse_instant("2026-03-01T00:00:00Z")
DIGITS = """\
project: digits
owner: ana
description: Is it a zero to four, or a five to nine?
---
source: drawings
owner: ana
description: One row a drawing.
path: drawings.csv
columns: {drawing: string, at: timestamp, high: bool}
event_time: at
key: [drawing]
---
model: high
owner: ana
description: Five or more.
source: drawings
row_id: drawing
time: at
label: high
algorithm: lightgbm
features: {FEATURES}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("labels") / "shop", TREES)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        yield opened


@pytest.fixture(scope="module")
def report(shop):
    return shop.preparation.judge_labels("buys", horizon="20m")


def test_before_anybody_judged_the_error_says_how(shop):
    with pytest.raises(NotFoundError) as caught:
        shop.preparation.label_report("buys_trees")
    assert caught.value.code == "TD-LABEL-004"
    assert "tondo labels judge buys_trees" in caught.value.fix


def test_a_report_tells_of_definition_horizon_and_what_the_scores_are_worth(shop, report):
    kept = parquet.read_table(shop.parts.blobs.local_path(report.scores))
    training_set = shop.parts.ledger.get("training_set", report.training_set).body
    table = parquet.read_table(shop.parts.blobs.local_path(training_set["data"]))
    expected = roc_auc_score(table["label"].to_numpy(), kept["score"].to_numpy())
    assert report.auc == pytest.approx(expected, abs=1e-12)
    assert (report.quality.definition, report.quality.horizon) == ("bought", "20m")
    assert (report.folds, report.folded_by) == (5, "time")
    assert (report.quality.rows, report.quality.missing, report.quality.scored) == (1200, 0, 1200)


def test_late_labels_are_counted_by_the_model_spec_s_own_columns(shop, report):
    rows = shop.data.sql(
        'select count(*) as late from visits where ended_at - "at" > interval 20 minute'
    )
    assert report.quality.late == rows[0]["late"]
    assert report.quality.late > 0


def test_an_example_is_a_row_of_the_source(shop, report):
    first = report.examples[0]
    (row,) = shop.data.sql(f"select * from visits where visit = '{first.row_id}'")
    assert first.label == str(row["bought"])
    assert first.suggested == str(not row["bought"])
    assert first.values["pages"] == row["pages"]
    assert (first.score > 0.5) == (first.suggested == "True")


def test_the_same_rows_are_scored_once(shop, report):
    assert shop.preparation.judge_labels("buys", horizon="20m") == report
    steps = shop.flow.executions(name="labels")[0].steps
    assert [(each.name, each.state) for each in steps] == [("scores", "reused")]


def test_the_newest_report_is_kept_with_its_training_set(shop, report):
    assert shop.preparation.label_report("buys") == report
    found = shop.parts.ledger.lineage(
        "training_set", report.training_set, direction="down", depth=1
    )
    assert "label_report" in {each.child_kind for each in found.edges}


def test_rows_of_a_customer_stay_in_one_fold(shop):
    found = shop.preparation.judge_labels("buys", folds=3, group="customer")
    kept = parquet.read_table(shop.parts.blobs.local_path(found.scores))
    customers = shop.data.sql('select customer from visits order by "at"', limit=5000)
    pairs = {
        (each["customer"], fold)
        for each, fold in zip(customers, kept["fold"].to_pylist(), strict=True)
    }
    assert len(pairs) == len({each["customer"] for each in customers})
    assert found.folded_by == "customer"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"folds": 1}, "TD-LABEL-003"),
        ({"folds": 10**6}, "TD-LABEL-003"),
        ({"group": "custommer"}, "TD-TRAIN-001"),
        ({"group": "device"}, "TD-LABEL-003"),
        ({"horizon": "soon"}, "TD-CORE-002"),
        ({"model": "sells"}, "TD-PROJECT-004"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(shop, asked, code):
    with pytest.raises(TondoError) as caught:
        shop.preparation.judge_labels(**{"model": "buys", **asked})
    assert caught.value.code == code


def test_the_page_tells_of_models_with_a_report_and_without(shop, report):
    page = labels_page(shop, "visits")
    assert [(each.model, each.report) for each in page.models] == [
        ("buys", shop.preparation.label_report("buys")),
        ("buys_trees", None),
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_flips_are_found_on_real_digits(tmp_path, seed):
    data = load_digits()
    random = np.random.default_rng(seed)
    truth = data.target >= 5
    flipped = random.random(len(truth)) < 0.02
    names = [f"p{at}" for at in range(64)]
    lines = [",".join(["drawing", "at", "high", *names])]
    for at, place in enumerate(random.permutation(len(truth))):
        label = str(bool(truth[place] ^ flipped[place])).lower()
        time = f"2026-01-{1 + at // 100:02d}T00:{at % 100 // 2:02d}:00Z"
        lines.append(",".join([f"d{place}", time, label, *map(str, data.data[place])]))
    (tmp_path / "drawings.csv").write_text("\n".join(lines) + "\n")
    features = json.dumps({name: name for name in names})
    (tmp_path / "project.yaml").write_text(DIGITS.replace("{FEATURES}", features))
    with open_workspace(tmp_path, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("drawings", by="ana", why="first load")
        report = opened.preparation.judge_labels("high")
        training_set = opened.parts.ledger.get("training_set", report.training_set).body
        table = parquet.read_table(opened.parts.blobs.local_path(training_set["data"]))
    drawings = table["drawing"].to_pylist()
    told = {int(drawings[each.row][1:]) for each in report.quality.suspects}
    true = told & set(np.flatnonzero(flipped).tolist())
    print(f"precision {len(true) / len(told):.2f}, recall {len(true) / flipped.sum():.2f}")
    assert len(told) == report.quality.suspected
    assert len(true) / len(told) >= 0.6
    assert len(true) / flipped.sum() >= 0.8
