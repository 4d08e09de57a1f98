"""Fetches the view features of request rows from the online store, at an as-of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, near
from tondo.language.rows import compile_rows
from tondo.scoring.dealing import taker
from tondo.scoring.hops import hops_of, keys_of
from tondo.scoring.horizon import check_horizon, read_number
from tondo.scoring.keys import LAST, ViewKeys, newest_first
from tondo.scoring.layout import visible_us
from tondo.scoring.loads import ENOUGH, MORE, NO_LOAD, RowChoice, read_state
from tondo.scoring.windows import WindowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tondo.language.tree import Node
    from tondo.ports.online import OnlineStore
    from tondo.scoring.hops import Needed
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.loads import LoadState
    from tondo.scoring.request import Ages, Row
    from tondo.scoring.windows import Tail, WindowReach

Pairs = list[tuple[bytes, bytes]]
Range = tuple[bytes, bytes, int]
Answers = dict[Any, tuple[Sequence[Any], int | None]]
"""Entity key to a view's feature values and their age."""


class FetchPlan:
    """What one model needs from the online store; built once by `FeatureReader.plan`."""

    __slots__ = ("hops",)

    def __init__(self, hops: list[_Hop]) -> None:
        self.hops = hops
        """One, unless keys come from features that are fetched themselves."""


class _Hop:
    """Views that are read in one call, once the rows hold the keys of all of them."""

    __slots__ = ("besides", "compute", "computed", "groups", "limited", "names", "states", "views")

    def __init__(
        self, views: list[_ViewPlan], groups: list[_Group], keys: Mapping[str, Node]
    ) -> None:
        self.views = views
        self.groups = groups
        self.computed = list(keys)
        self.compute = compile_rows(keys) if keys else None
        self.names = [view.layout.view for view in views]
        # The state of a view's loads is read with its rows: which of them count is one view.
        self.states = [view.place for view in views if view.reader is None]
        self.limited = [view for view in views if view.layout.retention_us is not None]
        self.besides = [views[place].state for place in self.states]
        self.besides += [view.horizon for view in self.limited]
        """What is read besides the rows, in this order."""

    def add_keys(self, tables: Sequence[Sequence[Row]]) -> None:
        """Compute the keys that are no columns of the rows."""
        if self.compute is not None:
            for rows in tables:
                for row in rows:
                    row.update(zip(self.computed, self.compute(row), strict=True))


class _ViewPlan:
    """One view of a plan: how its range is made and its pairs are read."""

    __slots__ = (
        *("choice", "features", "key_class", "keys", "layout"),
        *("horizon", "nothing", "place", "reader", "state", "take"),
    )

    def __init__(self, layout: ViewLayout, features: list[str], place: int) -> None:
        self.layout = layout
        self.features = features
        self.place = place
        self.keys = ViewKeys(layout)
        self.key_class = str if layout.key_type == "string" else int
        self.reader = WindowReader(layout, features) if layout.kind == "window" else None
        self.choice = RowChoice(layout)
        self.state: Range = (self.keys.state, self.keys.state + b"\x00", 1)
        self.horizon: Range = (self.keys.horizon, self.keys.horizon + b"\x00", 1)
        names = list(layout.features)
        self.take = taker([names.index(feature) + 2 for feature in features])
        self.nothing = (None,) * len(features)

    def read_row(self, row: list[Any] | None, as_of_us: int) -> tuple[Sequence[Any], int | None]:
        """Return the features of the chosen row, null past the ttl, and its event time."""
        if row is None:
            return self.nothing, None
        ttl_us = self.layout.ttl_us
        if ttl_us is not None and row[0] is not None and as_of_us - row[0] > ttl_us:
            return self.nothing, row[0]
        return self.take(row), row[0]


class _Read:
    """One read of a view, at an instant."""

    __slots__ = ("places", "reach", "seen_us", "state", "tails", "view")

    def __init__(self, view: _ViewPlan, as_of_us: int) -> None:
        layout = view.layout
        seen_us = visible_us(layout, as_of_us)
        self.view = view
        self.seen_us = seen_us
        """What the read may know."""
        self.reach: WindowReach | None = None
        self.tails: Sequence[Tail]
        """What follows an entity key in start and stop, and how many pairs."""
        if view.reader is None:
            self.tails = ((newest_first(seen_us) if layout.has_time else b"", LAST, ENOUGH),)
        else:
            self.reach = view.reader.reach(seen_us)
            self.tails = self.reach.tails
        self.places: dict[Any, int] = {}
        """Entity key to the first of its ranges."""
        self.state = NO_LOAD


