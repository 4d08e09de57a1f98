"""References in SQL: which versions a query names, and the query with their names quoted."""

from __future__ import annotations

import re

# What is no place for a reference comes first and is passed over: texts, comments, bodies in $$.
_TOKEN = re.compile(
    r"""(?P<passed>'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"""
    r"""|"(?P<quoted>(?:[^"]|"")*)\""""
    r"""|(?P<bare>(?<![\w@])[A-Za-z][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9_:.+-]*)""",
    re.DOTALL,
)


def named_versions(text: str) -> tuple[str, list[str]]:
    r"""Return the query with each `dataset@version` quoted, and those references, each once.

    >>> named_versions("select '@' from flights@v3 join weather using (origin)")
    ('select \'@\' from "flights@v3" join weather using (origin)', ['flights@v3'])
    >>> named_versions('select * from "flights@2013-04-01" -- not x@y')[1]
    ['flights@2013-04-01']
    """
    found: list[str] = []

    def quoted(token: re.Match[str]) -> str:
        if token["bare"] is not None:
            found.append(token["bare"])
            return f'"{token["bare"]}"'
        if token["quoted"] is not None and "@" in token["quoted"]:
            found.append(token["quoted"].replace('""', '"'))
        return token[0]

    quoted_text = _TOKEN.sub(quoted, text)
    return quoted_text, list(dict.fromkeys(found))
