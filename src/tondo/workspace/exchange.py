"""Schemas, statistics and anomalies in files of tondo, tensorflow-metadata and SageMaker.

Each comes with sentences on what the other form cannot say; nothing is dropped in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tondo.core.errors import CallerError, DefinitionError, NotFoundError, near
from tondo.stages.data.exchange.converted import Converted
from tondo.workspace.bootstrap import messages
from tondo.workspace.schema_yaml import read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.ports.messages import MessageForm, MessageKind
    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.distances import Distance
    from tondo.stages.data.exchange.guessing import Writer
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.statistics import Statistics

T = TypeVar("T")
_TENSORFLOW: dict[str, MessageForm] = {
    "tensorflow-json": "json",
    "tensorflow-text": "text",
    "tensorflow-binary": "binary",
}
OTHERS = (*_TENSORFLOW, "sagemaker")
"""Forms of other tools."""
_WROTE = "a file that `tondo schema infer FILE --out SCHEMA` wrote"
_STATISTICS = (".json", ".pb", ".pbtxt", ".textproto", ".txtpb", ".binpb")


def read_schema(path: str | Path) -> Converted[Schema]:
    """Read a schema of tondo (YAML), tensorflow-metadata or SageMaker, told by its content.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DefinitionError: TD-DATA-001, TD-SCHEMA-003, -006, -007 say what is wrong with it.
    :raises DataError: TD-EXCHANGE-001, -003 when it is a damaged file of another tool.
    """
    from tondo.stages.data.exchange.sagemaker_constraints import from_sagemaker_constraints
    from tondo.stages.data.exchange.sagemaker_documents import read_document
    from tondo.stages.data.exchange.tensorflow_schema import from_tensorflow_schema

    place = Path(path)
    data = _bytes(place, "the schema", _WROTE)
    name = place.name.partition(".")[0]
    writer = writer_of(place)
    if writer == "tondo":
        return Converted(read_yaml(data, place))
    if writer == "sagemaker":
        return from_sagemaker_constraints(read_document(data, key="features"), name=name)
    return from_tensorflow_schema(messages().read(data, kind="schema"), name=name)


def writer_of(path: str | Path) -> Writer:
    """Return whose schema a file holds, told by its content."""
    from tondo.stages.data.exchange.guessing import writer_of_schema

    return writer_of_schema(_bytes(Path(path), "the schema", _WROTE))


def read_own_schema(path: Path) -> Schema:
    """Read a schema of tondo (YAML); another tool's is refused, since it may say other things.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DefinitionError: TD-DATA-001, TD-SCHEMA-003, -006, -007 say what is wrong with it.
    """
    writer = writer_of(path)
    if writer != "tondo":
        raise DefinitionError(
            "TD-DATA-001",
            f"{path} holds a schema of {writer}",
            expected="a schema of tondo",
            fix=f"Convert it: tondo schema convert {path} --to yaml --out FILE",
        )
    return read_yaml(_bytes(path, "the schema", _WROTE), path)


def write_schema(schema: Schema, *, to: str) -> Converted[bytes]:
    """Return a schema's file in the form `to`: yaml, tensorflow-json, -text, -binary, sagemaker.

    :raises CallerError: TD-EXCHANGE-002 for another form.
    :raises MissingExtraError: TD-INSTALL-001 when tensorflow-metadata is not installed.
    """
    from tondo.stages.data.exchange.sagemaker_constraints import to_sagemaker_constraints
    from tondo.stages.data.exchange.tensorflow_schema import to_tensorflow_schema

    if to == "yaml":
        return Converted(write_yaml(schema))
    return _written("schema", to, schema, to_tensorflow_schema, to_sagemaker_constraints)


def holds_statistics(path: str | Path) -> bool:
    """Say whether a file is of statistics, by its suffix; rows are in none of these."""
    return Path(path).suffix.lower() in _STATISTICS


def read_statistics(path: str | Path) -> Converted[Statistics]:
    """Read statistics that tensorflow-metadata's tools or SageMaker wrote, told by content.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DataError: TD-EXCHANGE-001, -003 when it holds something else or is damaged.
    """
    from tondo.stages.data.exchange.guessing import writer_of_message
    from tondo.stages.data.exchange.sagemaker_documents import read_document
    from tondo.stages.data.exchange.sagemaker_statistics import from_sagemaker_statistics
    from tondo.stages.data.exchange.tensorflow_feature_statistics import (
        read_statistics as from_tensorflow,
    )

    data = _bytes(Path(path), "the statistics", "a file of statistics")
    if writer_of_message(data) == "sagemaker":
        return from_sagemaker_statistics(read_document(data, key="dataset"))
    return from_tensorflow(messages().read(data, kind="statistics"))


def write_statistics(statistics: Statistics, *, to: str) -> Converted[bytes]:
    """Return the file of statistics in the form `to`: tondo (JSON) or one of `OTHERS`.

    :raises CallerError: TD-EXCHANGE-002 for another form.
    """
    from tondo.stages.data.exchange.sagemaker_statistics import to_sagemaker_statistics
    from tondo.stages.data.exchange.tensorflow_statistics import to_tensorflow_statistics

    if to == "tondo":
        return Converted(_json(msgspec.to_builtins(statistics)))
    both = (to_tensorflow_statistics, to_sagemaker_statistics)
    return _written("statistics", to, statistics, *both)


def read_anomalies(path: str | Path) -> Converted[Anomalies]:
    """Read anomalies that tensorflow-metadata's tools or SageMaker wrote, as far as it goes.

    :raises NotFoundError: TD-DATA-002 when there is no such file.
    :raises DataError: TD-EXCHANGE-001, -003 when it holds something else or is damaged.
    """
    from tondo.stages.data.exchange.guessing import writer_of_message
    from tondo.stages.data.exchange.sagemaker_constraints import from_sagemaker_violations
    from tondo.stages.data.exchange.sagemaker_documents import read_document
    from tondo.stages.data.exchange.tensorflow_anomalies import from_tensorflow_anomalies

    data = _bytes(Path(path), "the anomalies", "a file of anomalies")
    if writer_of_message(data) == "sagemaker":
        return from_sagemaker_violations(read_document(data, key="violations"))
    return from_tensorflow_anomalies(messages().read(data, kind="anomalies"))


def write_anomalies(
    anomalies: Anomalies, *, to: str, schema: Schema, distances: list[Distance] | None = None
) -> Converted[bytes]:
    """Return the file of a check in one of `OTHERS`; `schema` is what was checked against.

    :raises CallerError: TD-EXCHANGE-002 for another form.
    """
    from tondo.stages.data.exchange.sagemaker_constraints import to_sagemaker_violations
    from tondo.stages.data.exchange.tensorflow_anomalies import to_tensorflow_anomalies

    def message(found: Anomalies) -> Converted[dict[str, Any]]:
        return to_tensorflow_anomalies(found, schema=schema, distances=distances or [])

    return _written("anomalies", to, anomalies, message, to_sagemaker_violations)


def _written(
    kind: MessageKind,
    to: str,
    value: T,
    to_tensorflow: Callable[[T], Converted[dict[str, Any]]],
    to_sagemaker: Callable[[T], Converted[dict[str, Any]]],
) -> Converted[bytes]:
    """Return a value in another tool's form."""
    if to == "sagemaker":
        found = to_sagemaker(value)
        return Converted(_json(found.value), found.left_out)
    if to not in _TENSORFLOW:
        own = {"schema": ("yaml",), "statistics": ("tondo",), "anomalies": ()}[kind]
        raise CallerError(
            "TD-EXCHANGE-002",
            f"'{to}' is no form of {kind}",
            expected="one of " + ", ".join((*own, *OTHERS)),
            fix=near(to, (*own, *OTHERS)),
            form=to,
        )
    found = to_tensorflow(value)
    data = messages().write(found.value, kind=kind, form=_TENSORFLOW[to])
    return Converted(data, found.left_out)


def _json(document: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _bytes(path: Path, what: str, expected: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            "TD-DATA-002",
            f"{what} {path} cannot be read: {error.strerror}",
            expected=expected,
            path=str(path),
        ) from None
