"""The reader fills rows with one store call, and reads nothing twice."""

import msgspec
import pytest

from tondo.adapters.online.memory.store import MemoryStore
from tondo.core.errors import CallerError, DefinitionError
from tondo.language.tree import Column, WindowCall
from tondo.language.windows import aggregate
from tondo.scoring.layout import EventSlot, ViewLayout
from tondo.scoring.online import event_key, lookup_key, pack_event, pack_lookup
from tondo.scoring.reader import FeatureReader

X = Column("x", "double")
CALLS = {
    "n": WindowCall("count", None, 100),
    "nx": WindowCall("count", X, 100),
    "mean": WindowCall("avg", X, 100),
    "sd": WindowCall("stddev", X, 50),
    "least": WindowCall("min", X, 100),
    "last": WindowCall("last", X, 20),
}
WEATHER = ViewLayout(
    view="weather",
    version="00000001",
    kind="lookup",
    entity="origin",
    key="origin",
    key_type="string",
    features={"wind": "double", "sky": "string"},
    freshness_us=1,
    ttl_us=1000,
)
DELAYS = ViewLayout(
    view="delays",
    version="00000002",
    kind="window",
    entity="origin",
    key="origin",
    key_type="string",
    features=dict.fromkeys(CALLS, "double"),
    windows=CALLS,
    freshness_us=1,
    slots={
        "s0": EventSlot(kind="sum", type="double"),
        "s1": EventSlot(kind="present", type="double"),
        "s2": EventSlot(kind="value", type="double"),
    },
    slot_of={"nx": "s1", "mean": "s0", "sd": "s0", "least": "s2", "last": "s2"},
)
EVENTS = [(at, None if at % 7 == 0 else at / 3) for at in range(0, 120, 4)]


class Counting(MemoryStore):
    def __init__(self):
        super().__init__()
        self.calls = []

    def scan_many(self, ranges):
        self.calls.append(len(ranges))
        return super().scan_many(ranges)


@pytest.fixture
def store():
    filled = Counting()
    rows = [("JFK", 10, 1.0, "clear"), ("JFK", 50, 2.0, None), ("LGA", 10, 9.0, "grey")]
    filled.put_many(
        (lookup_key(WEATHER, key, at), pack_lookup(WEATHER, at, {"wind": wind, "sky": sky}))
        for key, at, wind, sky in rows
    )
    for at, x in EVENTS:
        total = None if x is None else round(x * 2**20)
        slots = {"s0": total, "s1": None if x is None else 1, "s2": x}
        filled.put_many([(event_key(DELAYS, "JFK", at, str(at)), pack_event(DELAYS, slots))])
    return filled


@pytest.fixture
def reader(store):
    return FeatureReader(store, {"weather": WEATHER, "delays": DELAYS})


def need(view, feature, key="origin"):
    return (f"@{view}.{feature}[{key}]", view, feature, key)


def test_every_view_and_key_of_a_request_is_read_once_in_one_call(reader, store):
    plan = reader.plan(
        [
            need("weather", "wind"),
            need("weather", "wind", "dest"),
            need("weather", "sky"),
            need("delays", "n"),
        ]
    )
    rows = [
        {"origin": "JFK", "dest": "LGA"},
        {"origin": "LGA", "dest": "JFK"},
        {"origin": "JFK", "dest": "JFK"},
    ]
    reader.fetch(rows, plan, 60)
    assert store.calls == [5]  # and how far the loads of weather have come
    assert [row["@weather.wind[dest]"] for row in rows] == [9.0, 2.0, 2.0]
    assert [row["@weather.sky[origin]"] for row in rows] == [None, "grey", None]
    assert [row["@delays.n[origin]"] for row in rows] == [15.0, 0.0, 15.0]


