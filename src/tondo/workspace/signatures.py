"""Typed signatures of the workspace's verbs, read from the verbs themselves.

The verb classes import the types of their signatures under TYPE_CHECKING, so that opening a
workspace stays light; here those imports are made, because here the types are wanted.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from tondo.core.errors import PlatformError, near

if TYPE_CHECKING:
    from types import ModuleType

    from tondo.workspace.operation import Operation


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a verb."""

    name: str
    type: Any
    required: bool
    default: Any = None
    positional: bool = False
    """True where Python takes it by place: an argument of the CLI, not an option."""


def parameters_of(function: Any) -> list[Parameter]:
    """Return the parameters of a function, `self` left out, with resolved types.

    >>> def scale(self, value: float, *, by: int = 2) -> float: ...
    >>> [(each.name, each.required, each.positional) for each in parameters_of(scale)]
    [('value', True, True), ('by', False, False)]
    """
    hints = type_hints(function)
    found = []
    for each in inspect.signature(function).parameters.values():
        if each.name == "self":
            continue
        required = each.default is inspect.Parameter.empty
        found.append(
            Parameter(
                name=each.name,
                type=hints.get(each.name, Any),
                required=required,
                default=None if required else each.default,
                positional=each.kind is not inspect.Parameter.KEYWORD_ONLY,
            )
        )
    return found


def result_type(function: Any) -> Any:
    """Return the resolved return type of a function."""
    return type_hints(function).get("return", Any)


def type_hints(function: Any) -> dict[str, Any]:
    """Return the resolved hints of a function, its module's TYPE_CHECKING imports included."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    module = sys.modules[plain.__module__]
    return get_type_hints(plain, localns=_imports_for_types(module), include_extras=True)


def _imports_for_types(module: ModuleType) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
            for each in statement.body:
                names.update(_imported(each))
    return names


def _imported(statement: ast.stmt) -> dict[str, Any]:
    if not isinstance(statement, ast.ImportFrom) or statement.module is None:
        return {}
    module = importlib.import_module(statement.module)
    return {each.asname or each.name: getattr(module, each.name) for each in statement.names}


def verb_of(workspace: Any, operation: Operation) -> Any:
    """Return the bound verb that `operation` names; TD-API-010 when there is none."""
    target = workspace
    for part in operation.method.split("."):
        target = _step(target, part, operation)
    return target


def verb_of_class(workspace: type, operation: Operation) -> Any:
    """Return the verb that `operation` names as a plain function, with no workspace opened."""
    target: Any = workspace
    for part in operation.method.split("."):
        found = _step(target, part, operation)
        getter = getattr(found, "func", getattr(found, "fget", None))
        target = result_type(getter) if getter is not None else found
    return target


def _step(owner: Any, part: str, operation: Operation) -> Any:
    try:
        return getattr(owner, part)
    except AttributeError:
        choices = [each for each in dir(owner) if not each.startswith("_")]
        raise PlatformError(
            "TD-API-010",
            f"operation '{operation.name}' names '{operation.method}', which is not there",
            fix=near(part, choices),
            operation=operation.name,
        ) from None
