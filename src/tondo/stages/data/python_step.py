"""A Python step: a function of the project's own folder, Arrow tables in, an Arrow table out."""

from __future__ import annotations

import re
import traceback
import types
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest_bytes
from tondo.core.errors import DataError, DefinitionError, TondoError, near

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

_FORM = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


class PythonStep(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a module as it was read, and the function in it."""

    text: str
    """`module:function`, as the definition has it."""
    source: bytes
    function: str
    file: str

    @property
    def digest(self) -> str:
        """The digest of the module: another text is other work."""
        return digest_bytes(self.source)


def read_step(text: str, *, folder: Path | None) -> PythonStep:
    """Read `module:function` from a file under `folder`, and from nowhere else.

    Errors: TD-CLEAN-007 (no such form, file, or function).
    """
    found = _FORM.fullmatch(text)
    if found is None or folder is None:
        raise _not_there(f"'{text}' names no function of a project's folder")
    path = folder.joinpath(*found[1].split(".")).with_suffix(".py")
    inside = path.resolve().is_relative_to(folder.resolve())
    if not (inside and path.is_file()):
        names = [each.stem for each in folder.glob("*.py")]
        raise _not_there(f"there is no {path.name} in the project", near(found[1], names))
    return PythonStep(
        text=text, source=path.read_bytes(), function=found[2], file=str(path.relative_to(folder))
    )


def run_step(step: PythonStep, tables: list[pa.Table]) -> pa.Table:
    """Call the function with the tables in the order of `inputs`.

    The text that was digested is the text that runs; the project's folder is not on the path of
    imports, so no other file of the project can change the result unseen. Errors: TD-CLEAN-007
    (the function is not there), -008 (it raised), -009 (it returned no Arrow table).
    """
    import pyarrow as pa

    try:
        answer = _function(step)(*tables)
    except TondoError:
        raise
    except Exception as error:
        line = _line(error, step.file)
        raise DataError(
            "TD-CLEAN-008",
            f"{step.file}:{line}: {step.function} raised {type(error).__name__}: {error}",
            expected="an Arrow table",
            fix="Run the function on the inputs by hand: `workspace.data.table(name)`.",
            file=step.file,
            line=line,
        ) from error
    if not isinstance(answer, pa.Table):
        raise DataError(
            "TD-CLEAN-009",
            f"{step.text} returned a {type(answer).__name__}",
            expected="an Arrow table",
            fix="Return a pyarrow.Table, such as pa.table({...}).",
        )
    return answer


def _function(step: PythonStep) -> Any:
    module = types.ModuleType(step.file)
    exec(compile(step.source, step.file, "exec"), module.__dict__)  # noqa: S102 - the project's own
    function = module.__dict__.get(step.function)
    if not callable(function):
        named = [name for name, each in module.__dict__.items() if callable(each)]
        raise _not_there(
            f"{step.file} has no function '{step.function}'", near(step.function, named)
        )
    return function


def _line(error: Exception, file: str) -> int:
    """Return the last line of the step's own file on the way to the error."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 1
    frames = [
        each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == file
    ]
    return frames[-1] or 1 if frames else 1


def _not_there(what: str, fix: str = "") -> DefinitionError:
    return DefinitionError(
        "TD-CLEAN-007",
        what,
        expected="`python: module:function`, where module.py lies in the project's folder",
        fix=fix,
    )
