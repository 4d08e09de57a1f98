"""An operation: a verb of the workspace, as every face offers it."""

from __future__ import annotations

from typing import Literal

import msgspec

Permission = Literal["read", "write", "deploy", "query"]
"""What a caller must be allowed: `query` is free SQL, `deploy` moves live traffic."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A verb of the workspace, as every face offers it."""

    name: str
    """`noun.verb`, for example `dataset.commits`."""
    method: str
    """The `Workspace` verb with its group: `data.commits`."""
    http: tuple[str, str]
    """HTTP verb and path; `{names}` in the path are parameters of the method."""
    summary: str
    writes: bool = False
    permission: Permission = "read"
    present: str = ""
    """A reading operation that shows what this one would change, for `--plan`."""
    local: tuple[str, ...] = ()
    """Parameters that name files or addresses of the machine: not taken from the network."""

    @property
    def noun(self) -> str:
        """The first half of the name."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The second half of the name."""
        return self.name.partition(".")[2]


def read(name: str, method: str, path: str, summary: str) -> Operation:
    """Return an operation that changes nothing, reached by GET."""
    return Operation(name=name, method=method, http=("GET", path), summary=summary)


def write(
    name: str,
    method: str,
    path: str,
    summary: str,
    *,
    permission: Permission = "write",
    present: str = "",
    verb: str = "POST",
    local: tuple[str, ...] = (),
) -> Operation:
    """Return an operation that changes something."""
    return Operation(
        name=name,
        method=method,
        http=(verb, path),
        summary=summary,
        writes=True,
        permission=permission,
        present=present,
        local=local,
    )
