"""Which library fits a spec's algorithm, with every hyperparameter filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.library import ModelLibrary
    from tondo.stages.training.spec import ModelSpec


def choose_library(
    spec: ModelSpec, libraries: Mapping[str, ModelLibrary]
) -> tuple[ModelLibrary, dict[str, Any]]:
    """Return the library and the full hyperparameters of a spec.

    TD-SPEC-004 for an unknown algorithm, TD-SPEC-005 for an unknown hyperparameter or one of the
    wrong type.
    """
    known = {name: library for library in libraries.values() for name in library.algorithms}
    library = known.get(spec.algorithm)
    if library is None:
        raise DefinitionError(
            "TD-SPEC-004",
            f"model '{spec.model}' asks for the algorithm '{spec.algorithm}'",
            expected="an algorithm of a library that is here",
            fix=near(spec.algorithm, known),
            algorithm=spec.algorithm,
        )
    defaults = library.default_parameters(spec.algorithm)
    for name, value in spec.parameters.items():
        if name not in defaults:
            raise DefinitionError(
                "TD-SPEC-005",
                f"model '{spec.model}': {spec.algorithm} has no parameter '{name}'",
                fix=near(name, defaults),
                parameter=name,
            )
        _check_type(spec, name, value, defaults[name])
    return library, {**defaults, **spec.parameters}


def _check_type(spec: ModelSpec, name: str, value: Any, default: Any) -> None:
    is_whole = isinstance(default, int)
    kinds = int if is_whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool):
        return
    raise DefinitionError(
        "TD-SPEC-005",
        f"model '{spec.model}': the parameter '{name}' of {spec.algorithm} is {value!r}",
        expected="a whole number" if is_whole else "a number",
        fix=f"Its default is {default!r}.",
        parameter=name,
    )
