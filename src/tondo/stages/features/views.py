"""Feature views: definitions checked against their source, and their stored layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from tondo.core.canonical import digest
from tondo.core.durations import parse_duration_us
from tondo.core.errors import DefinitionError, NotFoundError, near, placed
from tondo.language.check import ViewSignature, check, check_window
from tondo.language.parse import parse, parse_window
from tondo.language.tree import LANGUAGE_VERSION, Node, WindowCall
from tondo.language.walk import columns_of, fitted_of, view_features_of
from tondo.language.windows import arguments_of
from tondo.stages.features.asked import check_asked
from tondo.stages.features.definitions import (
    EntityDefinition,
    FeatureViewDefinition,
    check_definition,
    check_entity,
)
from tondo.stages.features.layouts import layout_of, slot_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ledger.ledger import Ledger

__all__ = [
    "FeatureView",
    "SourceTimes",
    "check_view",
    "define_view",
    "layout_of",
    "read_view",
    "signature_of",
    "slot_arguments",
    "view_record",
    "view_record_id",
]

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_OVER = re.compile(r"\bover\b", re.IGNORECASE)


class SourceTimes(Protocol):
    """What a view needs to know of its source; sources and derived data sets both have it."""

    @property
    def name(self) -> str:
        """The data set's name."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Column name to column type."""
        ...

    @property
    def event_time(self) -> str | None:
        """The column that says when a row happened."""
        ...

    @property
    def recorded_at(self) -> str | None:
        """The column that says when a row became known."""
        ...

    @property
    def known_at(self) -> Mapping[str, str]:
        """Column to the time column that says when its value became known."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell one row from another."""
        ...


class FeatureView(msgspec.Struct, frozen=True, kw_only=True):
    """A view whose every expression has been checked against its source."""

    definition: FeatureViewDefinition
    entity: EntityDefinition
    source: str
    columns: dict[str, str]
    """The source's columns that the view reads, with their types."""
    event_time: str | None
    recorded_at: str | None
    row_key: tuple[str, ...]
    """The source's own key: the default event id of a pushed row."""
    kind: Literal["lookup", "window"]
    types: dict[str, str]
    """Feature name to column type, sorted by name."""
    lookups: dict[str, Node] = {}
    windows: dict[str, WindowCall] = {}

    @property
    def name(self) -> str:
        """The view's name."""
        return self.definition.view

    @property
    def digest(self) -> str:
        """What decides the stored bytes; owner, description and freshness do not."""
        return digest(
            {
                "language": LANGUAGE_VERSION,
                "view": self.name,
                "entity": [self.entity.entity, self.entity.key, self.entity.type],
                "source": [self.source, self.event_time, self.recorded_at],
                "arrival": [self.definition.arrival, self.every_us, self.ttl_us],
                "types": self.types,
                "lookups": msgspec.to_builtins(self.lookups),
                "windows": msgspec.to_builtins(self.windows),
            }
        )

    @property
    def every_us(self) -> int | None:
        """The cadence, or None for a pushed view."""
        return parse_duration_us(self.definition.every) if self.definition.every else None

    @property
    def ttl_us(self) -> int | None:
        """How old a looked-up value may be."""
        return parse_duration_us(self.definition.ttl) if self.definition.ttl else None

    @property
    def asked(self) -> bool:
        """Whether an outside service gives the values when a prediction is made."""
        return self.definition.arrival == "asked"

    @property
    def retention_us(self) -> int | None:
        """How far back an online read may ask, or None for ever."""
        return parse_duration_us(self.definition.retention) if self.definition.retention else None

    @property
    def freshness_us(self) -> int:
        """How old the newest value may be before it is a finding."""
        return parse_duration_us(self.definition.freshness)


def define_view(
    definition: FeatureViewDefinition,
    *,
    entity: EntityDefinition,
    source: SourceTimes,
    columns: Mapping[str, str] | None = None,
    ledger: Ledger | None = None,
    by: str = "",
) -> FeatureView:
    """Check the definition and, given a ledger, record the view and point its name at it.

    `columns` are the data's columns where `source.columns` declares only some of them. Raises
    TD-FEATURE-002 to TD-FEATURE-008 and the language's own errors, with near names.
    """
    view = check_view(definition, entity=entity, source=source, columns=columns)
    if ledger is not None:
        body = view_record(view)
        pointer = f"view/{view.name}"
        id_ = view_record_id(view)
        with ledger.transaction():
            ledger.put("feature_view", id_, body)
            kept = ledger.pointer(pointer)
            at = kept.target if kept is not None else None
            if at != id_:
                why = "defined" if at is None else "redefined"
                ledger.move(pointer, id_, expect=at, by=by, why=why)
    return view


def view_record(view: FeatureView) -> dict[str, Any]:
    """Return the body of the view's record."""
    return {**msgspec.to_builtins(view), "digest": view.digest}


def view_record_id(view: FeatureView) -> str:
    """Return the id of the view's record: everything of it counts, the owner too."""
    return digest(view_record(view))


def read_view(name: str, *, ledger: Ledger) -> FeatureView:
    """Return the view a name points at; TD-FEATURE-014 with near names when there is none."""
    pointer = ledger.pointer(f"view/{name}")
    if pointer is None:
        known = [each.name.removeprefix("view/") for each in ledger.pointers("view/")]
        raise NotFoundError(
            "TD-FEATURE-014", f"there is no feature view '{name}'", fix=near(name, known), view=name
        )
    body = dict(ledger.get("feature_view", pointer.target).body)
    del body["digest"]
    return msgspec.convert(body, FeatureView)


