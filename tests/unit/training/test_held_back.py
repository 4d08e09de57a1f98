"""Parts of a split: every row in one, whole groups, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tondo.core.errors import DataError
from tondo.stages.training.held_back import TEST, VALIDATION, parts_of, place_of
from tondo.stages.training.periods import Period, split_rows
from tondo.stages.training.spec import Split

HOUR_US = 3_600_000_000
NOW = Period()


def table(rows=2000, seed=3):
    draw = np.random.default_rng(seed)
    hours = draw.permutation(rows)
    return pa.table(
        {
            "id": [f"r{at}" for at in range(rows)],
            "at": pa.array(hours * HOUR_US, pa.timestamp("us", tz="UTC")),
            "late": draw.random(rows) < 0.5,
            "plane": pa.array([f"n{at}" for at in draw.integers(0, 400, rows)]),
            "part": draw.choice(["train", "validation", "test"], rows, p=[0.7, 0.2, 0.1]),
        }
    )


def cut(rows, period=NOW, **split):
    return split_rows(
        rows, time="at", label="late", split=Split(**split), period=period, row_id="id"
    )


def ids(part, column="id"):
    return part.column(column).to_pylist()


def parts(found):
    return found.training, found.validation, found.test


@pytest.mark.parametrize(
    "split",
    [
        {"by": "time", "validation": 0.2, "test": 0.1},
        {"by": "time", "validation": "400h", "test": "200h"},
        {"by": "time", "validation": 0.2, "test": "200h"},
        {"by": "time", "validation": "400h", "test": 0.1},
        {"by": "random", "validation": 0.2, "test": 0.1},
        {"by": "group", "validation": 0.2, "test": 0.1, "column": "plane"},
        {"by": "column", "column": "part"},
    ],
)
def test_every_row_is_in_exactly_one_part_of_about_the_size_that_was_asked(split):
    rows = table()
    found = parts(cut(rows, **split))
    assert sorted(each for part in found for each in ids(part)) == sorted(ids(rows))
    for part, share in zip(found, (0.7, 0.2, 0.1), strict=True):
        assert part.num_rows / rows.num_rows == pytest.approx(share, abs=0.04)
        assert ids(part, "at") == sorted(ids(part, "at"))


def test_by_time_the_report_is_about_the_newest_rows():
    found = cut(table(), by="time", validation="400h", test="200h")
    assert max(ids(found.training, "at")) < min(ids(found.validation, "at"))
    assert max(ids(found.validation, "at")) < min(ids(found.test, "at"))
    assert ids(found.judged) == ids(found.test)


def test_a_group_is_never_torn_apart():
    found = cut(table(), by="group", column="plane", validation=0.2, test=0.1)
    planes = [set(ids(part, "plane")) for part in parts(found)]
    assert sum(map(len, planes)) == len(set.union(*planes))


@pytest.mark.parametrize("split", [{"by": "random"}, {"by": "group", "column": "plane"}])
def test_a_row_stays_in_its_part_whatever_comes_or_goes(split):
    rows = table()
    some = rows.take(np.random.default_rng(1).permutation(1500))
    whole, less = cut(rows, **split), cut(some, **split)
    assert set(ids(less.validation)) == set(ids(whole.validation)) & set(ids(some))
    assert set(ids(cut(rows, **split, seed=8).validation)) != set(ids(whole.validation))


def test_a_test_part_asked_for_later_takes_nothing_from_training():
    before = cut(table(), by="random", validation=0.3)
    after = cut(table(), by="random", validation=0.2, test=0.1)
    same = {each for each in ids(before.training) if place_of(each, 7) >= 0.3 + 1e-9}
    assert same <= set(ids(after.training))


def test_a_null_is_a_group_as_any_other():
    column = pa.chunked_array([pa.array(["a", None] * 5), pa.array([None, "b"] * 5)])
    found = parts_of(pa.table({"g": column}), Split(by="group", column="g"), row_id="g")
    nulls = [part for part, value in zip(found, column.to_pylist(), strict=True) if value is None]
    assert len(set(nulls)) == 1


def test_a_column_decides_for_itself():
    found = parts_of(table(50), Split(by="column", column="part"), row_id="id")
    expected = {"train": 0, "validation": VALIDATION, "test": TEST}
    assert found.tolist() == [expected[each] for each in table(50).column("part").to_pylist()]


@pytest.mark.parametrize("value", [None, "tset", ""])
def test_a_column_with_another_word_is_refused(value):
    rows = pa.table({"part": ["train", "validation", value]})
    with pytest.raises(DataError, match=f"TD-TRAIN-010.*says {value!r}"):
        parts_of(rows, Split(by="column", column="part"), row_id="id")


@pytest.mark.parametrize(
    ("split", "part"),
    [
        ({"by": "group", "column": "one"}, "validation"),
        ({"by": "column", "column": "one"}, "validation"),
        ({"by": "random", "validation": 1e-9}, "validation"),
        ({"by": "random", "test": 1e-9}, "test"),
    ],
)
def test_a_part_without_rows_is_refused(split, part):
    rows = table()
    rows = rows.append_column("one", pa.array(["training"] * rows.num_rows))
    with pytest.raises(DataError, match=f"TD-TRAIN-0(11.*for {part}|02)"):
        cut(rows, **split)


def test_what_a_period_says_of_time_comes_before_the_split():
    period = Period(train_until_us=1500 * HOUR_US)
    found = cut(table(), period, by="group", column="plane")
    assert (found.training.num_rows, found.judged.num_rows) == (1500, 500)
    whole = cut(table(), Period(everything=True), by="random")
    assert (whole.training.num_rows, whole.judged.num_rows) == (2000, 0)
