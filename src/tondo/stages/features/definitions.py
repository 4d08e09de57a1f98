"""What people write: entities and feature views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from tondo.core.columns import ID, STRING, check_type
from tondo.core.durations import parse_duration_us
from tondo.core.errors import DefinitionError, near
from tondo.core.names import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PATIENCE_US = 10_000_000
"""No caller of a prediction should wait longer for a feature."""

_Definition = TypeVar("_Definition", bound=msgspec.Struct)


class EntityDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A thing that features describe, and the column it is known by."""

    entity: str
    key: str
    """Join key column; the same name in the view's source and, unless written, in the spine."""
    type: str = STRING
    """`string` or `id`."""
    owner: str = ""
    description: str = ""


class ServiceDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outside service that is asked for a view's features by HTTP."""

    url: str
    timeout: str = "50ms"
    """How long an answer is waited for in all."""
    failures: int = 5
    """After so many failures in a row nothing is asked for a while."""
    pause: str = "30s"
    """For how long."""
    token_env: str = ""
    """Environment variable that holds a bearer token."""
    defaults: dict[str, Any] = {}
    """Feature to the value used where the service fails."""


class FeatureViewDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Features of one entity from one source; owned, described, with a promise of freshness."""

    view: str
    entity: str
    source: str
    owner: str = ""
    description: str = ""
    freshness: str = ""
    """How old the newest value may be before it is a finding."""
    arrival: Literal["pushed", "asked"] | None = None
    """`pushed`: a row is visible from its push on. `asked`: `service` is asked for the values when
    a prediction is made, and the source is the history of its answers, for training."""
    service: ServiceDefinition | None = None
    every: str | None = None
    """A row is visible from the next materialisation on; boundaries count from 1970 UTC."""
    ttl: str | None = None
    """A looked-up value older than this reads as null."""
    retention: str | None = None
    """How far back an online read may ask; what no such read needs may be pruned. None: for
    ever."""
    features: dict[str, str] = {}
    """Feature name to expression, or to a window such as `avg(delay) over 3h`."""
    tags: list[str] = []
    """Words to find it by."""
    notes: dict[str, str] = {}
    """Feature name to a sentence of what it is."""
    deprecated: str | dict[str, str] = ""
    """Why not to use the view any more and what to use instead; or so by feature."""

    def deprecation(self, feature: str) -> str:
        """Return why a feature should not be used any more, empty when it may be."""
        if isinstance(self.deprecated, str):
            return self.deprecated
        return self.deprecated.get(feature, "")


def entity_from(data: Mapping[str, Any]) -> EntityDefinition:
    """Return the entity written as plain data; TD-FEATURE-001 names what does not fit.

    >>> entity_from({"entity": "origin", "key": "origin", "owner": "a", "description": "b"}).type
    'string'
    """
    return check_entity(_convert(data, EntityDefinition, "entity"))


def view_from(data: Mapping[str, Any]) -> FeatureViewDefinition:
    """Return the view written as plain data; TD-FEATURE-001 names what does not fit."""
    return check_definition(_convert(data, FeatureViewDefinition, "view"))


def check_entity(definition: EntityDefinition) -> EntityDefinition:
    """Return the entity when it is complete, else raise TD-FEATURE-002 or TD-FEATURE-003."""
    check_name(definition.entity, "entity")
    where = f"entity '{definition.entity}'"
    _require(where, owner=definition.owner, description=definition.description, key=definition.key)
    check_type(definition.type, where=where)
    if definition.type not in {STRING, ID}:
        raise DefinitionError(
            "TD-FEATURE-003",
            f"{where} has a key of type {definition.type}",
            expected="string or id",
            fix="Make the key a string, or declare the column an id.",
            entity=definition.entity,
        )
    return definition


def check_definition(definition: FeatureViewDefinition) -> FeatureViewDefinition:
    """Return the view when it is complete and consistent, before its source is known."""
    check_name(definition.view, "feature view")
    where = f"feature view '{definition.view}'"
    _require(
        where,
        owner=definition.owner,
        description=definition.description,
        freshness=definition.freshness,
    )
    if not definition.features:
        raise _incomplete(where, "features")
    if (definition.arrival is None) == (definition.every is None):
        raise DefinitionError(
            "TD-FEATURE-004",
            f"{where} does not say how its rows arrive",
            expected="one of `arrival: pushed`, `arrival: asked` and `every: 1h`",
            fix="Write `arrival: pushed` where events are pushed, `every:` where they are "
            "materialised on a schedule.",
            view=definition.view,
        )
    for text in (
        definition.freshness,
        definition.every,
        definition.ttl,
        definition.retention,
    ):
        if text is not None:
            parse_duration_us(text)
    _check_service(definition, where)
    for feature in definition.features:
        check_name(feature, f"feature of view '{definition.view}'")
    _check_told(definition, "notes", definition.notes)
    if not isinstance(definition.deprecated, str):
        _check_told(definition, "deprecated", definition.deprecated)
    return definition


def _check_service(definition: FeatureViewDefinition, where: str) -> None:
    service = definition.service
    if (definition.arrival == "asked") != (service is not None):
        raise DefinitionError(
            "TD-FEATURE-004",
            f"{where} does not say whom to ask, or asks nobody",
            expected="`arrival: asked` together with `service: {url: ...}`",
            fix="Write both, or neither.",
            view=definition.view,
        )
    if service is None:
        return
    address = urlsplit(service.url)
    long = parse_duration_us(service.timeout) > MOST_PATIENCE_US
    if (
        address.scheme not in {"http", "https"}
        or not address.hostname
        or address.password
        or service.failures < 1
        or long
    ):
        raise DefinitionError(
            "TD-FEATURE-091",
            f"{where} asks a service that cannot be asked so",
            expected="an http:// or https:// address without a password, `timeout` of at most 10s,"
            " `failures` from 1 on",
            fix="Name a token's environment variable in `token_env`; never write it here.",
            view=definition.view,
        )
    parse_duration_us(service.pause)


def _check_told(definition: FeatureViewDefinition, key: str, told: Mapping[str, str]) -> None:
    """Refuse words on a feature that the view does not have."""
    for feature in told:
        if feature not in definition.features:
            raise DefinitionError(
                "TD-FEATURE-001",
                f"view '{definition.view}': `{key}` speaks of '{feature}', which it does not have",
                expected="features of the view",
                fix=near(feature, definition.features),
                field=key,
            )


def _require(where: str, **fields: str) -> None:
    for name, value in fields.items():
        if not value.strip():
            raise _incomplete(where, name)


def _incomplete(where: str, field: str) -> DefinitionError:
    return DefinitionError(
        "TD-FEATURE-002",
        f"{where} has no {field}",
        expected="owner, description and what it computes, so that others can rely on it",
        fix=f"Add `{field}:`.",
        field=field,
    )


def _convert(data: Mapping[str, Any], type_: type[_Definition], what: str) -> _Definition:
    names = [field.name for field in msgspec.structs.fields(type_)]
    for name in data:
        if name not in names:
            raise DefinitionError(
                "TD-FEATURE-001",
                f"{what} '{data.get(what, '?')}' has an unknown field '{name}'",
                fix=near(str(name), names),
                field=str(name),
            )
    try:
        return msgspec.convert(dict(data), type_)
    except msgspec.ValidationError as mismatch:
        raise DefinitionError(
            "TD-FEATURE-001",
            f"{what} '{data.get(what, '?')}' cannot be read: {mismatch}",
            fix="Correct the field that is named; `tondo explain TD-FEATURE-001` shows an example.",
        ) from None
