"""What holds between columns, and which column broke it, on made-up parking tickets."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from tondo.stages.data.constraints import ColumnSchema, ReferenceLimits
from tondo.stages.data.movement import movements
from tondo.stages.data.reference_profile import learn_profile
from tondo.stages.data.relations.time_parts import PARTS, time_part
from tondo.stages.data.rules import reference
from tondo.stages.data.schema import Schema
from tondo.stages.data.validation import apply_patches

NEW_YORK = ZoneInfo("America/New_York")
CITY = {"north": "Boston", "south": "Austin", "west": "Reno"}


def rows(count, *, seed, day=dt.date(2013, 2, 1), days=90):
    """Return tickets of some days from `day` on, in the order of time."""
    random = np.random.default_rng(seed)
    start = dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()
    seconds = np.sort(start + random.integers(0, days * 86_400, count))
    local = [dt.datetime.fromtimestamp(each, dt.UTC).astimezone(NEW_YORK) for each in seconds]
    price, pieces = random.integers(1, 90, count), random.integers(1, 9, count)
    tip = np.round(random.exponential(3, count), 2)
    shops = random.choice(list(CITY), count)
    unpaid = random.random(count) < 0.1
    unread = unpaid | (random.random(count) < 0.05)
    return pa.table(
        {
            "at": pa.array((seconds * 1e6).astype("int64"), pa.timestamp("us", tz="UTC")),
            "month": [each.month for each in local],
            "day": [each.day for each in local],
            "hour": [each.hour for each in local],
            "minute": [each.minute for each in local],
            "clock": [each.hour * 100 + each.minute for each in local],
            "price": price,
            "pieces": pieces,
            "goods": price * pieces,
            "tip": tip,
            "total": price * pieces + tip,
            "shop": shops,
            "city": [CITY[each] for each in shops],
            "paid": pa.array(random.normal(9, 2, count), mask=unpaid),
            "read": pa.array(random.normal(9, 2, count), mask=unread),
        }
    )


@pytest.fixture(scope="module")
def profile():
    return learn_profile(rows(20_000, seed=0), name="tickets")


def batch(**more):
    return rows(900, **{"seed": 1, "day": dt.date(2013, 7, 9), "days": 3, **more})


def put(table, **columns):
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(column))
    return table


def broken(table, profile):
    """Return who is blamed of which relation, beyond its limit."""
    return {
        (each.column, each.value)
        for each in movements(table, profile)
        if each.measure == "relation" and each.certain and each.effect > each.limit
    }


def blamed(table, profile):
    return {name for name, _ in broken(table, profile)}


def later(table, hours, chosen=slice(None)):
    micros = table["at"].cast(pa.int64()).to_numpy().copy()
    micros[chosen] += hours * 3_600_000_000
    return put(table, at=pa.array(micros, pa.timestamp("us", tz="UTC")))


def test_relations_of_every_kind_are_found_and_no_others(profile):
    assert {each.formula for each in profile.relations} == {
        "month = month(at)",
        "day = day(at)",
        "hour = hour(at)",
        "minute = minute(at)",
        "clock = 100 * hour + minute",
        "goods = price * pieces",
        "total = goods + tip",
        "shop determines city",
        "city determines shop",
        "paid is missing only where read is",
    }


def test_rows_of_the_same_kind_break_nothing_in_any_season(profile):
    days = [dt.date(2013, month, 10) for month in range(1, 13)]
    found = [broken(batch(seed=at, day=day, days=1), profile) for at, day in enumerate(days)]
    assert found == [set()] * 12


@pytest.mark.parametrize("hours", [-4, -1, 1, 5])
@pytest.mark.parametrize("share", [1, 20])
def test_a_shift_of_the_clock_is_blamed_on_the_time(profile, hours, share):
    table = later(batch(), hours, slice(None, None, share))
    assert blamed(table, profile) == {"at"}


def test_the_shift_that_would_mend_it_is_told(profile):
    found = [each for each in movements(later(batch(), 1), profile) if each.measure == "relation"]
    assert {each.repair for each in found} == {"at is moved by -1 h; has the time zone changed?"}


@pytest.mark.parametrize(("first", "second"), [("month", "day"), ("hour", "minute")])
def test_of_exchanged_columns_one_is_blamed_and_both_are_told(profile, first, second):
    table = batch()
    table = put(table, **{first: table[second], second: table[first]})
    found = [each for each in movements(table, profile) if each.measure == "relation"]
    assert blamed(table, profile) <= {first, second}
    pairs = {
        f"{a} and {b} are exchanged; are they swapped?"
        for a, b in ((first, second), (second, first))
    }
    assert pairs & {each.repair for each in found}


def test_a_time_is_shifted_rather_than_two_columns_that_agree_with_each_other(profile):
    table = batch()
    hours = (table["hour"].to_numpy() + 1) % 24
    table = put(table, hour=hours, clock=hours * 100 + table["minute"].to_numpy())
    assert "at" in blamed(table, profile)


def test_nulls_where_the_other_column_has_a_value_are_blamed_on_the_column(profile):
    table = batch()
    wrong = np.arange(900) % 50 == 0
    paid = table["paid"].to_pandas().mask(wrong)
    assert blamed(put(table, paid=pa.array(paid, from_pandas=True)), profile) == {"paid"}


def test_a_storm_that_empties_both_columns_breaks_nothing(profile):
    table = batch()
    nothing = pa.nulls(900, pa.float64())
    assert broken(put(table, paid=nothing, read=nothing), profile) == set()


def test_a_unit_of_a_summand_breaks_the_sum(profile):
    table = batch()
    spoiled = put(table, price=table["price"].to_numpy() * 100)
    assert broken(spoiled, profile) == {("price", "goods = price * pieces")}


def test_a_text_beside_another_value_breaks_what_it_determined(profile):
    table = batch()
    cities = ["Reno" if at % 9 == 0 else each for at, each in enumerate(table["city"].to_pylist())]
    assert blamed(put(table, city=cities), profile) <= {"city", "shop"}
    assert broken(put(table, city=cities), profile)


def test_a_text_that_was_never_seen_says_nothing(profile):
    table = batch()
    assert broken(put(table, shop=["east"] * 900, city=["Miami"] * 900), profile) == set()


def test_a_slip_of_two_rows_is_no_break(profile):
    assert broken(later(batch(), 1, slice(2)), profile) == set()


def test_few_accepted_rows_leave_room_for_what_they_did_not_show():
    profile = learn_profile(rows(300, seed=0), name="tickets")
    some = later(batch(), 1, slice(None, None, 50))
    assert broken(some, profile) == set()
    assert blamed(later(batch(), 1), profile) == {"at"}


def test_in_january_the_day_may_be_that_of_the_year():
    january = rows(5_000, seed=0, day=dt.date(2013, 1, 2), days=28)
    profile = learn_profile(january, name="tickets")
    assert "day = day or day_of_year(at)" in {each.formula for each in profile.relations}
    assert broken(batch(day=dt.date(2013, 4, 1)), profile) == set()


def test_columns_that_both_tell_the_time_are_not_related_to_each_other():
    january = rows(5_000, seed=0, day=dt.date(2013, 1, 2), days=28)
    again = january.append_column("day_of_year", january["day"])
    profile = learn_profile(again, name="tickets")
    assert not [each for each in profile.relations if each.formula == "day_of_year = day"]


def test_zones_that_the_rows_do_not_tell_apart_are_all_kept():
    winter = learn_profile(rows(5_000, seed=0, day=dt.date(2013, 1, 2), days=40), name="tickets")
    (hour,) = [each for each in winter.relations if each.formula == "hour = hour(at)"]
    assert hour.zones[0] == "America/New_York"
    assert len(hour.zones) > 1
    assert broken(batch(day=dt.date(2013, 7, 1)), winter) == set()


def test_accidents_of_rare_values_are_no_relations():
    random = np.random.default_rng(5)
    rare = {f"flag{at}": (random.random(5_000) < 0.002).astype(int) for at in range(6)}
    assert learn_profile(pa.table(rare), name="flags").relations == ()


def test_running_numbers_that_differ_by_little_are_no_copies():
    numbers = 1_700_000_000 + np.arange(5_000)
    table = pa.table({"begun": numbers, "ended": numbers + np.arange(5_000) % 3})
    assert learn_profile(table, name="spans").relations == ()


def test_infinities_and_years_beyond_all_zones_are_passed_over():
    table = batch()
    times = table["at"].cast(pa.int64()).to_numpy().copy()
    times[:5] = [2**62, -(2**62), 0, 2**55, -(2**55)]
    totals = table["total"].to_numpy().copy()
    totals[:2] = [np.inf, -np.inf]
    hostile = put(table, at=pa.array(times, pa.timestamp("us", tz="UTC")), total=totals)
    profile = learn_profile(pa.concat_tables([rows(2_000, seed=3), hostile]), name="tickets")
    assert movements(hostile, profile)


def test_a_column_that_is_gone_is_the_schemas_matter(profile):
    assert blamed(later(batch().drop_columns(["hour"]), 1), profile) <= {"at"}


def test_the_patch_drops_the_relation_and_nothing_else(profile):
    moved = movements(later(batch(), 1), profile)
    columns = {name: ColumnSchema(type="double") for name in batch().column_names}
    found = [each for each in reference.check(moved, columns) if each.kind == "reference_relation"]
    assert [(each.code, each.column) for each in found] == [("TD-SCHEMA-067", "at")]
    assert "hour = hour(at)" in found[0].message
    patched = apply_patches(Schema(name="tickets", columns=columns), found)
    dropped = patched.columns["at"].reference
    assert dropped is not None
    assert "hour = hour(at)" in dropped.broken
    assert dropped == ReferenceLimits(broken=dropped.broken)
    again = reference.check(moved, patched.columns)
    assert not [each for each in again if each.kind == "reference_relation"]


def test_a_relation_with_a_column_that_is_not_checked_is_left_alone(profile):
    moved = [each for each in movements(later(batch(), 1), profile) if each.measure == "relation"]
    columns = {name: ColumnSchema(type="double") for name in batch().column_names}
    unchecked = {
        name: ColumnSchema(type="double", stage="deprecated") for name in ("hour", "day", "month")
    }
    assert reference.check(moved, columns | unchecked) == []


EXPECTED = {
    "hour": lambda at: at.hour,
    "day": lambda at: at.day,
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "iso_weekday": lambda at: at.isoweekday(),
    "weekday": lambda at: at.weekday(),
    "weekday_from_sunday": lambda at: at.isoweekday() % 7,
    "month": lambda at: at.month,
    "quarter": lambda at: (at.month + 2) // 3,
    "year": lambda at: at.year,
    "date": lambda at: (at.date() - dt.date(1970, 1, 1)).days,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
}


def test_every_part_is_what_the_calendar_says():
    random = np.random.default_rng(2)
    seconds = random.integers(-2_000_000_000, 4_000_000_000, 500)
    times = [
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=int(each)) for each in seconds
    ]
    local = seconds * 1e6
    assert EXPECTED.keys() == PARTS.keys()
    for part, expected in EXPECTED.items():
        found = time_part(part, np.append(local, np.nan))
        assert found[:-1].tolist() == [expected(each) for each in times]
        assert np.isnan(found[-1])


def test_implied_nulls_are_those_of_a_slow_loop(profile):
    table = rows(20_000, seed=0)
    masks = {name: table[name].is_null().to_pylist() for name in table.column_names}
    slow = {
        f"{a} is missing only where {b} is"
        for a, b in itertools.permutations(masks, 2)
        if sum(masks[a]) >= 30 and all(y for x, y in zip(masks[a], masks[b], strict=True) if x)
    }
    assert slow == {each.formula for each in profile.relations if "missing" in each.formula}
