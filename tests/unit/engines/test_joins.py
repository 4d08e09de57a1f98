"""Point-in-time joins against a slow plain loop."""

from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import DataError
from tondo.language.check import check, check_window
from tondo.language.parse import parse, parse_window
from tondo.language.windows import aggregate, quantise_for
from tondo.ports.engine import FileTable, LookupJoin, WindowJoin
from tondo.scoring.online import content_order

TIME = pa.timestamp("us", tz="UTC")
COLUMNS = {
    "key": "string",
    "e": "timestamp",
    "r": "timestamp",
    "x": "double",
    "s": "string",
    "y": "double",
}
LOOKUPS = {"x": "x", "upper": "upper(s)", "filled": "coalesce(x, 7.0)"}
WINDOWS = {
    "n": "count(*) over 10ms",
    "nx": "count(x) over 10ms",
    "total": "sum(x) over 10ms",
    "mean": "avg(x) over 10ms",
    "spread": "stddev(x) over 10ms",
    "wide": "avg(x) over 40ms",
    "least": "min(x) over 10ms",
    "most": "max(s) over 10ms",
    "first": "first(x) over 10ms",
    "last": "last(x) over 40ms",
    "last_s": "last(s) over 40ms",
    "kept": "last_k(x, 2) over 10ms",
    "kept_s": "last_k(s, 3) over 40ms",
    "kinds": "count_distinct(x) over 40ms",
    "kinds_s": "count_distinct(s) over 10ms",
    "about": "approx_count_distinct(x) over 40ms",
    "about_s": "approx_count_distinct(s) over 40ms",
    "about_e": "approx_count_distinct(e) over 40ms",
    "share": "ratio(x, x + 1.0) over 40ms",
    "over_y": "ratio(x, y) over 10ms scale=8",
    "tiled": "avg(x) over 10ms tiles 4ms",
    "tiled_n": "count(*) over 40ms tiles 8ms",
    "tiled_least": "min(x) over 10ms tiles 4ms",
    "tiled_kept": "last_k(x, 4) over 10ms tiles 5ms",
    "tiled_about": "approx_count_distinct(s) over 10ms tiles 10ms",
    "tiled_share": "ratio(x, y) over 40ms tiles 8ms",
}


@pytest.fixture(scope="module")
def duckdb():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


@pytest.fixture(params=["duckdb", "spark"])
def engine(request):
    return request.getfixturevalue(request.param)


def events_table(events):
    full = [(*event, 3.0)[:6] for event in events]
    fields = list(zip(*full, strict=True)) if full else [[]] * 6
    types = [pa.string(), TIME, TIME, pa.float64(), pa.string(), pa.float64()]
    return pa.table(
        [pa.array(list(each), kind) for each, kind in zip(fields, types, strict=True)],
        names=list(COLUMNS),
    )


def spine_table(spine):
    fields = list(zip(*spine, strict=True)) if spine else [[]] * 2
    return pa.table(
        {"origin": pa.array(list(fields[0]), pa.string()), "t": pa.array(list(fields[1]), TIME)}
    )


def lookup(events, *, recorded, ttl_us, cadence_us, timed=True):
    trees = {name: check(parse(text), COLUMNS) for name, text in LOOKUPS.items()}
    return LookupJoin(
        view="v",
        table=events_table(events),
        key="key",
        spine_key="origin",
        event_time="e" if timed else None,
        recorded_at="r" if recorded else None,
        ttl_us=ttl_us,
        cadence_us=cadence_us,
        features=trees,
        prefix="v_",
    )


def window(events, *, recorded):
    calls = {name: check_window(parse_window(text), COLUMNS) for name, text in WINDOWS.items()}
    return WindowJoin(
        view="v",
        table=events_table(events),
        key="key",
        spine_key="origin",
        event_time="e",
        recorded_at="r" if recorded else None,
        features=calls,
        prefix="v_",
    )


