"""How far a batch has moved from accepted rows, on a made-up shop with weekdays and storms."""

import math

import numpy as np
import pyarrow as pa
import pytest

from tondo.stages.data.movement import movements
from tondo.stages.data.reference_profile import learn_profile

ROWS = 20_000
START = 1_356_998_400_000_000
HOUR = 3_600_000_000


def rows(count, *, seed):
    random = np.random.default_rng(seed)
    price = random.lognormal(3, 0.5, count)
    hours = random.integers(8, 20, count)
    shops = random.choice(["north", "south", "west"], count, p=[0.5, 0.3, 0.2])
    note = pa.array(np.where(random.random(count) < 0.1, None, "ok"), pa.string())
    return pa.table(
        {
            "price": price,
            "weight": random.normal(100, 15, count),
            "paid": price + random.exponential(5, count),
            "pieces": random.integers(1, 40, count),
            "rounded": random.integers(1, 40, count) // 5 * 5,
            "shop": shops,
            "at": pa.array(START + hours * HOUR, pa.timestamp("us", tz="UTC")),
            "note": note,
            "lines": pa.array([[1] * size for size in random.integers(0, 4, count)]),
            "number": np.arange(count) + seed * count,
        }
    )


@pytest.fixture(scope="module")
def profile():
    return learn_profile(rows(ROWS, seed=0), name="sales")


def batch(seed=1):
    return rows(800, seed=seed)


def put(table, name, column):
    return table.set_column(table.column_names.index(name), name, pa.array(column))


def beyond(table, profile):
    return {
        (each.column, each.measure)
        for each in movements(table, profile)
        if each.certain and each.effect > each.limit
    }


def test_rows_of_the_same_kind_have_not_moved(profile):
    assert [beyond(batch(seed), profile) for seed in range(1, 31)] == [set()] * 30


def test_a_thousandfold_unit_is_far_and_moved(profile):
    table = batch()
    spoiled = put(table, "price", table["price"].to_numpy() * 1000)
    assert {("price", "far"), ("price", "moved")} <= beyond(spoiled, profile)


def test_one_row_in_a_hundred_of_another_unit_is_enough(profile):
    prices = batch()["price"].to_numpy().copy()
    prices[::100] *= 1000
    assert ("price", "far") in beyond(put(batch(), "price", prices), profile)


def test_a_default_in_a_fifth_of_the_rows_floods(profile):
    prices = batch()["price"].to_numpy().copy()
    prices[::5] = 20.0
    found = {
        each.measure: each
        for each in movements(put(batch(), "price", prices), profile)
        if each.column == "price"
    }
    assert found["flood"].effect > found["flood"].limit
    assert (found["flood"].value, found["flood"].found) == (20.0, 0.2)


def test_columns_that_look_alike_are_told_apart_by_their_order(profile):
    table = batch()
    swapped = put(put(table, "price", table["paid"]), "paid", table["price"])
    assert ("price", "order") in beyond(swapped, profile)


def test_columns_that_look_alike_are_told_apart_by_their_distinct_values(profile):
    table = batch()
    swapped = put(put(table, "pieces", table["rounded"]), "rounded", table["pieces"])
    assert {("pieces", "distinct"), ("rounded", "distinct")} <= beyond(swapped, profile)


def test_another_time_zone_moves_the_hours(profile):
    times = batch()["at"].cast(pa.int64()).to_numpy() + 5 * HOUR
    table = put(batch(), "at", pa.array(times, pa.timestamp("us", tz="UTC")))
    assert ("at", "moved") in beyond(table, profile)


def test_a_burst_of_nulls_is_told_of_texts_and_of_nan(profile):
    notes = [None if at % 4 == 0 else "ok" for at in range(800)]
    prices = np.where(np.arange(800) % 4 == 0, math.nan, batch()["price"].to_numpy())
    table = put(put(batch(), "note", notes), "price", prices)
    assert {("note", "nulls"), ("price", "nulls")} <= beyond(table, profile)


def test_lists_are_compared_by_their_number_of_items(profile):
    table = put(batch(), "lines", [[1] * 3] * 800)
    assert ("lines", "moved") in beyond(table, profile)


def test_a_running_number_is_not_expected_where_it_was(profile):
    kinds = {each.measure for each in movements(batch(), profile) if each.column == "number"}
    assert kinds == {"nulls", "far"}


def test_a_column_of_another_type_is_the_schemas_matter(profile):
    table = put(batch(), "shop", list(range(800)))
    assert "shop" not in {each.column for each in movements(table, profile)}


def test_a_batch_of_few_rows_is_not_compared(profile):
    assert movements(batch().slice(0, 29), profile) == []


def test_too_few_accepted_rows_are_no_profile():
    assert learn_profile(rows(199, seed=0), name="sales") is None


def test_an_accepted_storm_widens_what_is_usual():
    calm = rows(ROWS, seed=0)
    wild = calm["price"].to_numpy().copy()
    for start in range(0, ROWS, 4_000):
        wild[start : start + 800] *= 3
    windy = learn_profile(put(calm, "price", wild), name="sales")
    stormy = put(batch(), "price", batch()["price"].to_numpy() * 3)
    still = learn_profile(calm, name="sales")
    assert ("price", "moved") in beyond(stormy, still)
    assert ("price", "moved") not in beyond(stormy, windy)


@pytest.mark.parametrize("name", ["price", "weight"])
def test_a_creep_of_one_percent_a_week_is_warned_of_by_the_eighth_week(profile, name):
    warned = []
    for week in range(1, 9):
        table = rows(4_000, seed=week)
        crept = put(table, name, table[name].to_numpy() * 1.01**week)
        found = next(
            each
            for each in movements(crept, profile)
            if (each.column, each.measure) == (name, "moved")
        )
        warned.append(found.warn is not None and found.effect > found.warn)
    assert warned[-1]
    assert not warned[0]


def test_no_batch_of_columns_without_values_breaks_anything(profile):
    empty = pa.table(
        {
            name: pa.nulls(100, each.type)
            for name, each in zip(batch().column_names, batch().columns, strict=True)
        }
    )
    found = beyond(empty, profile)
    assert ("price", "nulls") in found
    assert ("shop", "nulls") in found
