"""What a workspace reaches outside: databases, object stores, messages, Redis, sketches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tondo.core.errors import MissingExtraError

if TYPE_CHECKING:
    from tondo.ports.databases import Databases
    from tondo.ports.messages import Messages
    from tondo.ports.objects import Objects
    from tondo.ports.online import OnlineStore
    from tondo.ports.sketches import Sketches
    from tondo.ports.tables import Tables


def redis_store(address: str) -> OnlineStore:
    """Return the online store at an address; its secrets are the environment's.

    :raises DefinitionError: TD-ONLINE-102 when it is no address of a Redis.
    :raises MissingExtraError: TD-INSTALL-001 without tondo[redis].
    """
    try:
        from tondo.adapters.online.redis.store import RedisStore
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise MissingExtraError.of("redis", "the online store of the settings") from None
    return RedisStore(address)


def statistics_sketches() -> Sketches:
    """Return what sketches columns; MissingExtraError without tondo[sketches]."""
    from tondo.adapters.sketches.datasketches.sketches import DataSketches

    return DataSketches()


def source_databases() -> Databases:
    """Return what reads the databases of sources; their secrets are the environment's."""
    from tondo.adapters.sources.sqlalchemy.databases import SqlDatabases

    return SqlDatabases(os.environ)


def answer_tables() -> Tables:
    """Return what writes answers into databases; their secrets are the environment's."""
    from tondo.adapters.sources.sqlalchemy.tables import SqlTables

    return SqlTables(os.environ)


def source_objects() -> Objects:
    """Return what reads the object stores of sources."""
    from tondo.adapters.sources.obstore.objects import ObstoreObjects

    return ObstoreObjects()


def messages() -> Messages:
    """Return what reads and writes messages of tensorflow-metadata.

    :raises MissingExtraError: TD-INSTALL-001 when it is not installed.
    """
    try:
        from tondo.adapters.messages.tensorflow_metadata.messages import TensorflowMetadata
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"tensorflow_metadata", "google"}:
            raise
        raise MissingExtraError.of("metadata", "a message of tensorflow-metadata") from None
    return TensorflowMetadata()
