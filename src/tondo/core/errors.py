"""The error tree, split by whose fault it is.

TondoError
├── DataError        the data is not what its schema or definition says
├── DefinitionError  the author of a definition (view, spec, expression, gate) must change it
├── CallerError      the caller of a verb or a request must change what was sent
│   ├── NotFoundError   a name or id that is not there
│   └── ConflictError   somebody else moved first, or the state forbids it
├── PlatformError    tondo or the machine under it: disk, port, a broken file
└── OutsideError     another system or a library that is not installed
    └── MissingExtraError
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class TondoError(Exception):
    """An error with a stable code, what happened, what was expected and what to do.

    >>> fix = "Did you mean 'late'?"
    >>> error = CallerError("TD-REGISTRY-001", "no model 'lat'", fix=fix, name="lat")
    >>> str(error)
    "TD-REGISTRY-001: no model 'lat'. Did you mean 'late'?"
    >>> error.fields["name"]
    'lat'
    """

    fault = "platform"

    def __init__(
        self,
        code: str,
        what: str,
        *,
        expected: str = "",
        fix: str = "",
        **fields: Any,
    ) -> None:
        """Compose the message; `fields` are the facts a program may want to read."""
        self.code = code
        self.what = what
        self.expected = expected
        self.fix = fix
        self.fields: dict[str, Any] = fields
        super().__init__(code, what, expected, fix)

    @property
    def message(self) -> str:
        """What happened, what was expected, what to do: one text without the code."""
        parts = [self.what.rstrip(".")]
        if self.expected:
            parts.append(f"expected {self.expected.rstrip('.')}")
        text = "; ".join(parts) + "."
        return f"{text} {self.fix}".rstrip()

    def __str__(self) -> str:
        """Code and message."""
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling with every field."""
        return (_rebuild, (type(self), self.to_json()))

    def at(self, place: str) -> Self:
        """Return the same error with `place` in front of what happened, once.

        >>> str(CallerError("TD-REGISTRY-001", "no model 'lat'").at("models.yaml:12"))
        "TD-REGISTRY-001: models.yaml:12: no model 'lat'."
        """
        if self.what.startswith(place):
            return self
        body = self.to_json()
        return self.from_json({**body, "what": f"{place}: {body['what']}"})

    def to_json(self) -> dict[str, Any]:
        """Return the one shape in which every face shows an error."""
        return {
            "code": self.code,
            "fault": self.fault,
            "message": self.message,
            "what": self.what,
            "expected": self.expected,
            "fix": self.fix,
            "fields": self.fields,
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(
            body["code"],
            body["what"],
            expected=body.get("expected", ""),
            fix=body.get("fix", ""),
            **body.get("fields", {}),
        )


def _rebuild(kind: type[TondoError], body: dict[str, Any]) -> TondoError:
    return kind.from_json(body)


class DataError(TondoError):
    """The data is not what its schema or definition says."""

    fault = "data"


class DefinitionError(TondoError):
    """The author of a definition must change it."""

    fault = "definition"


class CallerError(TondoError):
    """The caller must change what was sent."""

    fault = "caller"


class NotFoundError(CallerError):
    """A name or id that is not there; lists near names and where was searched."""


class ConflictError(CallerError):
    """Somebody else moved first, or the present state forbids it."""


class PlatformError(TondoError):
    """The machine under tondo, or tondo itself: disk, port, a damaged file."""

    fault = "platform"


class OutsideError(TondoError):
    """Another system did not do its part."""

    fault = "outside"


class MissingExtraError(OutsideError):
    """A library is not installed; `fields['extra']` names the extra that brings it."""

    @classmethod
    def of(cls, extra: str, purpose: str) -> MissingExtraError:
        """Build the error for `extra`, saying what needs it and the command to install it."""
        return cls(
            "TD-INSTALL-001",
            f"{purpose} needs the extra '{extra}', which is not installed",
            fix=f"Run: pip install 'tondo[{extra}]'",
            extra=extra,
        )


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Name `place` in what is raised within because of what stands there.

    What the machine or another system did not do is not the place's fault, and passes as it is.
    """
    try:
        yield
    except (DataError, DefinitionError, CallerError) as error:
        raise error.at(place) from None


def near(name: str, choices: Iterable[str], *, most: int = 3) -> str:
    """Return "Did you mean 'x'?" for the nearest of `choices`, or the choices when few.

    >>> near("wind_sped", ["wind_speed", "wind_gust", "temp"])
    "Did you mean 'wind_speed' or 'wind_gust'?"
    >>> near("q", ["temp"])
    "There is: 'temp'."
    >>> near("q", [])
    'There is none yet.'
    """
    known = sorted(set(choices))
    if not known:
        return "There is none yet."
    close = difflib.get_close_matches(name, known, n=most, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(f"'{each}'" for each in close) + "?"
    shown = ", ".join(f"'{each}'" for each in known[:10])
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    return f"There is: {shown}{more}."
