"""Fetches the view features of request rows from the online store, at an as-of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, near
from tondo.language.rows import compile_rows
from tondo.scoring.hops import hops_of, keys_of
from tondo.scoring.keys import LAST, ViewKeys, event_time_of, newest_first, oldest_first
from tondo.scoring.layout import visible_us
from tondo.scoring.online import decode_lookup
from tondo.scoring.windows import WindowReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.language.tree import Node
    from tondo.ports.online import OnlineStore
    from tondo.scoring.hops import Needed
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.request import Ages, Row

Pairs = list[tuple[bytes, bytes]]
Range = tuple[bytes, bytes, int]
Answers = dict[Any, tuple[list[Any], int | None]]
"""Entity key to a view's feature values and their age."""


class FetchPlan:
    """What one model needs from the online store; built once by `FeatureReader.plan`."""

    __slots__ = ("hops",)

    def __init__(self, hops: list[_Hop]) -> None:
        self.hops = hops
        """One, unless keys come from features that are fetched themselves."""


class _Hop:
    """Views that are read in one call, once the rows hold the keys of all of them."""

    __slots__ = ("compute", "computed", "groups", "views")

    def __init__(
        self, views: list[_ViewPlan], groups: list[_Group], keys: Mapping[str, Node]
    ) -> None:
        self.views = views
        self.groups = groups
        self.computed = list(keys)
        self.compute = compile_rows(keys) if keys else None

    def add_keys(self, tables: Sequence[Sequence[Row]]) -> None:
        """Compute the keys that are no columns of the rows."""
        if self.compute is not None:
            for rows in tables:
                for row in rows:
                    row.update(zip(self.computed, self.compute(row), strict=True))


class _ViewPlan:
    """One view of a plan: how its range is made and its pairs are read."""

    __slots__ = (
        *("features", "has_recorded", "is_plain", "key_class", "keys", "layout"),
        *("may_be_late", "place", "places", "reader"),
    )

    def __init__(self, layout: ViewLayout, features: list[str], place: int) -> None:
        self.layout = layout
        self.features = features
        self.place = place
        self.keys = ViewKeys(layout)
        self.key_class = str if layout.key_type == "string" else int
        self.has_recorded = layout.has_recorded and layout.has_time
        self.reader = WindowReader(layout, features) if layout.kind == "window" else None
        self.may_be_late = self.has_recorded and self.reader is None
        self.is_plain = self.reader is None and not self.has_recorded and layout.ttl_us is None
        names = list(layout.features)
        self.places = [names.index(feature) + 2 for feature in features]

    def bounds(self, as_of_us: int) -> tuple[bytes, bytes, int]:
        """Return what follows the entity key in start and stop, and how many pairs to read."""
        seen = visible_us(self.layout, as_of_us)
        if self.reader is not None:
            return oldest_first(self.reader.start_us(seen)), oldest_first(seen), 0
        if not self.layout.has_time:
            return b"", b"\x00", 1
        return newest_first(seen), LAST, 1

    def read(self, pairs: Pairs, as_of_us: int) -> tuple[list[Any], int | None]:
        """Return the features and the event time they come from (None: nothing, or no time)."""
        if self.reader is not None:
            newest = None
            if pairs:
                newest = event_time_of(pairs[-1][0])
            return self.reader.read(pairs, visible_us(self.layout, as_of_us)), newest
        if self.is_plain and pairs:
            row = decode_lookup(pairs[0][1])
            return [row[place] for place in self.places], row[0]
        for _, data in pairs:
            row = decode_lookup(data)
            if self._takes_part(row, as_of_us):
                return [row[place] for place in self.places], row[0]
            if not self._is_late(row, as_of_us):
                break
        return [None] * len(self.places), None

    def _is_late(self, row: list[Any], as_of_us: int) -> bool:
        """Say whether the row became known only after what a read at `as_of_us` may see."""
        return (
            self.has_recorded and row[1] is not None and row[1] > visible_us(self.layout, as_of_us)
        )

    def _takes_part(self, row: list[Any], as_of_us: int) -> bool:
        if self._is_late(row, as_of_us):
            return False
        ttl_us = self.layout.ttl_us
        return ttl_us is None or row[0] is None or as_of_us - row[0] <= ttl_us

    def first_is_late(self, pairs: Pairs, as_of_us: int) -> bool:
        """Say whether the one row read is not known yet, so that older ones must be read."""
        return (
            self.may_be_late and bool(pairs) and self._is_late(decode_lookup(pairs[0][1]), as_of_us)
        )


