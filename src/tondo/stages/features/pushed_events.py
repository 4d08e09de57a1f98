"""Pushed events read and checked: one that does not fit is refused before anything is logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, DataError, near
from tondo.language.rows import compile_rows
from tondo.language.values import READERS
from tondo.scoring.keys import LONGEST_TAIL, check_key_length, event_digest
from tondo.stages.features.materialise import event_id_of
from tondo.stages.features.views import slot_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.scoring.keys import ViewKeys
    from tondo.stages.features.views import FeatureView

EVENT_ID = "event_id"
"""Field of a pushed row that may give its id; otherwise the source's key columns make it."""


_SHORT_KEY = 64

_EXACT = {"double": float, "string": str, "bool": bool}
"""Types whose values are the language's own already; ids and instants are read for their range."""


class PushedEvent(msgspec.Struct, frozen=True):
    """An event as it is kept: its id, key and times, and the values of features or slots."""

    id: str
    digest: bytes
    key: Any
    event_time: int | None
    recorded: int | None
    values: list[Any]


Parsed = tuple[PushedEvent, list[Any]]
"""An event, and its row for the log."""


class EventReader:
    """Reads the events that are pushed to one view."""

    def __init__(self, view: FeatureView, keys: ViewKeys) -> None:
        self._view = view
        self._keys = keys
        self.columns = list(view.columns)
        self._readers = [
            (name, _EXACT.get(type_), READERS[type_]) for name, type_ in view.columns.items()
        ]
        trees = slot_arguments(view) if view.kind == "window" else dict(view.lookups)
        self.names = list(trees)
        """Features, or slots, in the order of an event's values."""
        self._compute: Callable[[Mapping[str, Any]], list[Any]] = compile_rows(trees)
        required = {view.entity.key, view.event_time, view.recorded_at} - {None}
        self._required = [name for name in view.columns if name in required]

    def read(self, event: Mapping[str, Any], at_us: int) -> Parsed:
        """Return the event's id, times and feature or slot values, and its row for the log."""
        view = self._view
        if type(event) is not dict and not isinstance(event, Mapping):
            raise self._no_event(event)
        row: dict[str, Any] = {}
        for name, exact, read in self._readers:
            if name in event:
                value = event[name]
                # The usual value needs no reading; NaN, unequal to itself, does.
                is_plain = type(value) is exact and value == value  # noqa: PLR0124
                row[name] = value if is_plain else read(value, name)
            elif name == view.recorded_at:
                row[name] = at_us
            else:
                raise self._missing(name, event)
        for name in self._required:
            if row[name] is None:
                raise self._null(name)
        event_id = event.get(EVENT_ID)
        if event_id is None:
            event_id = self._id_of(row)
        event_id = str(event_id)
        self._check_text(row, event_id)
        parsed = PushedEvent(
            event_id,
            event_digest(event_id),
            row[view.entity.key],
            row[view.event_time] if view.event_time else None,
            self._recorded(row, at_us),
            self._compute(row),
        )
        return parsed, [parsed.id, *row.values()]

    def _check_text(self, row: Mapping[str, Any], event_id: str) -> None:
        """Refuse, before anything is logged, what neither log nor store could keep."""
        key = row[self._view.entity.key]
        try:
            for text in (event_id, *row.values()):
                if type(text) is str and not text.isascii():
                    text.encode()
        except UnicodeEncodeError:
            raise CallerError(
                "TD-FEATURE-016",
                f"an event pushed to view '{self._view.name}' holds half a character",
                expected="text of whole characters",
                fix="Look for a surrogate such as \\ud800 that stands alone.",
                view=self._view.name,
            ) from None
        # No key of fewer characters is too long, whatever they are.
        if type(key) is str and len(key) > _SHORT_KEY:
            check_key_length(len(self._keys.stem(key)) + LONGEST_TAIL)

    def _recorded(self, row: Mapping[str, Any], at_us: int) -> int | None:
        """Return when the row became known; without an event time, when it was pushed."""
        view = self._view
        if view.event_time is None:
            return at_us
        return row[view.recorded_at] if view.recorded_at else None

    def _id_of(self, row: Mapping[str, Any]) -> str:
        if self._view.row_key:
            return event_id_of([row[name] for name in self._view.row_key])
        raise CallerError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has no id",
            expected=f"the field '{EVENT_ID}', or a source with key columns",
            fix=f"Send '{EVENT_ID}', or add `key:` to the source '{self._view.source}'.",
            view=self._view.name,
        )

    def _no_event(self, event: Any) -> CallerError:
        return CallerError(
            "TD-FEATURE-016",
            f"a {type(event).__name__} is no event of view '{self._view.name}'",
            expected="a list of events, each a mapping of " + ", ".join(self.columns),
            fix='Send for example [{"' + self.columns[0] + '": ...}].',
            view=self._view.name,
        )

    def _missing(self, name: str, event: Mapping[str, Any]) -> CallerError:
        others = [each for each in event if each not in self.columns]
        return CallerError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has no column '{name}'",
            expected=", ".join(self.columns),
            fix=near(name, others) if others else "Send it, as null where it is not known.",
            view=self._view.name,
            column=name,
        )

    def _null(self, name: str) -> DataError:
        return DataError(
            "TD-FEATURE-016",
            f"an event pushed to view '{self._view.name}' has null in '{name}'",
            expected="a key and the times of every event",
            fix="Give the value, or do not push the event.",
            view=self._view.name,
            column=name,
        )
