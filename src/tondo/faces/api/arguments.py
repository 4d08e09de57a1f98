"""From a request's path, query and body to the arguments of a verb, checked by type."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec

from tondo.core.errors import CallerError, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.workspace.signatures import Parameter


def bind(
    parameters: Sequence[Parameter],
    *,
    texts: Iterable[tuple[str, str]],
    body: Mapping[str, Any],
) -> dict[str, Any]:
    """Return keyword arguments from `texts` (path and query) and a JSON `body`.

    Raises TD-API-002 for a name that the verb does not have, TD-API-004 for one that is
    missing, TD-API-005 for a value of another type.
    """
    known = {each.name: each for each in parameters}
    sent: dict[str, list[str]] = {}
    for name, value in texts:
        sent.setdefault(name, []).append(value)
    _refuse_unknown([*sent, *body], known)
    arguments = {name: _from_texts(known[name], values) for name, values in sent.items()}
    arguments |= {name: _convert(known[name], value, strict=True) for name, value in body.items()}
    missing = [each.name for each in parameters if each.required and each.name not in arguments]
    if missing:
        raise CallerError(
            "TD-API-004",
            f"'{missing[0]}' is missing",
            expected=_signature_text(parameters),
            parameter=missing[0],
        )
    return arguments


def read_body(data: bytes, content_type: str) -> dict[str, Any]:
    """Return the JSON object of a request's body; an empty body is an empty object."""
    if not data:
        return {}
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise CallerError(
            "TD-API-003",
            f"the body is of type '{content_type or 'unknown'}'",
            expected="a JSON object",
            fix="Send the header Content-Type: application/json.",
        )
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CallerError(
            "TD-API-003", f"the body cannot be read ({error})", expected="a JSON object"
        ) from None


def wants_list(type_: Any) -> bool:
    """Tell whether a parameter takes several values: `?keys=a&keys=b`.

    >>> wants_list(list[str]), wants_list(list[str] | None), wants_list(str)
    (True, True, False)
    """
    if get_origin(type_) in (list, tuple, set):
        return True
    return any(wants_list(each) for each in get_args(type_) if each is not NoneType and each)


def _refuse_unknown(names: Iterable[str], known: Mapping[str, Parameter]) -> None:
    for name in names:
        if name not in known:
            raise CallerError(
                "TD-API-002",
                f"there is no parameter '{name}'",
                expected=_signature_text(list(known.values())),
                fix=near(name, known) if known else "",
                parameter=name,
            )


def _from_texts(parameter: Parameter, values: list[str]) -> Any:
    value = values if wants_list(parameter.type) else values[-1]
    return _convert(parameter, value, strict=False)


def _convert(parameter: Parameter, value: Any, *, strict: bool) -> Any:
    try:
        return msgspec.convert(value, parameter.type, strict=strict)
    except msgspec.ValidationError as error:
        raise CallerError(
            "TD-API-005",
            f"'{parameter.name}' is not as it should be: {error}",
            expected=type_text(parameter.type),
            parameter=parameter.name,
        ) from None


def type_text(type_: Any) -> str:
    """Return a type as people write it.

    >>> type_text(list[str] | None), type_text(int)
    ('list[str] | None', 'int')
    """
    return type_.__name__ if isinstance(type_, type) and not get_args(type_) else str(type_)


def _signature_text(parameters: Sequence[Parameter]) -> str:
    shown = [
        f"{each.name}: {type_text(each.type)}" + ("" if each.required else " (may be left out)")
        for each in parameters
    ]
    return ", ".join(shown) or "no parameter at all"
