"""The protocol's messages, made from a table of their fields when this is imported.

The Open Inference Protocol, package `inference`: names and numbers are its wire format. They live
in a pool of their own, beside any other copy of the protocol in the process.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE: Final = "inference"

_PARAMETERS: Final = "map:InferParameter"

_MESSAGES: Final[dict[str, tuple[tuple[int, str, str], ...]]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ((1, "live", "bool"),),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ((1, "ready", "bool"),),
    "ModelReadyRequest": ((1, "name", "string"), (2, "version", "string")),
    "ModelReadyResponse": ((1, "ready", "bool"),),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": (
        (1, "name", "string"),
        (2, "version", "string"),
        (3, "extensions", "repeated string"),
    ),
    "ModelMetadataRequest": ((1, "name", "string"), (2, "version", "string")),
    "TensorMetadata": (
        (1, "name", "string"),
        (2, "datatype", "string"),
        (3, "shape", "repeated int64"),
    ),
    "ModelMetadataResponse": (
        (1, "name", "string"),
        (2, "versions", "repeated string"),
        (3, "platform", "string"),
        (4, "inputs", "repeated TensorMetadata"),
        (5, "outputs", "repeated TensorMetadata"),
    ),
    "InferParameter": (
        (1, "bool_param", "choice bool"),
        (2, "int64_param", "choice int64"),
        (3, "string_param", "choice string"),
        (4, "double_param", "choice double"),
        (5, "uint64_param", "choice uint64"),
    ),
    "InferTensorContents": (
        (1, "bool_contents", "repeated bool"),
        (2, "int_contents", "repeated int32"),
        (3, "int64_contents", "repeated int64"),
        (4, "uint_contents", "repeated uint32"),
        (5, "uint64_contents", "repeated uint64"),
        (6, "fp32_contents", "repeated float"),
        (7, "fp64_contents", "repeated double"),
        (8, "bytes_contents", "repeated bytes"),
    ),
    "InferInputTensor": (
        (1, "name", "string"),
        (2, "datatype", "string"),
        (3, "shape", "repeated int64"),
        (4, "parameters", _PARAMETERS),
        (5, "contents", "InferTensorContents"),
    ),
    "InferRequestedOutputTensor": ((1, "name", "string"), (2, "parameters", _PARAMETERS)),
    "ModelInferRequest": (
        (1, "model_name", "string"),
        (2, "model_version", "string"),
        (3, "id", "string"),
        (4, "parameters", _PARAMETERS),
        (5, "inputs", "repeated InferInputTensor"),
        (6, "outputs", "repeated InferRequestedOutputTensor"),
        (7, "raw_input_contents", "repeated bytes"),
    ),
    "InferOutputTensor": (
        (1, "name", "string"),
        (2, "datatype", "string"),
        (3, "shape", "repeated int64"),
        (4, "parameters", _PARAMETERS),
        (5, "contents", "InferTensorContents"),
    ),
    "ModelInferResponse": (
        (1, "model_name", "string"),
        (2, "model_version", "string"),
        (3, "id", "string"),
        (4, "parameters", _PARAMETERS),
        (5, "outputs", "repeated InferOutputTensor"),
        (6, "raw_output_contents", "repeated bytes"),
    ),
}
"""Message to its fields: number, name, type. Where the protocol nests a message, ours stands
beside: names are not on the wire."""

_Field = descriptor_pb2.FieldDescriptorProto


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="tondo/open_inference.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, type_ in fields:
            _add_field(message, number, field, type_)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _add_field(message: Any, number: int, name: str, type_: str) -> None:
    kind, _, item = type_.rpartition(" ")
    if item.startswith("map:"):
        kind, item = "repeated", _add_entry(message, name, item.removeprefix("map:"))
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if kind == "repeated" else _Field.LABEL_OPTIONAL
    _set_type(field, item)
    if kind == "choice":
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0


def _add_entry(message: Any, name: str, item: str) -> str:
    """Add the entry of a map from texts, and return its name."""
    entry = message.nested_type.add(name=name.title() + "Entry")
    entry.options.map_entry = True
    _set_type(entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL), "string")
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), item)
    return f"{message.name}.{entry.name}"


def _set_type(field: Any, item: str) -> None:
    scalar = getattr(_Field, f"TYPE_{item.upper()}", None)
    if scalar is not None:
        field.type = scalar
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{item}"


MESSAGES: Final = _build()
"""Name to class."""
