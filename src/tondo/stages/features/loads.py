"""Writes the rows of one load into the online store, so that they count all at once or never.

See `scoring/loads.py` for how rows of a load lie there. What a load writes is the difference to
the loads before: rows that are there already cost a look and no write.
"""

from __future__ import annotations

from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.core.errors import ConflictError
from tondo.scoring.keys import LAST, ViewKeys
from tondo.scoring.loads import (
    LoadState,
    pack_gone,
    pack_loaded,
    pack_state,
    read_state,
    row_width,
)
from tondo.scoring.online import content_order, decode_lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import ViewLayout

Pair = tuple[bytes, bytes]
# A transaction of this many pairs is 2 MB, and never long in the way of a push.
BATCH = 20_000
# Loads that were taken over and may still write; more than ever run at once.
_DEAD = 15


class NewestRow(NamedTuple):
    """The newest row of one entity, as the source has it."""

    key: Any
    event_time_us: int | None
    recorded_at_us: int | None
    values: tuple[Any, ...]
    """The features in the layout's order."""


class _Loaded(NamedTuple):
    """A loaded row that counts, and the keys of all that loads wrote of its entity and time."""

    row_key: bytes
    row: list[Any]
    data: bytes
    keys: list[bytes]


class ViewLoad:
    """One load of a lookup view: begin, write any number of rows, publish.

    Killed anywhere before `publish` it changes nothing that a reader sees; the next load clears
    what it left. Raises ConflictError TD-ONLINE-103 when another load takes over meanwhile.
    """

    def __init__(self, layout: ViewLayout, online: OnlineStore, *, until_us: int) -> None:
        self._layout = layout
        self._online = online
        self._until_us = until_us
        self._keys = ViewKeys(layout)
        self._width = row_width(layout)
        names = list(layout.features)
        self._places = [names.index(name) for name in sorted(names)]
        self._outdated: list[bytes] = []
        self.before = state_of(layout, online)
        self._state = self.before
        self.written = 0
        """How many rows were new, changed or gone."""

    def begin(self, at_us: int) -> int:
        """Take the next number and return it; clear what a killed load left."""
        state, begun = self._state, self._state.begun
        dead = state.dead if begun is None else (*state.dead[-_DEAD:], begun)
        number = max(at_us, state.published + 1, (begun or 0) + 1)
        self._move(LoadState(state.published, state.until_us, number, dead))
        if begun is not None:
            self._clear()
        return number

    def write(self, rows: Iterable[NewestRow], *, is_whole: bool) -> int:
        """Write what differs; return how many rows there were.

        `is_whole`: the rows are all that the source has, so what is loaded beyond them is gone;
        otherwise they are some, and a loaded newer row of an entity stays.
        """
        count = 0
        stems: set[bytes] = set()
        waiting = iter(rows)
        while batch := list(islice(waiting, BATCH)):
            count += len(batch)
            self._write_batch(batch, is_whole=is_whole)
            if is_whole and self._state.published:
                stems.update(self._keys.stem(row.key) for row in batch)
        if is_whole and self._state.published:
            self._write_gone(stems)
        return count

    def publish(self) -> None:
        """Let the written rows count, by one write; then drop what they replace."""
        number = self._state.begun
        assert number is not None
        self._move(LoadState(number, self._until_us, None, self._state.dead))
        for start in range(0, len(self._outdated), BATCH):
            self._online.put_many([], delete=self._outdated[start : start + BATCH])

    def _move(self, state: LoadState) -> None:
        kept = None if self._state == LoadState() else pack_state(self._state)
        pair = (self._keys.state, pack_state(state))
        if not self._online.put_if([(self._keys.state, kept)], [pair]):
            raise ConflictError(
                "TD-ONLINE-103",
                f"another materialisation of view '{self._layout.view}' took over",
                expected="one at a time",
                fix="Wait for the other one to end; nothing of this one counts.",
                view=self._layout.view,
            )
        self._state = state

    def _write_batch(self, batch: Sequence[NewestRow], *, is_whole: bool) -> None:
        number = self._state.begun
        assert number is not None
        if not self._state.published:
            self._write_all(batch, number)
            return
        keyed = [
            (self._keys.lookup(row.key, row.event_time_us, row.recorded_at_us), row)
            for row in batch
        ]
        keyed.sort(key=itemgetter(0))
        pairs: list[Pair] = []
        for (row_key, row), loaded in zip(keyed, self._loaded(keyed), strict=True):
            newer = [each for each in loaded if each.row_key != row_key]
            if newer and not is_whole:
                continue
            pairs += self._gone(newer)
            same = next((each for each in loaded if each.row_key == row_key), None)
            if same is not None:
                if self._stays(same, row, is_whole=is_whole):
                    continue
                self._outdated += same.keys
            pairs.append((self._keys.loaded(row_key, number), _packed(row, number)))
        self._put(pairs)

    def _write_all(self, batch: Sequence[NewestRow], number: int) -> None:
        """Write rows where nothing was loaded before, so that nothing can be the same."""
        key_of, loaded = self._keys.lookup, self._keys.loaded
        self._put(
            [
                (
                    loaded(key_of(key, event_time, recorded), number),
                    pack_loaded(event_time, recorded, values, number),
                )
                for key, event_time, recorded, values in batch
            ]
        )

    def _stays(self, loaded: _Loaded, row: NewestRow, *, is_whole: bool) -> bool:
        """Say whether a loaded row of the same entity and time stays as it is."""
        # Bytes, not values: 0.0 is not -0.0.
        if loaded.data == _packed(row, loaded.row[self._width]):
            return True
        if is_whole or not self._layout.has_time:
            return False
        return self._order(loaded.row[2:-1]) > self._order(row.values)

    def _order(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return content_order(values[place] for place in self._places)

    def _loaded(self, keyed: Sequence[tuple[bytes, NewestRow]]) -> Iterator[list[_Loaded]]:
        """Yield per row the loaded rows that count of its entity, from its time on."""
        ranges = [(self._keys.stem(row.key), row_key + LAST, 0) for row_key, row in keyed]
        for pairs in self._online.scan_many(ranges):
            yield self._counting(pairs)

    def _counting(self, pairs: Iterable[Pair]) -> list[_Loaded]:
        """Return the loaded rows that count among pairs."""
        found: list[_Loaded] = []
        for key, data in pairs:
            row = decode_lookup(data)
            if len(row) == self._width or not self._state.counts(row[self._width]):
                continue
            if found and found[-1].row_key == key[:-8]:
                found[-1].keys.append(key)
            else:
                found.append(_Loaded(key[:-8], row, data, [key]))
        return [each for each in found if len(each.row) == self._width + 1]

    def _gone(self, loaded: Iterable[_Loaded]) -> Iterator[Pair]:
        """Yield what says that loaded rows are gone from the source, as far as it can tell."""
        number = self._state.begun
        assert number is not None
        for each in loaded:
            if self._is_visible(each.row):
                marked = self._keys.loaded(each.row_key, number)
                # The mark goes last: without it an older row of that time would count again.
                self._outdated += [*each.keys, marked]
                yield marked, pack_gone(each.row, number, width=self._width)

    def _is_visible(self, row: Sequence[Any]) -> bool:
        return not self._layout.has_time or max(row[0], row[1] or row[0]) <= self._until_us

    def _write_gone(self, stems: set[bytes]) -> None:
        """Mark the loaded rows of entities that the source has no longer."""
        for pairs in self._pages():
            loaded = self._counting(pairs)
            gone = (each for each in loaded if self._stem_of(each.row_key) not in stems)
            self._put(list(self._gone(gone)))

    def _stem_of(self, row_key: bytes) -> bytes:
        times = 8 * (self._layout.has_time + (self._layout.has_time and self._layout.has_recorded))
        return row_key[:-times] if times else row_key

    def _pages(self) -> Iterator[list[Pair]]:
        """Yield all rows of the view, some at a time, those of one time never apart."""
        start, stop = self._keys.prefix, self._keys.prefix[:-1] + b"\x01"
        kept: list[Pair] = []
        while page := self._online.scan_many([(start, stop, BATCH)])[0]:
            start = page[-1][0] + b"\x00"
            found = kept + page
            cut = len(found)
            while cut and found[cut - 1][0][:-8] == page[-1][0][:-8]:
                cut -= 1
            kept = found[cut:]
            yield found[:cut]
        yield kept

    def _clear(self) -> None:
        """Delete the rows of a load that was begun and never published."""
        for pairs in self._pages():
            left = [
                key
                for key, data in pairs
                if len(row := decode_lookup(data)) > self._width
                and not self._state.counts(row[self._width])
            ]
            if left:
                self._online.put_many([], delete=left)

    def _put(self, pairs: list[Pair]) -> None:
        if pairs:
            self._online.put_many(pairs)
            self.written += len(pairs)


def _packed(row: NewestRow, load: int) -> bytes:
    return pack_loaded(row.event_time_us, row.recorded_at_us, row.values, load)


def state_of(layout: ViewLayout, online: OnlineStore) -> LoadState:
    """Return how far the loads of a view version have come."""
    return read_state(online.get_many([ViewKeys(layout).state])[0])
