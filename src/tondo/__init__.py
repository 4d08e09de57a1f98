"""tondo: machine learning in production, the whole round.

>>> import tondo
>>> "open" in tondo.__all__
True

`tondo.open(path)` opens a project, `tondo.load(package)` loads a model to predict in process;
`tondo.statistics`, `tondo.infer_schema` and `tondo.check_schema` look at a bare file or table;
`tondo.evaluate`, `tondo.check_expression` and `tondo.language_functions` are the feature language
on its own.
Everything is imported when first used, so `import tondo` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tondo.core.errors import (
        CallerError,
        ConflictError,
        DataError,
        DefinitionError,
        MissingExtraError,
        NotFoundError,
        OutsideError,
        PlatformError,
        TondoError,
    )
    from tondo.faces.scorer.bootstrap import load
    from tondo.language.expression import F
    from tondo.workspace.bare import check_schema, infer_schema, statistics
    from tondo.workspace.bare_language import check_expression, evaluate, language_functions
    from tondo.workspace.bootstrap import open_workspace as open  # noqa: A004 - the field's word
    from tondo.workspace.facade import Workspace

__version__ = "0.1.0"

_HOMES = {
    "CallerError": "tondo.core.errors",
    "ConflictError": "tondo.core.errors",
    "DataError": "tondo.core.errors",
    "DefinitionError": "tondo.core.errors",
    "F": "tondo.language.expression",
    "MissingExtraError": "tondo.core.errors",
    "NotFoundError": "tondo.core.errors",
    "OutsideError": "tondo.core.errors",
    "PlatformError": "tondo.core.errors",
    "TondoError": "tondo.core.errors",
    "Workspace": "tondo.workspace.facade",
    "check_expression": "tondo.workspace.bare_language",
    "check_schema": "tondo.workspace.bare",
    "evaluate": "tondo.workspace.bare_language",
    "infer_schema": "tondo.workspace.bare",
    "language_functions": "tondo.workspace.bare_language",
    "load": "tondo.faces.scorer.bootstrap",
    "open": "tondo.workspace.bootstrap",
    "read_sketch": "tondo.workspace.bare",
    "sketch": "tondo.workspace.bare",
    "statistics": "tondo.workspace.bare",
}
_NAMES_THERE = {"open": "open_workspace"}

__all__ = [
    "CallerError",
    "ConflictError",
    "DataError",
    "DefinitionError",
    "F",
    "MissingExtraError",
    "NotFoundError",
    "OutsideError",
    "PlatformError",
    "TondoError",
    "Workspace",
    "__version__",
    "check_expression",
    "check_schema",
    "evaluate",
    "infer_schema",
    "language_functions",
    "load",
    "open",
    "read_sketch",
    "sketch",
    "statistics",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for from its room (PEP 562)."""
    if name not in _HOMES:
        message = f"module 'tondo' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), _NAMES_THERE.get(name, name))


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
