from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, DataError
from tondo.stages.training.periods import Period, split_rows
from tondo.stages.training.spec import Split

HOUR_US = 3_600_000_000


def table(hours, labels=None):
    micros = pa.array([hour * HOUR_US for hour in hours], pa.timestamp("us", tz="UTC"))
    return pa.table({"at": micros, "late": pa.array(labels or [True] * len(hours)), "hour": hours})


def cut(rows, validation=0.5, **bounds):
    split = Split(validation=validation)
    period = Period(**bounds)
    return split_rows(rows, time="at", label="late", split=split, period=period, row_id="hour")


def hours_of(part):
    return part.column("hour").to_pylist()


def test_a_duration_holds_back_the_newest_rows():
    found = cut(table(range(10)), "3h")
    assert hours_of(found.training) == [0, 1, 2, 3, 4, 5, 6]
    assert hours_of(found.validation) == [7, 8, 9]


def test_a_share_holds_back_the_newest_rows():
    assert hours_of(cut(table(range(10)), 0.2).validation) == [8, 9]


def test_rows_of_one_instant_are_never_torn_apart():
    found = cut(table([0, 1, 1, 1, 2]), 0.5)
    assert hours_of(found.training) == [0]
    assert hours_of(found.validation) == [1, 1, 1, 2]


def test_rows_are_put_in_order_of_time():
    found = cut(table([5, 1, 4, 2, 3, 0]), 0.5)
    assert hours_of(found.training) == [0, 1, 2]
    assert hours_of(found.validation) == [3, 4, 5]


def test_rows_without_label_are_left_out_and_counted():
    found = cut(table(range(4), [True, None, False, True]), 0.3)
    assert found.unlabelled == 1
    assert hours_of(found.training) == [0, 2]


def test_a_bound_in_time_takes_the_place_of_the_specs_split():
    found = cut(
        table(range(10)), 0.5, from_us=2 * HOUR_US, train_until_us=8 * HOUR_US, until_us=9 * HOUR_US
    )
    assert hours_of(found.training) == [2, 3, 4, 5, 6, 7]
    assert hours_of(found.validation) == [8]
    assert found.boundary_us == 8 * HOUR_US


def test_everything_holds_nothing_back():
    found = cut(table(range(10)), everything=True)
    assert found.validation.num_rows == 0
    assert found.boundary_us is None
    assert found.last_training_us == 9 * HOUR_US


def test_rows_side_by_side_are_not_copied():
    rows = table(range(10))
    found = cut(rows, 0.3)
    source = rows.column("hour").chunk(0).buffers()[1].address
    assert found.training.column("hour").chunk(0).buffers()[1].address == source


def test_a_period_that_contradicts_itself_is_refused():
    with pytest.raises(CallerError, match="TD-TRAIN-006"):
        cut(table(range(3)), everything=True, train_until_us=1)


@pytest.mark.parametrize("bounds", [{"until_us": 0}, {"train_until_us": 0}, {"from_us": 10**15}])
def test_a_period_without_training_rows_is_refused(bounds):
    with pytest.raises(DataError, match="TD-TRAIN-002"):
        cut(table(range(3)), **bounds)


def test_a_row_without_time_is_refused():
    rows = table(range(3)).set_column(0, "at", pa.array([1, None, 2], pa.timestamp("us", tz="UTC")))
    with pytest.raises(DataError, match=r"TD-TRAIN-001.*1 rows have no 'at'"):
        cut(rows)


def test_a_missing_column_names_near_ones():
    with pytest.raises(DataError, match=r"TD-TRAIN-001.*Did you mean 'late'"):
        split_rows(
            table([1]), time="at", label="lat", split=Split(), period=Period(), row_id="hour"
        )


def test_every_labelled_row_is_on_exactly_one_side():
    draw = np.random.default_rng(3)
    rows = table(draw.integers(0, 50, 200).tolist(), (draw.random(200) < 0.5).tolist())
    found = cut(rows, 0.3)
    both = hours_of(found.training) + hours_of(found.validation)
    assert both == sorted(rows.column("hour").to_pylist())
    assert max(hours_of(found.training)) < min(hours_of(found.validation))
