"""A load counts as a whole: killed anywhere it changes nothing, ended it is what the source says."""

import itertools
import random

import pytest

from airport import HOUR_US, ORIGIN, WEATHER, rows_table, weather_view
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.online.memory.store import MemoryStore
from tondo.core.errors import ConflictError, DataError
from tondo.language.rows import compile_rows
from tondo.ports.engine import FileTable
from tondo.scoring.loads import NO_LOAD
from tondo.scoring.online import content_order
from tondo.stages.data.commits import commit, recorded_snapshot
from tondo.stages.features import loads
from tondo.stages.features.layouts import layout_of
from tondo.stages.features.loads import ViewLoad, state_of
from tondo.stages.features.materialise import materialise, plan_materialisation, read_online
from tondo.stages.features.push import push
from tondo.stages.features.views import check_view

KEYS = [f"A{number:02d}" for number in range(12)]
RECORDED = {"recorded_at": "hour_recorded"}


class Killed(BaseException):
    """Nothing catches it."""


class Dying(MemoryStore):
    """A store whose writer is killed before its n-th write."""

    def __init__(self):
        super().__init__()
        self.writes_left = None

    def _count(self):
        if self.writes_left == 0:
            raise Killed
        if self.writes_left is not None:
            self.writes_left -= 1

    def put_many(self, pairs, *, durable=True, delete=()):
        self._count()
        super().put_many(pairs, durable=durable, delete=delete)

    def put_if(self, expected, pairs, *, durable=True):
        self._count()
        return super().put_if(expected, pairs, durable=durable)


@pytest.fixture
def clock():
    return ManualClock(0)


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(loads, "BATCH", 3)
    return Dying()


@pytest.fixture
def place(store, engine, ledger, clock, blobs, eventlog):
    return Place(store, engine, ledger, clock, blobs, eventlog)


class Place:
    """A weather view with its source's files, its pushes, and what a plain loop says of them."""

    def __init__(self, store, engine, ledger, clock, blobs, eventlog):
        self.store, self.ledger, self.clock, self.blobs = store, ledger, clock, blobs
        self.engine, self.eventlog = engine, eventlog
        self.view = check_view(weather_view(), entity=ORIGIN, source=WEATHER)
        self.files, self.pushed = [], []
        self.loaded = {}
        self._compute = compile_rows(self.view.lookups)

    def table(self):
        for at, rows in enumerate(self.files):
            made = commit(
                "weather",
                rows_table(WEATHER, rows),
                ledger=self.ledger,
                blobs=self.blobs,
                clock=self.clock,
                mode="append" if at else "replace",
                by="t",
                why="t",
            )
        found = recorded_snapshot(made.snapshot, ledger=self.ledger)
        paths = tuple(self.blobs.local_path(file.digest) for file in found.files)
        return FileTable(paths=paths, columns=dict(WEATHER.columns)), made.snapshot

    def materialise(self):
        table, snapshot = self.table()
        done = materialise(
            self.view,
            table,
            engine=self.engine,
            online=self.store,
            ledger=self.ledger,
            clock=self.clock,
            snapshot=snapshot,
        )
        self.loaded = self.newest(itertools.chain(*self.files))
        return done

    def push(self, rows):
        push(self.view, rows, online=self.store, eventlog=self.eventlog, clock=self.clock)
        self.pushed += rows

    def newest(self, rows):
        """Return key to the newest visible row, by a plain loop."""
        best = {}
        for row in rows:
            order = self._order(row)
            if row["origin"] is None or row["hour"] > self.clock.now_us():
                continue
            if row["origin"] not in best or order > best[row["origin"]][0]:
                best[row["origin"]] = (order, row)
        return {key: row for key, (_, row) in best.items()}

    def _order(self, row):
        return (
            row["hour"],
            content_order(self._features(row)[name] for name in sorted(self.view.types)),
        )

    def _features(self, row):
        return dict(zip(self.view.lookups, self._compute(row), strict=True))

    def expected(self):
        rows = self.newest([*self.loaded.values(), *self.pushed])
        return {key: self._features(rows[key]) if key in rows else None for key in KEYS}

    def seen(self):
        found = read_online(self.view, KEYS, self.clock.now_us(), online=self.store)
        nothing = dict.fromkeys(self.view.types)
        answers = {}
        for row in found:
            key = row.pop("origin")
            answers[key] = None if row == nothing else row
        return answers


def rows_of(made, hours, *, keys=KEYS):
    return [
        {
            "origin": key,
            "hour": hour * HOUR_US,
            "wind": made.choice([None, 0.0, -0.0, 3.5, 30.0]),
            "sky": "x",
        }
        for key in made.sample(keys, made.randint(1, len(keys)))
        for hour in hours
    ]


def change(place, made, hour):
    """Change the source as sources do: a file more, a file replaced, removed, or none."""
    what = made.choice(["add", "add", "replace", "remove", "nothing"])
    fresh = rows_of(made, [hour - 1, hour, hour + 1])
    if what == "add" or len(place.files) < 2:
        place.files.append(fresh)
    elif what == "replace":
        place.files[made.randrange(len(place.files))] = fresh
    elif what == "remove":
        del place.files[made.randrange(len(place.files))]