def check_view(
    definition: FeatureViewDefinition,
    *,
    entity: EntityDefinition,
    source: SourceTimes,
    columns: Mapping[str, str] | None = None,
) -> FeatureView:
    """Return the checked view; touches no data and no ledger."""
    check_definition(definition)
    check_entity(entity)
    known = dict(source.columns if columns is None else columns)
    _check_source(definition, entity, source, known)
    windows, lookups = _checked_features(definition, known)
    if definition.service is not None:
        check_asked(definition, source, lookups)
    if windows and lookups:
        raise DefinitionError(
            "TD-FEATURE-005",
            f"feature view '{definition.view}' mixes windows ({', '.join(sorted(windows))}) and "
            f"lookups ({', '.join(sorted(lookups))})",
            expected="only windows or only lookups in one view",
            fix="Make two views of it.",
            view=definition.view,
        )
    event_time = source.event_time or source.recorded_at
    if windows:
        _check_windows(definition, source, event_time)
    types = {name: call.type for name, call in windows.items()}
    types |= {name: node.type for name, node in lookups.items()}
    times = {name for name in (event_time, source.recorded_at) if name is not None}
    computed: set[str] = set()
    for node in [*lookups.values(), *(n for call in windows.values() for n in arguments_of(call))]:
        computed |= columns_of(node)
    _check_known(definition, source, computed, times)
    read = {entity.key, *source.key, *times, *computed}
    return FeatureView(
        definition=definition,
        entity=entity,
        source=source.name,
        columns={name: known[name] for name in sorted(read)},
        event_time=event_time,
        recorded_at=source.recorded_at if source.event_time else None,
        row_key=tuple(source.key),
        kind="window" if windows else "lookup",
        types=dict(sorted(types.items())),
        lookups=dict(sorted(lookups.items())),
        windows=dict(sorted(windows.items())),
    )


def _check_source(
    definition: FeatureViewDefinition,
    entity: EntityDefinition,
    source: SourceTimes,
    columns: Mapping[str, str],
) -> None:
    where = f"feature view '{definition.view}'"
    for name, choice, what in (
        (definition.source, source.name, "source"),
        (definition.entity, entity.entity, "entity"),
    ):
        if name != choice:
            raise DefinitionError(
                "TD-FEATURE-006",
                f"{where} names the {what} '{name}' but was given '{choice}'",
                fix=near(name, [choice]),
            )
    key_type = columns.get(entity.key)
    if key_type is None:
        raise DefinitionError(
            "TD-FEATURE-006",
            f"the source '{source.name}' of {where} has no key column '{entity.key}'",
            expected=f"the join key of entity '{entity.entity}'",
            fix=near(entity.key, columns),
        )
    if key_type != entity.type:
        raise DefinitionError(
            "TD-FEATURE-007",
            f"the key column '{entity.key}' of source '{source.name}' is {key_type}, "
            f"but entity '{entity.entity}' has keys of type {entity.type}",
            fix="Declare the column's type in the source, or change the entity's type.",
        )


def _checked_features(
    definition: FeatureViewDefinition, columns: Mapping[str, str]
) -> tuple[dict[str, WindowCall], dict[str, Node]]:
    windows: dict[str, WindowCall] = {}
    lookups: dict[str, Node] = {}
    for feature, text in definition.features.items():
        with placed(f"feature '{feature}'"):
            if _OVER.search(_QUOTED.sub("", text)):
                call = check_window(parse_window(text), columns, text=text)
                windows[feature] = call
                inner = arguments_of(call)
            else:
                lookups[feature] = check(parse(text), columns, text=text)
                inner = (lookups[feature],)
        if any(fitted_of(each) or view_features_of(each) for each in inner):
            raise DefinitionError(
                "TD-FEATURE-008",
                f"feature '{feature}' of view '{definition.view}' is not computed from its "
                "source alone",
                expected="no fitted functions and no features of other views",
                fix="Move that part into the model's features.",
                feature=feature,
            )
    return windows, lookups


def _check_windows(
    definition: FeatureViewDefinition, source: SourceTimes, event_time: str | None
) -> None:
    where = f"feature view '{definition.view}'"
    if event_time is None:
        what, fix = f"the source '{source.name}' of {where} has no event time", "Declare it."
    elif definition.every is not None:
        what = f"{where} has windows and a cadence"
        fix = "Write `arrival: pushed` in place of `every:`; a window is read at the row's time."
    elif definition.ttl is not None:
        what, fix = f"{where} has windows and a ttl", "Remove `ttl:`; the window says how old."
    else:
        return
    raise DefinitionError(
        "TD-FEATURE-009", what, expected="windows over pushed events with a time", fix=fix
    )


def _check_known(
    definition: FeatureViewDefinition, source: SourceTimes, computed: set[str], times: set[str]
) -> None:
    """Refuse a column that becomes known at another time than the one a row counts from."""
    for column in sorted(computed):
        becomes_known = source.known_at.get(column)
        if becomes_known is None or becomes_known in times:
            continue
        raise DefinitionError(
            "TD-KNOWN-002",
            f"feature view '{definition.view}' reads '{column}', which becomes known at "
            f"'{becomes_known}', but its rows count from '{source.event_time}' on",
            expected="only columns known by the row's event time or recorded time",
            fix=f"Derive a data set whose event_time is '{becomes_known}', and name it as source.",
            column=column,
            known_at=becomes_known,
            view=definition.view,
        )


def signature_of(view: FeatureView) -> ViewSignature:
    """Return what expressions may know of the view."""
    return ViewSignature(
        view=view.name, entity=view.entity.entity, key=view.entity.key, features=dict(view.types)
    )