def looked_up(event):
    """The features of one event, by hand."""
    x, s = event[3:5]
    return {
        "v_x": x,
        "v_upper": s.upper() if s is not None else None,
        "v_filled": 7.0 if x is None else x,
    }


def slow_lookup(events, key, t, *, recorded, ttl_us, cadence_us):
    nothing = dict.fromkeys(looked_up((0, 0, 0, 0.0, "")))
    if key is None or t is None:
        return nothing
    seen = t if cadence_us is None else t - t % cadence_us
    known = [
        event
        for event in events
        if event[0] == key
        and event[1] is not None
        and event[1] <= seen
        and (not recorded or (event[2] is not None and event[2] <= seen))
    ]
    if not known:
        return nothing

    def order(event):
        values = looked_up(event)
        return (
            event[1],
            event[2] if recorded else 0,
            content_order(values[n] for n in sorted(values)),
        )

    best = max(known, key=order)
    if ttl_us is not None and t - best[1] > ttl_us:
        return nothing
    return looked_up(best)


def slow_window(events, key, t, *, recorded):
    if key is None or t is None:
        return {f"v_{name}": None for name in WINDOWS}
    answer = {}
    for name, text in WINDOWS.items():
        call = check_window(parse_window(text), COLUMNS)
        within = [
            event
            for event in events
            if event[0] == key
            and event[1] is not None
            and slow_start(call, t) <= event[1] < t
            and (not recorded or (event[2] is not None and event[2] <= t))
        ]
        value_of = slow_argument(call)
        within.sort(key=lambda e: (e[1], e[2] if recorded else 0, content_order([value_of(e)])))
        value = aggregate(call, [value_of(event) for event in within])
        answer[f"v_{name}"] = 0.0 if value == 0.0 and call.function in {"min", "max"} else value
    return answer


def slow_start(call, t):
    """Try every boundary: the tile in which t - w lies."""
    if call.tile_us is None:
        return t - call.window_us
    boundaries = range(-call.tile_us * 200, t + 1, call.tile_us)
    return max(each for each in boundaries if each <= t - call.window_us)


def slow_argument(call):
    """Return what an event gives to the call, sums in their units."""
    if call.argument is None:
        return lambda event: event[3]
    if call.function == "ratio":
        # The divisors here are y and x + 1.0.
        below = (lambda x, y: y) if hasattr(call.divisor, "name") else (lambda x, y: x + 1.0)

        def pair(event):
            x, y = event[3], event[5]
            if x is None or below(x, y) is None:
                return None
            return quantise_for(call, x), quantise_for(call, below(x, y))

        return pair
    place = list(COLUMNS).index(call.argument.name)
    if call.function in {"sum", "avg", "stddev"}:
        return lambda event: None if event[place] is None else quantise_for(call, event[place])
    return lambda event: event[place]


def bits(value):
    if isinstance(value, list):
        return [bits(each) for each in value]
    return value.hex() if isinstance(value, float) else value


def assert_same(table, expected):
    for row, wanted in zip(table.to_pylist(), expected, strict=True):
        assert {name: bits(row[name]) for name in wanted} == {n: bits(v) for n, v in wanted.items()}


def instants(most=60):
    return st.integers(0, most).map(lambda tick: tick * 1000 + 5)


def some_events(*, late=True):
    delay = st.sampled_from([0, 0, 1000, 7000, -3000]) if late else st.just(0)
    event = st.tuples(
        st.sampled_from(["a", "b", None]),
        st.none() | instants(),
        delay,
        st.sampled_from([0.0, -0.0, 1.5, -2.25, 1e-9, 1 / 3, 4e9, None]),
        st.sampled_from(["x", "y", "", None]),
        st.sampled_from([2.0, -2.0, 0.0, 4e9, None]),
    )
    return st.lists(event, max_size=25).map(
        lambda rows: [(k, e, None if e is None else e + d, x, s, y) for k, e, d, x, s, y in rows]
    )


