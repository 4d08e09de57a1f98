import math
import random

import pyarrow as pa
import pytest

from tondo.core.errors import CallerError
from tondo.stages.data.row_skew import row_skew

BASE = pa.table(
    {
        "id": ["a", "b", "c", "d", "e", "e", None],
        "price": [1.0, 2.0, math.nan, 4.0, 5.0, 6.0, 7.0],
        "shop": ["n", "s", "n", None, "n", "n", "n"],
        "tags": [[1], [2], None, [4], [5], [5], [6]],
    }
)
TEST = pa.table(
    {
        "id": ["d", "c", "b", "x", "e"],
        "price": [4.0, 3.0, 2.001, 1.0, 5.0],
        "shop": ["s", "n", "s", "n", "n"],
        "tags": [[4], None, [2, 2], [1], [5]],
    }
)


def column(skew, name):
    return next(each for each in skew.columns if each.column == name)


def test_rows_are_counted_by_what_becomes_of_their_key():
    found = row_skew(BASE, TEST, key=["id"])
    assert found.rows == 3
    assert (found.base_only, found.test_only) == (1, 1)
    assert (found.base_without_key, found.test_without_key) == (1, 0)
    assert (found.base_repeated, found.test_repeated) == (1, 0)


def test_values_are_counted_by_side():
    price = column(row_skew(BASE, TEST, key=["id"]), "price")
    assert (price.base_count, price.test_count) == (2, 3)
    assert (price.match, price.base_only, price.test_only, price.mismatch) == (1, 0, 1, 1)
    assert price.difference == 2
    assert price.examples[0] == ({"id": "b"}, 2.0, 2.001)


def test_numbers_are_rounded_when_asked():
    assert column(row_skew(BASE, TEST, key=["id"], digits=2), "price").mismatch == 0


def test_lists_and_texts_are_compared_whole():
    found = row_skew(BASE, TEST, key=["id"])
    assert (column(found, "tags").match, column(found, "tags").mismatch) == (1, 1)
    assert (column(found, "shop").match, column(found, "shop").test_only) == (2, 1)


def test_shuffled_values_that_no_distance_sees_differ():
    values = list(range(100))
    shuffled = random.Random(3).sample(values, 100)
    base, test = (pa.table({"id": list(range(100)), "x": each}) for each in (values, shuffled))
    expected = sum(a != b for a, b in zip(values, shuffled, strict=True))
    assert column(row_skew(base, test, key=["id"]), "x").mismatch == expected > 90


@pytest.mark.parametrize("key", [["nowhere"], []])
def test_a_key_that_is_not_there_is_refused(key):
    with pytest.raises(CallerError, match="TD-STATS-030"):
        row_skew(BASE, TEST, key=key)


def test_a_key_of_two_types_is_refused():
    other = TEST.set_column(0, "id", pa.array([1, 2, 3, 4, 5]))
    with pytest.raises(CallerError, match="in the first table and int64 in the second"):
        row_skew(BASE, other, key=["id"])
