"""Schema, statistics and anomalies of tensorflow-metadata as plain documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format, text_format, unknown_fields
from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from tondo.core.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from tondo.ports.messages import MessageForm, MessageKind

_TYPES: dict[MessageKind, Any] = {
    "schema": schema_pb2.Schema,
    "statistics": statistics_pb2.DatasetFeatureStatisticsList,
    "anomalies": anomalies_pb2.Anomalies,
}
# Tags and lengths of a binary message are such bytes; a text holds none of them.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PLACE = re.compile(r"^\d+:\d+ : ")


class TensorflowMetadata:
    """Implements ports/messages.py."""

    def read(
        self, data: bytes, *, kind: MessageKind, form: MessageForm | None = None
    ) -> dict[str, Any]:
        """Return the document; TD-EXCHANGE-001 says what is wrong and where."""
        message = _TYPES[kind]()
        asked = form or _guess(data)
        try:
            if asked == "binary":
                message.ParseFromString(data)
            elif asked == "json":
                json_format.Parse(data.decode("utf-8"), message)
            else:
                text_format.Parse(data.decode("utf-8"), message)
            found: dict[str, Any] = json_format.MessageToDict(
                message, preserving_proto_field_name=True
            )
        except text_format.ParseError as error:
            where = {"line": error.GetLine(), "column": error.GetColumn()}
            at = f" at line {where['line']}, column {where['column']}" if where["line"] else ""
            raise _refused(kind, asked, f"{_PLACE.sub('', str(error))}{at}", **where) from None
        except (DecodeError, json_format.Error, UnicodeDecodeError, TypeError) as error:
            raise _refused(kind, asked, str(error)) from None
        if asked == "binary" and (strange := _strange_fields(message)):
            raise _refused(kind, asked, f"it has no field of the number {strange[0]}")
        return found

    def write(self, document: dict[str, Any], *, kind: MessageKind, form: MessageForm) -> bytes:
        """Return the bytes; TD-EXCHANGE-004 names a value that does not fit."""
        try:
            message = json_format.ParseDict(document, _TYPES[kind]())
        except json_format.ParseError as error:
            raise DefinitionError(
                "TD-EXCHANGE-004",
                f"the {kind} cannot be written as a message of tensorflow-metadata: {error}",
                expected="whole numbers of at most 64 bits and texts in Unicode",
                fix="Change that value, or write another form.",
            ) from None
        if form == "binary":
            binary: bytes = message.SerializeToString(deterministic=True)
            return binary
        text: str
        if form == "json":
            text = json_format.MessageToJson(message, preserving_proto_field_name=True) + "\n"
        else:
            text = text_format.MessageToString(message, as_utf8=True)
        return text.encode()


def _guess(data: bytes) -> MessageForm:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "binary"
    if _BINARY.search(data):
        return "binary"
    return "json" if text.lstrip("\ufeff \t\r\n").startswith("{") else "text"


def _strange_fields(message: Any) -> list[int]:
    """Return the numbers of the outermost fields that the message type does not have."""
    return [each.field_number for each in unknown_fields.UnknownFieldSet(message)]


def _refused(kind: MessageKind, form: MessageForm, why: str, **where: int | None) -> DataError:
    return DataError(
        "TD-EXCHANGE-001",
        f"this is no {kind} message in {form} form: {why.rstrip('.')}",
        expected=f"what tensorflow-metadata calls {_TYPES[kind].DESCRIPTOR.full_name}",
        fix="Check which message the file holds, and that it is whole.",
        kind=kind,
        form=form,
        **where,
    )