class _Group:
    """The features of one view under one key column of the row."""

    __slots__ = ("_names", "_take", "key_column", "outputs", "view")

    def __init__(self, view: _ViewPlan, key_column: str) -> None:
        self.view = view
        self.key_column = key_column
        self.outputs: list[tuple[str, int]] = []
        self._names: list[str] = []
        self._take: Callable[[Sequence[Any]], Sequence[Any]] | None = None
        """Takes the outputs out of the view's features; None where they are all, in order."""

    def seal(self) -> None:
        """Prepare what every request does alike, once all outputs are known."""
        self._names = [name for name, _ in self.outputs]
        places = [place for _, place in self.outputs]
        is_all = places == list(range(len(self.view.features)))
        self._take = None if is_all else taker(places)

    def ask(
        self, tables: Sequence[Sequence[Row]], read: _Read, ranges: list[Range]
    ) -> list[list[Any]]:
        """Return each table's keys; note in `read` and `ranges` those not asked for yet."""
        column, key_class, stem_of = self.key_column, self.view.key_class, self.view.keys.stem
        tails, places = read.tails, read.places
        asked: list[list[Any]] = []
        for rows in tables:
            keys = [row.get(column) for row in rows]
            for key in keys:
                # True and 1.0 would be found under 1; of the wrong class, they must be refused.
                if key is None or (key.__class__ is key_class and key in places):
                    continue
                stem = stem_of(key)
                places[key] = len(ranges)
                for start, stop, most in tails:
                    ranges.append((stem + start, stem + stop, most))
            asked.append(keys)
        return asked

    def fill(
        self,
        tables: Sequence[Sequence[Row]],
        asked: Sequence[Sequence[Any]],
        answers: Answers,
        ages: Sequence[Ages],
    ) -> None:
        """Put the features into the rows, and the age of a table's oldest into its ages."""
        name = self.view.layout.view
        names, take = self._names, self._take
        for rows, keys, known in zip(tables, asked, ages, strict=True):
            oldest = known[name]
            for row, key in zip(rows, keys):  # noqa: B905 - made of these rows
                values, age = answers[key]
                row.update(zip(names, values if take is None else take(values)))  # noqa: B905 - equal
                if age is not None and (oldest is None or age > oldest):
                    oldest = age
            known[name] = oldest