@pytest.mark.parametrize("seed", range(12))
def test_reads_are_what_the_source_says_wherever_loads_are_killed(place, seed):
    made = random.Random(seed)
    for hour in range(1, 14):
        place.clock.set_us(hour * HOUR_US)
        change(place, made, hour)
        if made.random() < 0.4:
            place.push(rows_of(made, [hour], keys=KEYS[:4]))
        place.store.writes_left = made.choice([None, None, *range(8)])
        try:
            place.materialise()
        except Killed:
            place.store.writes_left = None
            if state_of(layout_of(place.view), place.store).begun is None:
                # Only what is dropped after the switch was not reached, or nothing was begun.
                place.loaded = made_visible(place)
        place.store.writes_left = None
        assert nulls(place.seen()) == nulls(place.expected())
    place.materialise()
    assert nulls(place.seen()) == nulls(place.expected())


def made_visible(place):
    """Return what was loaded: the new rows if the switch was made, else those of before."""
    seen, before = nulls(place.seen()), place.loaded
    for loaded in (before, place.newest(itertools.chain(*place.files))):
        place.loaded = loaded
        if nulls(place.expected()) == seen:
            return loaded
    raise AssertionError("neither the old nor the new")


def nulls(answers):
    """Rows whose features are all null read as nothing; bits tell 0.0 from -0.0."""
    return {
        key: None if row is None or row == dict.fromkeys(row) else repr(sorted(row.items()))
        for key, row in answers.items()
    }


def test_only_files_that_say_something_new_are_read(place):
    place.files = [rows_of(random.Random(1), [1]), rows_of(random.Random(2), [2, 9])]
    place.clock.set_us(5 * HOUR_US)
    first = place.materialise()
    place.clock.set_us(10 * HOUR_US)
    second = place.materialise()
    place.files.append(rows_of(random.Random(3), [3]))
    third = place.materialise()
    fourth = place.materialise()
    counted = [(each.files_read, each.files_reused) for each in (first, second, third, fourth)]
    assert counted == [(2, 0), (1, 1), (1, 2), (0, 3)]
    assert fourth.changed == 0
    assert nulls(place.seen()) == nulls(place.expected())


def test_a_plan_tells_what_would_be_read_and_changes_nothing(place):
    place.clock.set_us(5 * HOUR_US)
    place.files = [rows_of(random.Random(1), [1])]
    place.materialise()
    place.files.append(rows_of(random.Random(2), [2]))
    before = place.store.scan(b"", b"\xff")
    table, snapshot = place.table()
    plan = plan_materialisation(
        place.view,
        table,
        online=place.store,
        ledger=place.ledger,
        clock=place.clock,
        snapshot=snapshot,
    )
    assert (plan.files_read, plan.files_reused, plan.is_whole) == (1, 1, False)
    assert place.store.scan(b"", b"\xff") == before


def test_a_store_that_was_lost_is_loaded_as_a_whole(place):
    place.clock.set_us(5 * HOUR_US)
    place.files = [rows_of(random.Random(1), [1])]
    place.materialise()
    place.store.delete_range(b"", b"\xff")
    assert place.materialise().files_read == 1
    assert nulls(place.seen()) == nulls(place.expected())


def test_a_load_that_was_taken_over_never_counts(place):
    layout = layout_of(place.view)
    late, other = (ViewLoad(layout, place.store, until_us=HOUR_US) for _ in range(2))
    late.begin(1)
    late_row = loads.NewestRow("A00", 0, None, ("LATE", 1.0, False))
    other = ViewLoad(layout, place.store, until_us=HOUR_US)
    other.begin(2)
    late.write([late_row], is_whole=True)
    other.write([], is_whole=True)
    other.publish()
    with pytest.raises(ConflictError, match="TD-ONLINE-103"):
        late.publish()
    assert place.seen()["A00"] is None


def test_nothing_is_left_behind_by_loads_that_change_everything(place):
    for hour in range(1, 6):
        place.clock.set_us(hour * HOUR_US)
        place.files = [
            [{"origin": key, "hour": 0, "wind": float(hour), "sky": None} for key in KEYS]
        ]
        place.materialise()
    assert len(place.store.scan(b"weather\x00", b"weather\x01")) == len(KEYS)


def test_a_column_that_was_lost_is_named_and_the_old_rows_are_read_on(place):
    place.clock.set_us(5 * HOUR_US)
    place.files = [rows_of(random.Random(1), [1])]
    place.materialise()
    table, snapshot = place.table()
    fewer = FileTable(
        paths=table.paths, columns={k: v for k, v in table.columns.items() if k != "wind"}
    )
    other = FileTable(paths=table.paths, columns={**table.columns, "wind": "string"})
    for broken in (fewer, other):
        with pytest.raises(DataError, match="TD-FEATURE-101.*'wind'"):
            materialise(
                place.view,
                broken,
                engine=place.engine,
                online=place.store,
                ledger=place.ledger,
                clock=place.clock,
                snapshot=snapshot,
            )
    assert nulls(place.seen()) == nulls(place.expected())
    assert state_of(layout_of(place.view), place.store) != NO_LOAD


def test_rows_without_a_key_are_left_out(place):
    place.files = [[{"origin": None, "hour": 0, "wind": 1.0, "sky": "x"}]]
    assert place.materialise().rows == 0
