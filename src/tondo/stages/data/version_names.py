"""Which words may name a branch or a tag, so that `dataset@word` means one thing only."""

from __future__ import annotations

import re

from tondo.core.errors import DefinitionError
from tondo.core.names import check_name

_NUMBER = re.compile(r"v\d+")
# Eight hexadecimal characters or more are the start of an id.
_ID = re.compile(r"[0-9a-f]{8,}")


def commit_number(word: str) -> int | None:
    """Return the number in `v3`, or None.

    >>> commit_number("v3"), commit_number("vega")
    (3, None)
    """
    return int(word[1:]) if _NUMBER.fullmatch(word) else None


def tag_pointer(dataset: str, name: str) -> str:
    """Return the ledger pointer of a tag.

    >>> tag_pointer("flights", "before_summer")
    'dataset_tag/flights@before_summer'
    """
    return f"dataset_tag/{dataset}@{name}"


def check_version_name(name: str, what: str) -> str:
    """Return `name` when it may name a branch or tag (TD-CORE-006, TD-DATA-022).

    >>> check_version_name("before_summer", "tag")
    'before_summer'
    """
    taken = None
    if commit_number(name) is not None:
        taken = f"'{name}' counts the commits of main"
    elif name[:1].isdigit():
        taken = f"'{name}' begins with a digit, as times and ids do"
    elif _ID.fullmatch(name):
        taken = f"'{name}' could be the start of an id"
    elif what == "tag" and name == "main":
        taken = "'main' is every data set's first branch"
    if taken is None:
        return check_name(name, what)
    raise DefinitionError(
        "TD-DATA-022",
        f"{taken}, so it cannot name a {what}",
        expected="a word that is no vN, no time, no id and no branch",
        fix="Choose a word such as 'before_summer'.",
        name=name,
    )
