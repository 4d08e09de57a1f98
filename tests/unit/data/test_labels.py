"""Label quality: counts against plain loops, suspected errors against planted flips."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tondo.core.errors import CallerError
from tondo.stages.data.labels import label_quality
from tondo.stages.data.suspects import confident_joint, suspected_labels

DAY = 86_400_000_000
TIMES = pa.timestamp("us", tz="UTC")
TABLE = pa.table(
    {
        "a": ["x", "x", "x", "y", "y", None, None],
        "b": [1.0, 1.0, 1.0, 2.0, 3.0, float("nan"), float("nan")],
        "late": ["no", "no", "yes", "no", None, "no", "yes"],
        "at": pa.array([0] * 7, TIMES),
        "told": pa.array([DAY, 9 * DAY, DAY, 7 * DAY, None, 8 * DAY, DAY], TIMES),
    }
)


def quality(**more):
    return label_quality(TABLE, label="late", features=["a", "b"], **more)


def test_missing_labels_and_classes_are_counted():
    found = quality()
    assert (found.rows, found.missing, found.classes) == (7, 1, {"no": 4, "yes": 2})
    assert found.imbalance == 2.0


def test_labels_known_after_the_horizon_are_late():
    assert quality(time="at", known_at="told", horizon="7d").late == 2
    assert quality(time="at", known_at="told").late is None


@pytest.mark.parametrize(("days", "not_due"), [(6, 1), (7, 0), (30, 0)])
def test_a_missing_label_is_not_due_before_the_horizon(days, not_due):
    assert quality(time="at", horizon="7d", as_of_us=days * DAY).not_due == not_due


def test_rows_that_are_equal_but_for_their_label_contradict_each_other():
    found = quality()
    assert (found.contradicting, found.minority) == (5, 2)
    assert found.contradictions[0].values == {"a": "x", "b": 1.0}
    assert found.contradictions[0].labels == {"no": 2, "yes": 1}
    assert found.contradictions[1].rows == (5, 6)
    assert found.contradicting_share == pytest.approx(5 / 6)


def test_contradictions_are_those_of_a_plain_loop():
    random = np.random.default_rng(7)
    rows = random.integers(0, 4, size=(500, 3)).astype(float)
    table = pa.table({"a": rows[:, 0], "b": rows[:, 1], "y": rows[:, 2]})
    found = label_quality(table, label="y", features=["a", "b"])
    groups = defaultdict(Counter)
    for a, b, y in rows:
        groups[a, b][y] += 1
    apart = [each for each in groups.values() if len(each) > 1]
    assert found.contradicting == sum(each.total() for each in apart)
    assert found.minority == sum(each.total() - max(each.values()) for each in apart)


def test_definition_and_horizon_are_shown():
    found = quality(definition="landed 15 minutes late or more", time="at", horizon="48h")
    assert "landed 15 minutes late or more" in repr(found)
    assert "horizon: 2d" in repr(found)
    assert "landed 15 minutes late" in found._repr_html_()


def planted(classes, seed, share=0.02, rows=2000):
    """Well separated groups, a share of whose labels is flipped; scores out of fold."""
    random = np.random.default_rng(seed)
    true = random.integers(0, classes, rows)
    centres = 6.0 * np.column_stack(
        [
            np.cos(2 * np.pi * np.arange(classes) / classes),
            np.sin(2 * np.pi * np.arange(classes) / classes),
        ]
    )
    points = centres[true] + random.normal(size=(rows, 2))
    given = true.copy()
    flipped = random.choice(rows, int(rows * share), replace=False)
    given[flipped] = (given[flipped] + random.integers(1, classes, len(flipped))) % classes
    model = LogisticRegression(C=1.0, max_iter=500)
    scores = cross_val_predict(model, points, given, cv=3, method="predict_proba")
    return given, scores, set(flipped.tolist())


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_two_percent_of_planted_flips_are_found(classes, capsys):
    hits = said = there = 0
    for seed in range(3):
        given, scores, flipped = planted(classes, seed)
        found = {each.row for each in suspected_labels(given.tolist(), scores).suspects}
        hits, said, there = hits + len(found & flipped), said + len(found), there + len(flipped)
    precision, recall = hits / said, hits / there
    with capsys.disabled():
        print(f"\n2 % flips, {classes} classes: precision {precision:.3f}, recall {recall:.3f}")
    assert precision > 0.95
    assert recall > 0.8


def test_a_clean_set_has_hardly_a_suspect():
    given, scores, _ = planted(2, 11, share=0.0)
    assert len(suspected_labels(given.tolist(), scores).suspects) <= 2


def test_the_confident_joint_is_that_of_a_plain_loop():
    random = np.random.default_rng(3)
    codes = random.integers(0, 3, 300)
    scores = random.dirichlet([1, 1, 1], 300)
    thresholds = [
        np.mean([s[k] for s, c in zip(scores, codes, strict=True) if c == k]) for k in range(3)
    ]
    joint = np.zeros((3, 3))
    for code, line in zip(codes, scores, strict=True):
        over = [k for k in range(3) if line[k] >= thresholds[k]]
        if over:
            joint[code, max(over, key=lambda k: line[k])] += 1
    for code in range(3):
        joint[code] *= (codes == code).sum() / joint[code].sum()
    np.testing.assert_allclose(confident_joint(codes, scores, 3), joint, rtol=1e-12)


def test_scores_of_two_classes_may_be_one_column_and_may_lack_rows():
    labels = ["no"] * 5 + ["yes"] * 5 + [None]
    scores = np.array([0.1, 0.1, 0.2, 0.1, 0.9, 0.9, 0.8, np.nan, 0.9, 0.9, 0.5])
    table = pa.table({"k": [float(n) for n in range(11)], "y": labels})
    found = label_quality(table, label="y", features=["k"], scores=scores)
    assert (found.scored, [each.row for each in found.suspects]) == (9, [4])
    assert found.suspects[0].suggested == "yes"
    assert "row 4: no, rather yes" in repr(found)
    assert "suspected errors" in found._repr_html_()


def test_a_number_to_predict_has_no_classes():
    table = pa.table({"k": [float(n) for n in range(100)], "y": [n / 7 for n in range(100)]})
    found = label_quality(table, label="y", features=["k"])
    assert (found.classes, found.imbalance) == ({}, None)


@pytest.mark.parametrize(
    "more", [{"time": "nowhere"}, {"time": "b", "horizon": "1d", "known_at": "told"}]
)
def test_columns_that_are_not_there_are_refused(more):
    with pytest.raises(CallerError, match="TD-LABEL-001"):
        quality(**more)


@pytest.mark.parametrize(
    ("scores", "classes"),
    [([0.1] * 3, None), ([2.0] * 7, None), ([[0.1] * 3] * 7, None), ([0.1] * 7, ["no", "maybe"])],
)
def test_scores_that_do_not_fit_are_refused(scores, classes):
    with pytest.raises(CallerError, match="TD-LABEL-002"):
        quality(scores=np.array(scores), classes=classes)
