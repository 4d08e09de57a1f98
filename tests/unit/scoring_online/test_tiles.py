"""Tiles hold what their events add up to, in whatever order and batches they come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import DataError
from tondo.language.tree import Column, WindowCall
from tondo.language.windows import window_start_us
from tondo.scoring.keys import NULL, ViewKeys
from tondo.scoring.layout import EventSlot, ViewLayout
from tondo.scoring.tiles import (
    TILES,
    Run,
    TileCodec,
    TileReader,
    lasts_of,
    levels_of,
    merged,
    runs_of,
)

X = Column("x", "double")
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
CALLS = [
    WindowCall("avg", X, window, tile_us=tile)
    for window, tile in (
        (7 * DAY_US, HOUR_US),
        (90 * DAY_US, HOUR_US),
        (30 * DAY_US, 5 * MINUTE_US),
        (2 * DAY_US, DAY_US),
        (28 * DAY_US, 7 * DAY_US),
        (100 * MINUTE_US, 8 * MINUTE_US),
        (10, 1),
    )
]
LAYOUT = ViewLayout(
    view="v",
    version="1",
    kind="window",
    entity="origin",
    key="origin",
    key_type="string",
    features={},
    slots={
        "s0": EventSlot(kind="sum", type="double"),
        "s1": EventSlot(kind="value", type="string"),
        "s2": EventSlot(kind="sum", type="double", squared=True),
        "s3": EventSlot(kind="present", type="string"),
    },
    levels_us=(10, 100),
    has_recorded=True,
    freshness_us=1,
)


@pytest.mark.parametrize(
    ("call", "minutes"),
    list(
        zip(
            CALLS,
            [[5, 60], [5, 60, 1440], [5, 60, 1440], [5, 1440], [5, 60, 10080], [8]],
            strict=False,
        )
    ),
)
def test_a_long_window_is_read_by_few_levels(call, minutes):
    assert [level / MINUTE_US for level in levels_of(call)] == minutes


def test_windows_without_tiles_and_values_that_do_not_add_up_have_none():
    assert levels_of(WindowCall("avg", X, DAY_US)) == ()
    assert levels_of(WindowCall("max", X, DAY_US, tile_us=HOUR_US)) == ()
    assert runs_of(WindowCall("avg", X, DAY_US), HOUR_US) == []


@given(
    call=st.sampled_from(CALLS),
    at=st.integers(-(10**15), 4 * 10**15),
    near=st.sampled_from([1, HOUR_US, DAY_US, 5 * MINUTE_US]),
    offset=st.integers(-1, 1),
)
def test_runs_lie_on_boundaries_and_fill_the_window_up_to_the_open_tile(call, at, near, offset):
    at = at - at % near + offset
    runs = runs_of(call, at)
    finest = levels_of(call)[0]
    assert runs[0].start_us == window_start_us(call, at)
    assert runs[-1].stop_us == at - at % finest
    assert all(one.stop_us == other.start_us for one, other in pairwise(runs))
    for run in runs:
        assert run.start_us % run.level_us == run.stop_us % run.level_us == 0
        assert 0 < (run.stop_us - run.start_us) // run.level_us <= 4 * TILES
    begin, end = lasts_of(call, at)
    assert begin <= at < end
    assert runs_of(call, begin) == runs_of(call, end - 1) == runs
    assert runs_of(call, end) != runs


times = st.integers(-3000, 3000)
large, squared = (st.none() | st.integers(-(2**most), 2**most) for most in (100, 52))
events = st.lists(
    st.tuples(times, times, large, squared, st.just(1)),
    min_size=1,
    max_size=40,
)


def blocks_of(codec, batches):
    """Add the events of each batch to their blocks, as a writer does."""
    kept = {}
    for batch in batches:
        fresh = {}
        for time, recorded, a, c, present in batch:
            totals = codec.totals(time, recorded, [a, "text", c, present])
            for level, size in enumerate(codec.levels):
                block, place = divmod(time // size, TILES)
                tiles = fresh.setdefault((level, block), {})
                tiles[place] = merged(tiles[place], totals) if place in tiles else totals
        for key, tiles in fresh.items():
            kept[key] = codec.add(kept.get(key), tiles)
    return kept


@given(events=events, cut=st.integers(0, 40), seed=st.randoms())
def test_the_order_of_events_and_their_batches_leave_no_trace(events, cut, seed):
    codec = TileCodec(LAYOUT)
    whole = blocks_of(codec, [events])
    shuffled = seed.sample(events, len(events))
    assert blocks_of(codec, [shuffled[:cut], shuffled[cut:]]) == whole
    assert blocks_of(codec, [[each] for each in shuffled]) == whole


@given(events=events, start=st.integers(-30, 30), length=st.integers(1, 60))
def test_runs_add_up_to_what_a_plain_loop_adds_up(events, start, length):
    codec, reader, keys = (
        TileCodec(LAYOUT),
        TileReader(LAYOUT, ["s2", "s0", "s3"]),
        ViewKeys(LAYOUT),
    )
    kept = {keys.block("JFK", *place): block for place, block in blocks_of(codec, [events]).items()}
    stem = keys.stem("JFK")
    run = Run(100, start * 100, (start + length) * 100)
    parts = reader.parts(run)
    asked = [stem + part.tail for part in parts]
    found = [[(key, kept[key])] if key in kept else [] for key in asked]
    sums = reader.read([part.places for part in parts], found)
    inside = [event for event in events if run.start_us <= event[0] < run.stop_us]
    if not inside:
        assert sums is None
        return
    assert (sums.count, sums.newest_us) == (len(inside), max(event[0] for event in inside))
    assert sums.recorded_us >= max(event[1] for event in inside)
    for slot, place in (("s0", 2), ("s2", 3)):
        there = [event[place] for event in inside if event[place] is not None]
        squares = sum(each * each for each in there) if slot == "s2" else 0
        assert reader.sums_of(slot, sums) == (len(there), sum(there), squares)
    assert reader.sums_of("s3", sums) == (len(inside), 0, 0)


def test_a_slot_that_nobody_asked_for_is_stepped_over():
    codec, reader = TileCodec(LAYOUT), TileReader(LAYOUT, ["s3"])
    kept = blocks_of(codec, [[(5, NULL, 7, 8, 1), (6, NULL, None, 9, 1)]])
    found = [(ViewKeys(LAYOUT).block("JFK", *place), block) for place, block in kept.items()]
    sums = reader.read([(0, 1)], [found[:1]])
    assert (sums.count, reader.sums_of("s3", sums)) == (2, (2, 0, 0))


def test_what_no_block_can_hold_is_refused():
    with pytest.raises(DataError, match="TD-LANG-012"):
        TileCodec(LAYOUT).add(None, {0: [0, 0, 1, 1, 1 << 126, 0, 0, 0, 0]})


def test_a_damaged_block_is_refused():
    with pytest.raises(DataError, match="TD-ONLINE-003"):
        TileCodec(LAYOUT).add(b"\x00damaged", {0: [0, 0, 1, 1, 1, 0, 0, 0, 0]})