spines = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.none() | instants(120)),
    min_size=1,
    max_size=15,
)
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(
    events=some_events(),
    spine=spines,
    recorded=st.booleans(),
    ttl_us=st.sampled_from([None, 5000, 20_000]),
    cadence_us=st.sampled_from([None, None, 8000]),
)
def test_lookups_equal_the_slow_loop(duckdb, events, spine, recorded, ttl_us, cadence_us):
    how = {"recorded": recorded, "ttl_us": ttl_us, "cadence_us": cadence_us}
    answer = duckdb.point_in_time(
        spine_table(spine), time="t", lookups=[lookup(events, **how)], windows=[]
    )
    assert_same(answer, [slow_lookup(events, key, t, **how) for key, t in spine])


@quick
@given(events=some_events(), spine=spines, recorded=st.booleans())
def test_windows_equal_the_slow_loop(duckdb, events, spine, recorded):
    answer = duckdb.point_in_time(
        spine_table(spine), time="t", lookups=[], windows=[window(events, recorded=recorded)]
    )
    assert_same(answer, [slow_window(events, key, t, recorded=recorded) for key, t in spine])


def many_histories(random, *, keys):
    """Events of many keys and spine rows over them: on Spark a join costs seconds, whatever lies in it."""
    names = [f"k{number}" for number in range(keys)]
    events, spine = [], []
    for name in [*names, None]:
        for _ in range(random.randint(0, 25)):
            e = None if random.random() < 0.05 else random.randint(0, 60) * 1000 + 5
            late = random.choice([0, 0, 1000, 7000, -3000])
            x = random.choice([0.0, -0.0, 1.5, -2.25, 1e-9, 1 / 3, 4e9, None])
            s = random.choice(["x", "y", "", None])
            y = random.choice([2.0, -2.0, 0.0, 4e9, None])
            events.append((name, e, None if e is None else e + late, x, s, y))
        for _ in range(random.randint(1, 4)):
            spine.append(
                (name, None if random.random() < 0.05 else random.randint(0, 120) * 1000 + 5)
            )
    spine += [("unknown", 50_005), ("unknown", None)]
    random.shuffle(events)
    random.shuffle(spine)
    return events, spine


def of_key(events, key):
    return [event for event in events if event[0] == key]


def test_lookups_on_spark_equal_the_slow_loop(spark):
    events, spine = many_histories(Random(3), keys=120)
    ways = [
        {"recorded": recorded, "ttl_us": ttl_us, "cadence_us": cadence_us}
        for recorded, ttl_us, cadence_us in [
            (False, None, None), (True, 5000, None), (True, None, 8000), (False, 20_000, 8000),
        ]
    ]  # fmt: skip
    joins = [replace(lookup(events, **how), prefix=f"{n}_") for n, how in enumerate(ways)]
    answer = spark.point_in_time(spine_table(spine), time="t", lookups=joins, windows=[])
    for n, how in enumerate(ways):
        slow = [slow_lookup(of_key(events, key), key, t, **how) for key, t in spine]
        wanted = [{name.replace("v_", f"{n}_"): row[name] for name in row} for row in slow]
        assert_same(answer, wanted)


@pytest.mark.parametrize("recorded", [False, True])
def test_windows_on_spark_equal_the_slow_loop(spark, recorded):
    events, spine = many_histories(Random(4), keys=120)
    joins = [window(events, recorded=recorded)]
    answer = spark.point_in_time(spine_table(spine), time="t", lookups=[], windows=joins)
    slow = [slow_window(of_key(events, key), key, t, recorded=recorded) for key, t in spine]
    assert_same(answer, slow)


def test_every_spine_row_comes_back_once_and_in_order(engine):
    spine = [("a", 70_000), (None, 5), ("b", None), ("a", 3), ("a", 70_000)]
    answer = engine.point_in_time(spine_table(spine), time="t", lookups=[], windows=[])
    assert answer.column("origin").to_pylist() == ["a", None, "b", "a", "a"]


