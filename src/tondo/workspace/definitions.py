"""Reading definition documents into typed values, with the place in every error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tondo.core.errors import DefinitionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"unknown field `(.+?)`")


def read_body(body: Mapping[str, Any], kind: type[T], *, place: str) -> T:
    """Return a document's body as a `kind`; TD-PROJECT-005 names the place, key and near keys."""
    try:
        return msgspec.convert(dict(body), kind)
    except msgspec.ValidationError as error:
        unknown = _UNKNOWN.search(str(error))
        keys = [field.encode_name for field in msgspec.structs.fields(kind)]
        fix = "Correct that key."
        if "got `bool`" in str(error):
            fix = "Put it in quotes: YAML reads a bare on, off, yes or no as true or false."
        raise DefinitionError(
            "TD-PROJECT-005",
            f"{place}: '{unknown[1]}' is not a key here" if unknown else f"{place}: {error}",
            expected="keys among " + ", ".join(keys),
            fix=near(unknown[1], keys) if unknown else fix,
            place=place,
        ) from None
