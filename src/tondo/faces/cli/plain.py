"""Commands for which none is written by hand: one for each row of the table of operations."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.index import option_name
from tondo.faces.cli.opening import opened
from tondo.faces.cli.show import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.faces.cli.index import Command, Parameter
    from tondo.workspace.operation import Operation

_TYPES: Mapping[str, Any] = {
    "text": str,
    "integer": int,
    "number": float,
    "switch": bool,
    "texts": list[str],
    "json": str,
}
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def plain_command(command: Command) -> Callable[..., None]:
    """Return a function whose signature Typer reads, for a command of the index."""
    parameters = [_typer_parameter(each) for each in command["parameters"]]
    parameters += _common_parameters(writes=command["writes"])

    def run(**values: Any) -> None:
        _run(command, values)

    run.__doc__ = command["about"]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _typer_parameter(parameter: Parameter) -> inspect.Parameter:
    type_: Any = _TYPES[parameter["kind"]]
    if not parameter["required"] and parameter["kind"] != "switch":
        type_ |= None
    described: Any = typer.Argument(help=parameter["about"])
    if parameter["option"]:
        described = typer.Option(option_name(parameter["name"]), help=parameter["about"])
    # What is left out is not handed on, so the verb's own default stands.
    default = False if parameter["kind"] == "switch" else None
    return inspect.Parameter(
        parameter["name"],
        _KEYWORD,
        default=inspect.Parameter.empty if parameter["required"] else default,
        annotation=Annotated[type_, described],
    )


def _common_parameters(*, writes: bool) -> list[inspect.Parameter]:
    found = [
        _common("project_folder", Path, Path(), "--project", "The project's folder."),
        _common("as_json", bool, False, "--json", "Print JSON."),
    ]
    if writes:
        found.append(_common("plan_only", bool, False, "--plan", "Show, and do nothing."))
    return found


def _common(name: str, type_: type, default: Any, option: str, about: str) -> inspect.Parameter:
    annotation: Any = Annotated[type_, typer.Option(option, help=about)]
    return inspect.Parameter(name, _KEYWORD, default=default, annotation=annotation)


def _run(command: Command, values: dict[str, Any]) -> None:
    from tondo.workspace.operations import operation
    from tondo.workspace.signatures import parameters_of, verb_of

    folder: Path = values.pop("project_folder")
    as_json: bool = values.pop("as_json")
    plan_only: bool = values.pop("plan_only", False)
    chosen = operation(command["operation"])
    with opened(folder) as workspace:
        verb = verb_of(workspace, chosen)
        types = {each.name: each.type for each in parameters_of(verb)}
        arguments = {
            each["name"]: _value(each, values[each["name"]], types[each["name"]])
            for each in command["parameters"]
            if values[each["name"]] not in (None, [])
        }
        if plan_only:
            show_plan(chosen, arguments, workspace, as_json=as_json)
            return
        show(verb(**arguments), as_json=as_json)


def _value(parameter: Parameter, value: Any, type_: Any) -> Any:
    """Return a parameter's value as the verb wants it; JSON may stand in a file: @rows.json."""
    if parameter["kind"] == "json":
        value = read_json(value, name=parameter["name"])
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise CallerError(
            "TD-CLI-004",
            f"{option_name(parameter['name'])} is not as it should be: {error}",
            parameter=parameter["name"],
        ) from None


def read_json(text: str, *, name: str) -> Any:
    """Return the JSON value of `text`, of the file `@path`, or of standard input (`-`)."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        return msgspec.json.decode(text)
    except (OSError, msgspec.DecodeError) as error:
        raise CallerError(
            "TD-CLI-004",
            f"'{name}' cannot be read as JSON ({error})",
            expected="JSON, @FILE with JSON in it, or - for standard input",
            parameter=name,
        ) from None


def show_plan(
    chosen: Operation, arguments: Mapping[str, Any], workspace: Any, *, as_json: bool
) -> None:
    """Show what would be done, beside what there is now; change nothing."""
    plan = {
        "operation": chosen.name,
        "would": chosen.summary,
        "arguments": dict(arguments),
        "allowed_to": chosen.permission,
        "present": _present(chosen, arguments, workspace),
    }
    if as_json:
        show(plan, as_json=True)
        return
    present = plan.pop("present")
    show(plan, title="Planned; nothing was done")
    if present is not None:
        show(present, title="As it is now")


def _present(chosen: Operation, arguments: Mapping[str, Any], workspace: Any) -> Any:
    from tondo.core.errors import NotFoundError
    from tondo.workspace.operations import operation
    from tondo.workspace.signatures import parameters_of, verb_of

    if not chosen.present:
        return None
    verb = verb_of(workspace, operation(chosen.present))
    taken: Sequence[str] = [each.name for each in parameters_of(verb)]
    try:
        return verb(**{name: value for name, value in arguments.items() if name in taken})
    except NotFoundError:
        return None