def test_a_view_without_time_gives_the_last_row_of_each_key(engine):
    events = [
        ("a", None, None, 1.0, "x"),
        ("b", None, None, 5.0, "x"),
        ("a", None, None, 2.0, None),
    ]
    join = lookup(events, recorded=False, ttl_us=None, cadence_us=None, timed=False)
    answer = engine.point_in_time(
        spine_table([("a", 1), ("c", 1), (None, 1), ("b", 1)]), time="t", lookups=[join], windows=[]
    )
    assert answer.column("v_x").to_pylist() == [2.0, None, None, 5.0]
    assert answer.column("v_filled").to_pylist() == [2.0, None, None, 5.0]


def test_a_view_without_time_in_files_gives_the_last_row_of_the_last_file(engine, tmp_path):
    paths = (tmp_path / "z.parquet", tmp_path / "a.parquet")
    for number, path in enumerate(paths):
        events = [("a", None, None, 2.0 * number, "x"), ("a", None, None, 2.0 * number + 1, "x")]
        pq.write_table(events_table(events), path)
    join = lookup([], recorded=False, ttl_us=None, cadence_us=None, timed=False)
    join = replace(join, table=FileTable(paths=paths, columns=COLUMNS))
    answer = engine.point_in_time(spine_table([("a", 1)]), time="t", lookups=[join], windows=[])
    assert answer.column("v_x").to_pylist() == [3.0]


def test_an_unknown_key_does_not_take_an_expression_s_default(engine):
    join = lookup([], recorded=False, ttl_us=None, cadence_us=None)
    answer = engine.point_in_time(spine_table([("a", 1)]), time="t", lookups=[join], windows=[])
    assert answer.column("v_filled").to_pylist() == [None]


def test_sums_beyond_doubles_are_still_exact(engine):
    big = 2.0**60
    events = [("a", 1, 1, big, ""), ("a", 2, 2, 1.0, ""), ("a", 3, 3, -big, "")]
    calls = {"total": check_window(parse_window("sum(x) over 10ms"), COLUMNS)}
    join = WindowJoin(
        view="v",
        table=events_table(events),
        key="key",
        spine_key="origin",
        event_time="e",
        recorded_at=None,
        features=calls,
        prefix="",
    )
    spine = spine_table([("a", 4), ("a", 3)])
    answer = engine.point_in_time(spine, time="t", lookups=[], windows=[join])
    assert answer.column("total").to_pylist() == [1.0, float(2**60 + 1)]


@pytest.mark.parametrize(
    ("text", "value"), [("avg(x) over 10ms", 2.0**81), ("stddev(x) over 10ms", 2.0**33)]
)
def test_a_value_too_large_for_an_exact_sum_is_named(engine, text, value):
    calls = {"f": check_window(parse_window(text), COLUMNS)}
    join = WindowJoin(
        view="v",
        table=events_table([("a", 1, 1, value, "")]),
        key="key",
        spine_key="origin",
        event_time="e",
        recorded_at=None,
        features=calls,
        prefix="",
    )
    with pytest.raises(DataError, match=r"TD-LANG-012.*'f' of view 'v'.*key 'a'"):
        engine.point_in_time(spine_table([("a", 4)]), time="t", lookups=[], windows=[join])


def test_two_roles_of_one_view_are_joined_side_by_side(engine):
    events = [("a", 1, 1, 1.0, ""), ("b", 1, 1, 2.0, "")]
    trees = {"x": check(parse("x"), COLUMNS)}
    joins = [
        LookupJoin(
            view="v",
            table=events_table(events),
            key="key",
            spine_key=key,
            event_time="e",
            recorded_at=None,
            ttl_us=None,
            cadence_us=None,
            features=trees,
            prefix=f"@v[{key}].",
        )
        for key in ("origin", "dest")
    ]
    spine = pa.table({"origin": ["a"], "dest": ["b"], "t": pa.array([5], TIME)})
    answer = engine.point_in_time(spine, time="t", lookups=joins, windows=[])
    assert answer.to_pylist()[0]["@v[dest].x"] == 2.0
    assert answer.to_pylist()[0]["@v[origin].x"] == 1.0
