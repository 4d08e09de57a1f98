"""Lists in lookup views: what is materialised or pushed, and read online, is what a join gives."""

import pyarrow as pa
import pytest

from airport import ORIGIN, TIME, weather_view
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.adapters.online.memory.store import MemoryStore
from tondo.stages.data.arrow_types import arrow_type
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.features.joins import join_views
from tondo.stages.features.materialise import materialise, read_online
from tondo.stages.features.newest_rows import plain_values
from tondo.stages.features.push import push
from tondo.stages.features.views import check_view

LISTS = {
    "prices": "list<double>",
    "flights": "list<id>",
    "open": "list<bool>",
    "words": "list<string>",
    "seen": "list<timestamp>",
    "days": "list<date>",
}
COLUMNS = {"origin": "string", "hour": "timestamp", "text": "string", **LISTS}
SOURCE = SourceDefinition(
    name="weather", columns=COLUMNS, event_time="hour", key=("origin", "hour")
)
FEATURES = {
    **{name: name for name in LISTS},
    "told": "tokens(text)",
    "pairs": "ngrams(tokens(text), 2, ' ')",
    "distinct": "unique(words)",
    "second": "item(prices, 2)",
}
VIEW = check_view(weather_view(features=FEATURES), entity=ORIGIN, source=SOURCE)
HOUR_US = 3_600_000_000
ROWS = [
    {
        "origin": "JFK",
        "hour": 1 * HOUR_US,
        "text": "clear sky by night",
        "prices": [1.5, None, -0.0, 1e300, 1 / 3],
        "flights": [2**53 + 1, None, -(2**62)],
        "open": [True, False, None],
        "words": ["é", "", None, "a\x00b", "é"],
        "seen": [-1, None, 1_700_000_000_123_456],
        "days": [-1, None, 20_000],
    },
    {
        "origin": "LGA",
        "hour": 2 * HOUR_US,
        "text": "",
        **{name: [] for name in LISTS},
    },
    {"origin": "EWR", "hour": 3 * HOUR_US, "text": None, **dict.fromkeys(LISTS)},
    # Equal in both times: the greater content wins, in a join and in either order of pushes.
    {
        "origin": "BOS",
        "hour": 4 * HOUR_US,
        "text": "b",
        **{name: [None] for name in LISTS},
    },
    {
        "origin": "BOS",
        "hour": 4 * HOUR_US,
        "text": "a",
        **{name: [None] for name in LISTS},
        "days": [1],
    },
]
KEYS = ["JFK", "LGA", "EWR", "BOS"]


def table_of(rows):
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], arrow_type(type_))
            for name, type_ in COLUMNS.items()
        }
    )


def bits(value):
    if isinstance(value, list):
        return [bits(each) for each in value]
    return value.hex() if isinstance(value, float) else value


def joined(engine):
    spine = pa.table({"origin": KEYS, "t": pa.array([9 * HOUR_US] * len(KEYS), TIME)})
    features = [(name, "weather", name, "origin") for name in FEATURES]
    found = join_views(
        spine,
        time="t",
        view_features=features,
        views={"weather": (VIEW, table_of(ROWS))},
        engine=engine,
    )
    return {name: bits(plain_values(found, name)) for name in FEATURES}


def read(online):
    rows = read_online(VIEW, KEYS, 9 * HOUR_US, online=online)
    return {name: bits([row[name] for row in rows]) for name in FEATURES}


def test_lists_that_were_materialised_are_read_as_a_join_gives_them(engine, ledger):
    online = MemoryStore()
    materialise(
        VIEW,
        table_of(ROWS),
        engine=engine,
        online=online,
        ledger=ledger,
        clock=ManualClock(9 * HOUR_US),
    )
    assert read(online) == joined(engine)


@pytest.mark.parametrize("order", [1, -1])
def test_lists_that_were_pushed_are_read_as_a_join_gives_them(engine, order):
    online = MemoryStore()
    events = [{**row, "event_id": str(place)} for place, row in enumerate(ROWS)]
    push(
        VIEW,
        events[::order],
        online=online,
        eventlog=MemoryEventLog(),
        clock=ManualClock(5 * HOUR_US),
    )
    assert read(online) == joined(engine)
