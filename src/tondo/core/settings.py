"""The settings tree: each setting has a name, a default and a sentence; nothing else is read."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from tondo.core.errors import DefinitionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

Doc = msgspec.Meta
ONLINE_SETTINGS = "online.json"
"""File in a workspace's state folder that tells scorers of the online store."""
SECRETS = frozenset({"token", "online_store"})
"""Settings whose values are never shown: they are, or may hold, a secret."""
_TEXTS = {int: "a whole number", str: "text", NoneType: "nothing"}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be set, from the weakest to the strongest: default, project file, environment."""

    host: Annotated[str, Doc(description="address that servers listen on")] = "127.0.0.1"
    web_port: Annotated[int, Doc(description="port of the pages and REST")] = 8460
    scorer_port: Annotated[int, Doc(description="port of the scorer")] = 8461
    scorer_memory_mb: Annotated[
        int, Doc(description="most memory of all models of a scorer in MB; 0: no limit")
    ] = 0
    scorer_workers: Annotated[
        int | str, Doc(description="workers of the scorer: 2, or 1..4 for as many as are needed")
    ] = 1
    scorer_tls_cert: Annotated[
        str, Doc(description="certificate chain in PEM: the scorer speaks TLS")
    ] = ""
    scorer_tls_key: Annotated[str, Doc(description="the certificate's key in PEM")] = ""
    scorer_grpc_port: Annotated[
        int | None, Doc(description="port of V2 over gRPC; 0 takes a free one; null: none")
    ] = None
    token: Annotated[str, Doc(description="bearer token; needed to listen beyond loopback")] = ""
    threads: Annotated[int, Doc(description="threads of engine and training; 0 is all")] = 0
    memory_mb: Annotated[int, Doc(description="memory limit of the engine in MB; 0: its own")] = 0
    online_mb: Annotated[int, Doc(description="largest size of the online store in MB")] = 4096
    online_store: Annotated[
        str, Doc(description="online store: lmdb, or the address of a Redis, redis://host:6379/0")
    ] = "lmdb"
    online_fallback: Annotated[
        Literal["error", "null"],
        Doc(description="what a scorer does while Redis is unreachable: refuse, or score nulls"),
    ] = "error"
    log_days: Annotated[
        int,
        Doc(
            description="days for which raw logs of predictions, outcomes and consumers' answers"
            " are kept after they were imported or compared; 0: for ever"
        ),
    ] = 400
    statistics_engine: Annotated[
        Literal["duckdb", "spark"], Doc(description="engine that computes statistics")
    ] = "duckdb"
    spark_url: Annotated[str, Doc(description="local[*], spark://... or sc://... of Spark")] = (
        "local[*]"
    )


def read_settings(
    project: Mapping[str, Any], environment: Mapping[str, str], *, place: str = "the project file"
) -> Settings:
    """Return the settings of `project` (its `settings:` key) with TONDO_* variables over them.

    An unknown name or a value of the wrong type raises TD-SETTING-001, which says where it stood.

    >>> read_settings({"web_port": 9000}, {"TONDO_SCORER_PORT": "9001"}).scorer_port
    9001
    """
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name, value in project.items():
        values[name] = _value(name, value, hints, place)
    for name in hints:
        variable = f"TONDO_{name.upper()}"
        if variable in environment:
            values[name] = _value(name, environment[variable], hints, f"the variable {variable}")
    return Settings(**values)


def _value(name: str, value: Any, hints: Mapping[str, Any], place: str) -> Any:
    if name not in hints:
        raise DefinitionError(
            "TD-SETTING-001",
            f"no setting is called '{name}' ({place})",
            fix=near(name, hints),
            name=name,
        )
    kind = hints[name]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        shown = "a hidden value" if name in SECRETS else repr(value)
        raise DefinitionError(
            "TD-SETTING-001",
            f"the setting '{name}' has {shown} ({place})",
            expected=_TEXTS.get(kind)
            or " or ".join(_TEXTS.get(e) or str(e) for e in get_args(kind)),
            name=name,
        ) from None


def describe_settings() -> list[tuple[str, str, Any, str]]:
    """Return (name, environment variable, default, sentence) of each setting."""
    rows = []
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        meta = get_args(hint)[1] if get_origin(hint) is Annotated else None
        default = getattr(Settings(), name)
        rows.append((name, f"TONDO_{name.upper()}", default, meta.description if meta else ""))
    return rows
