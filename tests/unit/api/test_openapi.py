"""OpenAPI is written from the real workspace's types."""

from __future__ import annotations

import re

import pytest

from tondo.faces.api.openapi import Verb, document
from tondo.workspace.facade import Workspace
from tondo.workspace.operations import OPERATIONS
from tondo.workspace.signatures import parameters_of, result_type, verb_of_class


@pytest.fixture(scope="module")
def openapi():
    verbs = [(each, verb_of_class(Workspace, each)) for each in OPERATIONS]
    return document(
        [
            Verb(operation=each, parameters=parameters_of(verb), result=result_type(verb))
            for each, verb in verbs
        ],
        version="0",
    )


def entries(openapi):
    return {
        one["operationId"]: (path, one)
        for path, verbs in openapi["paths"].items()
        for one in verbs.values()
    }


def test_every_result_has_a_schema(openapi):
    for name, (_, entry) in entries(openapi).items():
        ((kind, content),) = entry["responses"]["200"]["content"].items()
        assert kind == "application/octet-stream" or content["schema"] != {}, name


def test_every_reference_leads_somewhere(openapi):
    for name in re.findall(r"#/components/schemas/([^'\"]+)", str(openapi)):
        assert name in openapi["components"]["schemas"]


def test_path_parameters_are_declared(openapi):
    for name, (path, entry) in entries(openapi).items():
        declared = {each["name"] for each in entry["parameters"] if each["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), name


def test_writing_operations_take_their_values_in_the_body(openapi):
    _, entry = entries(openapi)["deployment.predict"]
    schema = entry["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["row"]
    assert schema["additionalProperties"] is False