class _Group:
    """The features of one view under one key column of the row."""

    __slots__ = ("key_column", "outputs", "view")

    def __init__(self, view: _ViewPlan, key_column: str) -> None:
        self.view = view
        self.key_column = key_column
        self.outputs: list[tuple[str, int]] = []

    def ask(
        self,
        tables: Sequence[Sequence[Row]],
        bounds: tuple[bytes, bytes, int],
        places: dict[Any, int],
        ranges: list[Range],
    ) -> list[list[Any]]:
        """Return each table's keys; note in `places` and `ranges` those not asked for yet."""
        column, key_class, stem_of = self.key_column, self.view.key_class, self.view.keys.stem
        start_tail, stop_tail, most = bounds
        asked: list[list[Any]] = []
        for rows in tables:
            keys = [row.get(column) for row in rows]
            for key in keys:
                # True and 1.0 would be found under 1; of the wrong class, they must be refused.
                if key is None or (key.__class__ is key_class and key in places):
                    continue
                stem = stem_of(key)
                places[key] = len(ranges)
                ranges.append((stem + start_tail, stem + stop_tail, most))
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
        names, places = zip(*self.outputs, strict=True)
        if places == tuple(range(len(self.view.features))):
            filled = {
                key: (dict(zip(names, values)), age)  # noqa: B905 - equal, and half the time
                for key, (values, age) in answers.items()
            }
        else:
            filled = {
                key: ({each: values[place] for each, place in self.outputs}, age)
                for key, (values, age) in answers.items()
            }
        for rows, keys, known in zip(tables, asked, ages, strict=True):
            oldest = known[name]
            for row, key in zip(rows, keys):  # noqa: B905 - made of these rows
                features, age = filled[key]
                row.update(features)
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
        ranges: list[Range] = []
        places: list[dict[Any, int]] = [{} for _ in plan.views]
        bounds = [view.bounds(as_of_us) for view in plan.views]
        asked = [
            group.ask(tables, bounds[group.view.place], places[group.view.place], ranges)
            for group in plan.groups
        ]
        found = self._online.scan_many(ranges) if ranges else []
        answers = [
            self._read(view, places[view.place], ranges, found, as_of_us) for view in plan.views
        ]
        names = [view.layout.view for view in plan.views]
        ages: list[Ages] = [dict.fromkeys(names) for _ in tables]
        for group, keys in zip(plan.groups, asked, strict=True):
            group.fill(tables, keys, answers[group.view.place], ages)
        return ages

    def _read(
        self,
        view: _ViewPlan,
        places: dict[Any, int],
        ranges: list[Range],
        found: list[Pairs],
        as_of_us: int,
    ) -> Answers:
        """Return what was found under each key, and its age; nothing under no key."""
        answers: Answers = {None: ([None] * len(view.features), None)}
        for key, place in places.items():
            pairs = found[place]
            if view.may_be_late and view.first_is_late(pairs, as_of_us):
                pairs = self._online.scan(*ranges[place][:2])
            values, event_time = view.read(pairs, as_of_us)
            answers[key] = (values, None if event_time is None else as_of_us - event_time)
        return answers


def _older(one: Ages, two: Ages) -> Ages:
    """Return the age of each view's oldest over two rounds."""
    merged = {**one, **two}
    for name in one.keys() & two.keys():
        known = [age for age in (one[name], two[name]) if age is not None]
        merged[name] = max(known, default=None)
    return merged
