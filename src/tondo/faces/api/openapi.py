"""The OpenAPI document, written from the table of operations and the verbs' types."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import msgspec

from tondo.workspace.operation import Operation
from tondo.workspace.signatures import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_REFERENCE = "#/components/schemas/{name}"


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """An operation with the types of its parameters and its result."""

    operation: Operation
    parameters: list[Parameter]
    result: Any


def document(verbs: Sequence[Verb], *, version: str) -> dict[str, Any]:
    """Return OpenAPI 3.1 for `verbs`."""
    types = [each.result for each in verbs]
    types += [parameter.type for each in verbs for parameter in each.parameters]
    schemas, components = _schemas(types)
    paths: dict[str, dict[str, Any]] = {}
    for each in verbs:
        method, path = each.operation.http
        paths.setdefault(path, {})[method.lower()] = _entry(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "tondo", "version": version},
        "paths": paths,
        "components": {"schemas": {**components, "Error": _ERROR}},
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "fault", "message", "what", "expected", "fix", "fields"],
            "properties": {
                "code": {"type": "string"},
                "fault": {"type": "string"},
                "message": {"type": "string"},
                "what": {"type": "string"},
                "expected": {"type": "string"},
                "fix": {"type": "string"},
                "fields": {"type": "object"},
            },
        }
    },
}


def _entry(verb: Verb, schemas: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    method, path = verb.operation.http
    in_path = [each for each in verb.parameters if "{" + each.name + "}" in path]
    others = [each for each in verb.parameters if each not in in_path]
    shown = [_parameter(each, "path", schemas) for each in in_path]
    entry: dict[str, Any] = {
        "operationId": verb.operation.name,
        "summary": verb.operation.summary,
        "tags": [verb.operation.noun],
        "responses": {
            "200": _BYTES
            if verb.result is bytes
            else _content(schemas[id(verb.result)], "The result."),
            "default": _content({"$ref": _REFERENCE.format(name="Error")}, "What went wrong."),
        },
    }
    if method == "GET":
        shown += [_parameter(each, "query", schemas) for each in others]
    elif others:
        entry["requestBody"] = _body(others, schemas)
    return {**entry, "parameters": shown}


def _parameter(
    parameter: Parameter, place: str, schemas: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": place,
        "required": place == "path" or parameter.required,
        "schema": schemas[id(parameter.type)],
    }


def _body(others: Sequence[Parameter], schemas: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    required = [each.name for each in others if each.required]
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {each.name: schemas[id(each.type)] for each in others},
    }
    if required:
        schema["required"] = required
    return {"required": bool(required), **_content(schema)}


_BYTES = {"description": "The bytes.", "content": {"application/octet-stream": {}}}


def _content(schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    said = {"description": description} if description else {}
    return {**said, "content": {"application/json": {"schema": schema}}}


def _schemas(types: Sequence[Any]) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """Return a schema for each type, by identity, and the components that they refer to."""
    template = _REFERENCE.format(name="{name}")
    try:
        found, components = msgspec.json.schema_components(types, ref_template=template)
    except TypeError:
        # One type that JSON Schema cannot say must not take the others with it.
        pairs = [_schema_alone(each, template) for each in types]
        found = tuple(schema for schema, _ in pairs)
        components = {name: body for _, parts in pairs for name, body in parts.items()}
    return {id(each): schema for each, schema in zip(types, found, strict=True)}, components


def _schema_alone(type_: Any, template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        (schema,), components = msgspec.json.schema_components([type_], ref_template=template)
    except TypeError:
        parts = get_args(type_) if get_origin(type_) in (Union, UnionType) else ()
        pairs = [_schema_alone(each, template) for each in parts]
        merged = {name: body for _, found in pairs for name, body in found.items()}
        return ({"anyOf": [each for each, _ in pairs]} if pairs else {}), merged
    return schema, components
