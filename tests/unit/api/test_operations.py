"""The table of operations is the truth for every face."""

from __future__ import annotations

import inspect
import re
from functools import cached_property

import pytest

from tondo.core.errors import NotFoundError
from tondo.faces.cli.everyday import BY_HAND
from tondo.faces.cli.generate import make_index, text_of
from tondo.faces.cli.index import PATH, load
from tondo.workspace.facade import Workspace
from tondo.workspace.operations import OPERATIONS, operation
from tondo.workspace.python_only import PYTHON_ONLY
from tondo.workspace.signatures import parameters_of, result_type, type_hints, verb_of_class

GROUPS = [name for name, each in vars(Workspace).items() if isinstance(each, cached_property)]


def public_verbs() -> set[str]:
    found = set()
    for group in GROUPS:
        verbs = type_hints(inspect.getattr_static(Workspace, group).func)["return"]
        found |= {
            f"{group}.{name}"
            for name, member in vars(verbs).items()
            if not name.startswith("_") and inspect.isfunction(member)
        }
    return found


def test_every_public_verb_is_an_operation_or_says_why_not():
    assert public_verbs() - set(PYTHON_ONLY) == {each.method for each in OPERATIONS}


def test_no_verb_is_excused_that_is_not_there():
    assert set(PYTHON_ONLY) <= public_verbs()


def test_no_two_operations_share_a_name_or_an_address():
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)
    assert len({each.http for each in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_an_operations_address_names_parameters_of_its_verb(each):
    parameters = {one.name for one in parameters_of(verb_of_class(Workspace, each))}
    assert set(re.findall(r"{(\w+)}", each.http[1])) <= parameters


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_an_operation_is_fully_typed(each):
    verb = verb_of_class(Workspace, each)
    assert set(type_hints(verb)) >= {one.name for one in parameters_of(verb)} | {"return"}
    assert result_type(verb) is not None


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_an_operation_is_a_command(each):
    command = load()["commands"][each.noun][each.verb]
    assert (each.noun, each.verb) in BY_HAND or command["operation"] == each.name


@pytest.mark.parametrize(
    "each", [one for one in OPERATIONS if one.present], ids=lambda each: each.name
)
def test_what_a_plan_shows_only_reads(each):
    assert not operation(each.present).writes


def test_reading_is_a_get_but_for_long_questions():
    reading = {each.name for each in OPERATIONS if not each.writes and each.http[0] != "GET"}
    assert reading == {"sql.query", "expression.check", "deployment.explain"}


def test_the_shipped_index_is_the_one_that_would_be_generated():
    assert PATH.read_text() == text_of(make_index()), "run: python -m tondo.faces.cli.generate"


def test_an_unknown_operation_suggests_near_ones():
    with pytest.raises(NotFoundError, match=r"TD-API-001.*'dataset.list'"):
        operation("dataset.lst")


def test_what_names_files_or_addresses_of_the_machine_is_not_taken_from_the_network():
    from tondo.faces.api.routes import _taken

    for name, local in (("batch.run", {"file", "sql"}), ("deployment.replay", {"address"})):
        each = operation(name)
        function = verb_of_class(Workspace, each)
        taken = {parameter.name for parameter in _taken(each, function)}
        assert taken == {parameter.name for parameter in parameters_of(function)} - local
