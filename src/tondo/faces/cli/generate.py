"""Writes the static index: `python -m tondo.faces.cli.generate`."""

from __future__ import annotations

import inspect
import json
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from tondo.faces.cli.everyday import BY_HAND, EVERYDAY, by_hand, everyday
from tondo.faces.cli.index import PATH, Command, Index, Kind, Parameter
from tondo.faces.cli.words import NOUNS, PARAMETERS
from tondo.workspace.operations import OPERATIONS
from tondo.workspace.signatures import parameters_of, verb_of_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.workspace.operation import Operation
    from tondo.workspace.signatures import Parameter as VerbParameter

_KINDS: dict[Any, Kind] = {str: "text", int: "integer", float: "number", bool: "switch"}


def make_index() -> Index:
    """Return the index as the table of operations and the everyday verbs have it now."""
    from tondo.workspace.facade import Workspace

    commands: dict[str, dict[str, Command]] = {
        "": {verb: everyday_command(everyday(verb)) for verb in EVERYDAY}
    }
    for each in OPERATIONS:
        function = verb_of_class(Workspace, each)
        commands.setdefault(each.noun, {})[each.verb] = operation_command(each, function)
    for noun, verb in BY_HAND:
        commands.setdefault(noun, {})[verb] = everyday_command(by_hand(noun, verb))
    return {"nouns": {noun: NOUNS[noun] for noun in commands if noun}, "commands": commands}


def operation_command(operation: Operation, function: Any) -> Command:
    """Return the command of an operation, from the typed signature of its verb."""
    return {
        "about": operation.summary,
        "operation": operation.name,
        "writes": operation.writes,
        "parameters": [_of_verb(each) for each in parameters_of(function)],
    }


def _of_verb(parameter: VerbParameter) -> Parameter:
    kind = kind_of(parameter.type)
    return {
        "name": parameter.name,
        "kind": kind,
        "option": not (parameter.positional and parameter.required),
        "required": parameter.required,
        "default": parameter.default,
        "about": PARAMETERS[parameter.name],
    }


def kind_of(type_: Any) -> Kind:
    """Return how a command line says a value of a type.

    >>> kind_of(str | None), kind_of(list[str]), kind_of(dict[str, int])
    ('text', 'texts', 'json')
    """
    if get_origin(type_) in (Union, UnionType):
        (type_,) = [each for each in get_args(type_) if each is not NoneType] or (str,)
    if type_ == list[str]:
        return "texts"
    return _KINDS.get(type_, "json")


def everyday_command(function: Callable[..., Any]) -> Command:
    """Return the command of an everyday verb, from what it tells Typer."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return {
        "about": inspect.getdoc(function) or "",
        "operation": "",
        "writes": False,
        "parameters": [_of_typer(each, hints[each.name]) for each in parameters],
    }


def _of_typer(parameter: inspect.Parameter, hint: Any) -> Parameter:
    assert get_origin(hint) is Annotated
    type_, described = get_args(hint)
    is_option = isinstance(described, typer.models.OptionInfo)
    default = None if parameter.default is inspect.Parameter.empty else parameter.default
    # Inside Annotated, Typer keeps an option's first spelling as if it were its default.
    spelt = [str(each) for each in (described.default, *(described.param_decls or ()))]
    spelt = [each.lstrip("-") for each in spelt if each.startswith("--")]
    said = spelt[0] if spelt else parameter.name
    plain = default if isinstance(default, str | int | float | bool | None) else None
    kind = kind_of(type_)
    return {
        "name": (said if is_option else described.metavar or said).replace("-", "_").lower(),
        "kind": "text" if kind == "json" else kind,
        "option": is_option,
        "required": parameter.default is inspect.Parameter.empty,
        "default": plain,
        "about": described.help or "",
    }


def text_of(index: Index) -> str:
    """Return the index as it stands in the file."""
    return json.dumps(index, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text_of(make_index()), encoding="utf-8")