class FeatureReader:
    """Reads view features for rows; each distinct view and key is read once per request."""

    def __init__(self, online: OnlineStore, layouts: Mapping[str, ViewLayout]) -> None:
        self._online = online
        self._layouts = dict(layouts)

    def plan(
        self, needed: Sequence[Needed], *, keys: Mapping[str, Node] | None = None
    ) -> FetchPlan:
        """Return the plan for (canonical name, view, feature, key column) entries.

        `keys` computes key columns that no request has. A view or feature without a layout raises
        DefinitionError TD-ONLINE-006.
        """
        computed = keys or {}
        hops = hops_of(needed, computed)
        return FetchPlan([self._hop(hop, keys_of(hop, computed)) for hop in hops])

    def _hop(self, needed: Sequence[Needed], keys: Mapping[str, Node]) -> _Hop:
        wanted: dict[str, list[str]] = {}
        for _, view, feature, _ in needed:
            self._check(view, feature)
            features = wanted.setdefault(view, [])
            if feature not in features:
                features.append(feature)
        views = {
            name: _ViewPlan(self._layouts[name], wanted[name], place)
            for place, name in enumerate(wanted)
        }
        groups: dict[tuple[str, str], _Group] = {}
        for canonical, view, feature, key_column in needed:
            group = groups.setdefault((view, key_column), _Group(views[view], key_column))
            group.outputs.append((canonical, wanted[view].index(feature)))
        for group in groups.values():
            group.seal()
        return _Hop(list(views.values()), list(groups.values()), keys)

    def _check(self, view: str, feature: str) -> None:
        layout = self._layouts.get(view)
        if layout is None:
            what, fix = f"no online layout of view '{view}'", near(view, self._layouts)
        elif feature not in layout.features:
            what, fix = f"view '{view}' has no feature '{feature}'", near(feature, layout.features)
        else:
            return
        raise DefinitionError("TD-ONLINE-006", what, fix=fix, view=view, feature=feature)

    def fetch(self, rows: Sequence[Row], plan: FetchPlan, as_of_us: int) -> Ages:
        """Fill each row with its canonical names; return the age in µs of each view's oldest.

        A null or absent key gives null features; a key of the wrong type raises TD-ONLINE-001
        before anything is read. Age is from the event time used; None where nothing was found.
        """
        return self.fetch_many([rows], plan, as_of_us)[0]

    def fetch_many(
        self, tables: Sequence[Sequence[Row]], plan: FetchPlan, as_of_us: int
    ) -> list[Ages]:
        """Do `fetch` for the rows of several requests; what they share is read once for all.

        An error is of any of them; rows may then hold some features, and are to be fetched again.
        """
        ages: list[Ages] = []
        for hop in plan.hops:
            hop.add_keys(tables)
            found = self._fetch(tables, hop, as_of_us)
            ages = [*map(_older, ages, found)] if ages else found
        return ages or [{} for _ in tables]

    def _fetch(self, tables: Sequence[Sequence[Row]], plan: _Hop, as_of_us: int) -> list[Ages]:
        ranges, reads = list(plan.besides), [_Read(view, as_of_us) for view in plan.views]
        asked = [group.ask(tables, reads[group.view.place], ranges) for group in plan.groups]
        found = self._online.scan_many(ranges) if len(ranges) > len(plan.besides) else []
        states = len(plan.states)
        for view, pairs in zip(plan.limited, found[states:], strict=False):
            check_horizon(view.layout, read_number(pairs[0][1]) if pairs else None, as_of_us)
        for place, pairs in zip(plan.states, found[:states], strict=False):
            reads[place].state = _state(pairs)
        answers = [
            self._read_rows(read, ranges, found, as_of_us)
            if read.reach is None
            else self._read_windows(read, read.reach, found, as_of_us)
            for read in reads
        ]
        ages: list[Ages] = [dict.fromkeys(plan.names) for _ in tables]
        for group, keys in zip(plan.groups, asked, strict=True):
            group.fill(tables, keys, answers[group.view.place], ages)
        return ages

    def _read_windows(
        self, window: _Read, reach: WindowReach, found: list[Pairs], as_of_us: int
    ) -> Answers:
        """Return what was found under each key, and its age; nothing under no key."""
        view = window.view
        assert view.reader is not None
        answers: Answers = {None: (view.nothing, None)}
        many = len(reach.tails)
        for key, place in window.places.items():
            read = view.reader.read(reach, found[place : place + many])
            if read is None:
                read = self._read_events(view, view.reader, key, reach.visible_us)
            values, event_time = read
            answers[key] = (values, None if event_time is None else as_of_us - event_time)
        return answers

    def _read_events(
        self, view: _ViewPlan, reader: WindowReader, key: Any, seen_us: int
    ) -> tuple[list[Any], int | None]:
        """Read the events themselves, because tiles hold some that were not known yet."""
        whole = reader.whole(seen_us)
        stem = view.keys.stem(key)
        ranges = [(stem + start, stem + stop, most) for start, stop, most in whole.tails]
        read = reader.read(whole, self._online.scan_many(ranges))
        assert read is not None
        return read

    def _read_rows(
        self, read: _Read, ranges: list[Range], found: list[Pairs], as_of_us: int
    ) -> Answers:
        """Return the row that counts under each key, and its age; nothing under no key."""
        view, seen_us, state = read.view, read.seen_us, read.state
        answers: Answers = {None: (view.nothing, None)}
        choose = view.choice.choose
        for key, place in read.places.items():
            row = choose(found[place], seen_us=seen_us, state=state)
            if row is MORE:
                row = self._choose_of_all(view, ranges[place], seen_us)
            values, event_time = view.read_row(row, as_of_us)
            answers[key] = (values, None if event_time is None else as_of_us - event_time)
        return answers

    def _choose_of_all(self, view: _ViewPlan, bounds: Range, seen_us: int) -> Any:
        """Choose among all rows of an entity, where the first two do not tell."""
        state, pairs = self._online.scan_many((view.state, (*bounds[:2], 0)))
        return view.choice.choose(pairs, seen_us=seen_us, state=_state(state), is_whole=True)


def _state(pairs: Pairs) -> LoadState:
    return read_state(pairs[0][1]) if pairs else NO_LOAD


def _older(one: Ages, two: Ages) -> Ages:
    """Return the age of each view's oldest over two rounds."""
    merged = {**one, **two}
    for name in one.keys() & two.keys():
        known = [age for age in (one[name], two[name]) if age is not None]
        merged[name] = max(known, default=None)
    return merged
