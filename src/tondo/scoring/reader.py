"""Fetches the view features of request rows from the online store, at an as-of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, near
from tondo.scoring.keys import LAST, ViewKeys, event_time_of, newest_first, oldest_first
from tondo.scoring.layout import visible_us
from tondo.scoring.online import decode_lookup
from tondo.scoring.windows import WindowReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import ViewLayout

Pairs = list[tuple[bytes, bytes]]
Range = tuple[bytes, bytes, int]


class FetchPlan:
    """What one model needs from the online store; built once by `FeatureReader.plan`."""

    __slots__ = ("groups", "views")

    def __init__(self, views: list[_ViewPlan], groups: list[_Group]) -> None:
        self.views = views
        self.groups = groups


class _ViewPlan:
    """One view of a plan: how its range is made and its pairs are read."""

    __slots__ = ("features", "has_recorded", "is_window", "keys", "layout", "places", "reader")

    def __init__(self, layout: ViewLayout, features: list[str]) -> None:
        self.layout = layout
        self.features = features
        self.keys = ViewKeys(layout)
        self.is_window = layout.kind == "window"
        self.has_recorded = layout.has_recorded and layout.has_time
        self.reader = WindowReader(layout, features) if self.is_window else None
        names = list(layout.features)
        self.places = [names.index(feature) + 2 for feature in features]

    def bounds(self, as_of_us: int) -> tuple[bytes, bytes, int]:
        """Return what follows the entity key in start and stop, and how many pairs to read."""
        seen = visible_us(self.layout, as_of_us)
        if self.reader is not None:
            return oldest_first(seen - self.reader.longest_us), oldest_first(seen), 0
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
            self.has_recorded
            and not self.is_window
            and bool(pairs)
            and self._is_late(decode_lookup(pairs[0][1]), as_of_us)
        )


class _Group:
    """The features of one view under one key column of the row."""

    __slots__ = ("key_column", "outputs", "view")

    def __init__(self, view: _ViewPlan, key_column: str) -> None:
        self.view = view
        self.key_column = key_column
        self.outputs: list[tuple[str, int]] = []


class FeatureReader:
    """Reads view features for rows; each distinct view and key is read once per request."""

    def __init__(self, online: OnlineStore, layouts: Mapping[str, ViewLayout]) -> None:
        self._online = online
        self._layouts = dict(layouts)

    def plan(self, needed: Sequence[tuple[str, str, str, str]]) -> FetchPlan:
        """Return the plan for (canonical name, view, feature, key column) entries.

        A view or feature without a layout raises DefinitionError TD-ONLINE-006.
        """
        wanted: dict[str, list[str]] = {}
        for _, view, feature, _ in needed:
            self._check(view, feature)
            features = wanted.setdefault(view, [])
            if feature not in features:
                features.append(feature)
        views = {name: _ViewPlan(self._layouts[name], wanted[name]) for name in wanted}
        groups: dict[tuple[str, str], _Group] = {}
        for canonical, view, feature, key_column in needed:
            group = groups.setdefault((view, key_column), _Group(views[view], key_column))
            group.outputs.append((canonical, wanted[view].index(feature)))
        return FetchPlan(list(views.values()), list(groups.values()))

    def _check(self, view: str, feature: str) -> None:
        layout = self._layouts.get(view)
        if layout is None:
            what, fix = f"no online layout of view '{view}'", near(view, self._layouts)
        elif feature not in layout.features:
            what, fix = f"view '{view}' has no feature '{feature}'", near(feature, layout.features)
        else:
            return
        raise DefinitionError("TD-ONLINE-006", what, fix=fix, view=view, feature=feature)

    def fetch(
        self, rows: Sequence[dict[str, Any]], plan: FetchPlan, as_of_us: int
    ) -> dict[str, int | None]:
        """Fill each row with its canonical names; return the age in µs of each view's oldest.

        A null or absent key gives null features; a key of the wrong type raises TD-ONLINE-001
        before anything is read. Age is from the event time used; None where nothing was found.
        """
        ranges: list[Range] = []
        owners: list[_ViewPlan] = []
        places: dict[bytes, int] = {}
        work: list[tuple[dict[str, Any], _Group, int]] = []
        for group in plan.groups:
            view = group.view
            start_tail, stop_tail, most = view.bounds(as_of_us)
            for row in rows:
                key = row.get(group.key_column)
                if key is None:
                    work.append((row, group, -1))
                    continue
                stem = view.keys.stem(key)
                place = places.get(stem)
                if place is None:
                    place = places[stem] = len(ranges)
                    ranges.append((stem + start_tail, stem + stop_tail, most))
                    owners.append(view)
                work.append((row, group, place))
        return self._fill(work, ranges, owners, plan, as_of_us)

    def _fill(
        self,
        work: list[tuple[dict[str, Any], _Group, int]],
        ranges: list[Range],
        owners: list[_ViewPlan],
        plan: FetchPlan,
        as_of_us: int,
    ) -> dict[str, int | None]:
        ages: dict[str, int | None] = {view.layout.view: None for view in plan.views}
        answers: list[list[Any]] = []
        found = self._online.scan_many(ranges) if ranges else []
        for place, pairs in enumerate(found):
            view = owners[place]
            if view.first_is_late(pairs, as_of_us):
                pairs = self._online.scan(*ranges[place][:2])  # noqa: PLW2901 - the fuller answer
            values, event_time = view.read(pairs, as_of_us)
            answers.append(values)
            if event_time is not None:
                name, age = view.layout.view, as_of_us - event_time
                known = ages[name]
                ages[name] = age if known is None or age > known else known
        for row, group, place in work:
            if place < 0:
                for canonical, _ in group.outputs:
                    row[canonical] = None
                continue
            values = answers[place]
            for canonical, position in group.outputs:
                row[canonical] = values[position]
        return ages