def test_a_read_at_an_earlier_time_sees_what_was_newest_then(reader):
    plan = reader.plan([need("weather", "wind")])
    found = []
    for as_of in (9, 10, 49, 50, 1050, 1051):
        row = {"origin": "JFK"}
        reader.fetch([row], plan, as_of)
        found.append(row["@weather.wind[origin]"])
    assert found == [None, 1.0, 1.0, 2.0, 2.0, None]


@pytest.mark.parametrize("as_of", [0, 1, 20, 77, 119, 120, 200, 500])
def test_windows_equal_the_specification_over_the_events_in_them(reader, as_of):
    row = {"origin": "JFK"}
    reader.fetch([row], reader.plan([need("delays", name) for name in CALLS]), as_of)
    for name, call in CALLS.items():
        inside = [x for at, x in EVENTS if as_of - call.window_us <= at < as_of]
        if call.function in {"avg", "stddev"}:
            inside = [None if x is None else round(x * 2**20) for x in inside]
        assert row[f"@delays.{name}[origin]"] == aggregate(call, inside), name


def test_a_null_or_absent_key_gives_nulls_without_a_read(reader, store):
    rows = [{"origin": None}, {}]
    ages = reader.fetch(rows, reader.plan([need("weather", "wind"), need("delays", "n")]), 60)
    assert [row["@delays.n[origin]"] for row in rows] == [None, None]
    assert (store.calls, ages) == ([], {"weather": None, "delays": None})


def test_ages_are_of_the_oldest_value_used(reader):
    rows = [{"origin": "JFK"}, {"origin": "LGA"}, {"origin": "XYZ"}]
    ages = reader.fetch(rows, reader.plan([need("weather", "wind"), need("delays", "n")]), 60)
    assert ages == {"weather": 50, "delays": 4}


def test_a_key_of_the_wrong_type_reads_nothing(reader, store):
    with pytest.raises(CallerError, match="TD-ONLINE-001"):
        reader.fetch([{"origin": "JFK"}, {"origin": 7}], reader.plan([need("weather", "wind")]), 60)
    assert store.calls == []


def test_several_requests_are_read_in_one_call_and_have_their_own_ages(reader, store):
    plan = reader.plan([need("weather", "sky"), need("weather", "wind"), need("delays", "n")])
    tables = [[{"origin": "JFK"}], [{"origin": "LGA"}, {"origin": "JFK"}], [{"origin": None}]]
    ages = reader.fetch_many(tables, plan, 60)
    assert store.calls == [5]  # and how far the loads of weather have come
    assert [[row["@weather.wind[origin]"] for row in rows] for rows in tables] == [
        [2.0],
        [9.0, 2.0],
        [None],
    ]
    assert ages == [
        {"weather": 10, "delays": 4},
        {"weather": 50, "delays": 4},
        {"weather": None, "delays": None},
    ]


def test_a_wrong_key_in_one_request_leaves_all_unfilled(reader):
    tables = [[{"origin": "JFK"}], [{"origin": 7}]]
    with pytest.raises(CallerError, match="TD-ONLINE-001"):
        reader.fetch_many(tables, reader.plan([need("weather", "wind")]), 60)
    assert tables == [[{"origin": "JFK"}], [{"origin": 7}]]


def test_a_bool_is_not_taken_for_the_whole_number_it_equals():
    layout = msgspec.structs.replace(WEATHER, key_type="id")
    numbered = FeatureReader(MemoryStore(), {"weather": layout})
    plan = numbered.plan([need("weather", "wind")])
    with pytest.raises(CallerError, match="TD-ONLINE-001"):
        numbered.fetch([{"origin": 1}, {"origin": True}], plan, 60)


@pytest.mark.parametrize(
    ("view", "feature", "hint"), [("wether", "wind", "weather"), ("weather", "wnd", "wind")]
)
def test_what_has_no_layout_is_answered_with_near_names(reader, view, feature, hint):
    with pytest.raises(DefinitionError, match=f"TD-ONLINE-006.*'{hint}'"):
        reader.plan([need(view, feature)])
