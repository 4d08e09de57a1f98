"""Calls operations over HTTP."""

from __future__ import annotations

import re
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from tondo.core.errors import (
    CallerError,
    ConflictError,
    DataError,
    DefinitionError,
    NotFoundError,
    OutsideError,
    PlatformError,
    TondoError,
    near,
)
from tondo.workspace.operations import OPERATIONS, operation

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_STATUS: dict[int, type[TondoError]] = {404: NotFoundError, 409: ConflictError}
_BY_FAULT: dict[str, type[TondoError]] = {
    each.fault: each
    for each in (DataError, DefinitionError, CallerError, PlatformError, OutsideError)
}
_BYTES = "application/octet-stream"
# Training over HTTP answers when it is done.
_TIMEOUT_S = 600.0


class Client:
    """A control plane somewhere: `Client("http://127.0.0.1:8460").call("model.list")`.

    `client.model.list()` is the same. Errors are those that the verb itself raises.
    """

    def __init__(
        self, address: str, *, token: str | None = None, timeout_s: float = _TIMEOUT_S
    ) -> None:
        if urlsplit(address).scheme not in {"http", "https"}:
            raise CallerError(
                "TD-API-011",
                f"'{address}' is no address of a server",
                expected="an address such as http://127.0.0.1:8460",
            )
        self._address = address.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        # A proxy of the surroundings is not meant for the machine's own servers.
        self._opener = build_opener(ProxyHandler({}))

    def __repr__(self) -> str:
        """`Client(http://127.0.0.1:8460)`."""
        return f"Client({self._address})"

    def __getattr__(self, noun: str) -> Noun:
        """Return the operations of a noun: `client.dataset.commits(dataset="flights")`."""
        verbs = [each.verb for each in OPERATIONS if each.noun == noun]
        if not verbs:
            raise AttributeError(near(noun, {each.noun for each in OPERATIONS}))
        return Noun(self, noun, verbs)

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Return what the operation `name` answers: plain JSON values, or bytes.

        Raises the coded error of the verb; OutsideError TD-API-012 when nobody answers.
        """
        chosen = operation(name)
        method, template = chosen.http
        in_path = re.findall(r"{(\w+)}", template)
        path = template.format_map(
            {each: quote(str(arguments[each]), safe="@") for each in in_path if each in arguments}
            | {each: "" for each in in_path if each not in arguments}
        )
        others = {key: value for key, value in arguments.items() if key not in in_path}
        if method == "GET":
            said = [(key, value) for key, value in others.items() if value is not None]
            query = urlencode(said, doseq=True)
            return self._send(method, f"{path}?{query}" if query else path, None)
        return self._send(method, path, msgspec.json.encode(others, enc_hook=str))

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(self._address + path, data=body, headers=headers, method=method)  # noqa: S310 - the scheme was checked
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                data = answer.read()
                kind = answer.headers.get_content_type()
                return data if kind == _BYTES else msgspec.json.decode(data)
        except HTTPError as error:
            raise _coded(error) from None
        except (URLError, HTTPException, OSError) as error:
            raise OutsideError(
                "TD-API-012",
                f"{self._address} does not answer ({getattr(error, 'reason', error)})",
                expected="a running control plane",
                fix="Start one with: tondo serve",
                address=self._address,
            ) from None


class Noun:
    """The operations of one noun."""

    def __init__(self, client: Client, noun: str, verbs: list[str]) -> None:
        self._client = client
        self._noun = noun
        self._verbs = verbs

    def __dir__(self) -> list[str]:
        """List the verbs."""
        return sorted(self._verbs)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        """Return one operation."""
        if verb not in self._verbs:
            raise AttributeError(near(verb, self._verbs))
        return partial(self._client.call, f"{self._noun}.{verb}")


def _coded(error: HTTPError) -> TondoError:
    """Return the error that the server's body tells of."""
    try:
        body = msgspec.json.decode(error.read())["error"]
        kind = _BY_STATUS.get(error.code) or _BY_FAULT.get(body["fault"], PlatformError)
        return kind.from_json(body)
    except (msgspec.DecodeError, KeyError, TypeError):
        return OutsideError(
            "TD-API-013",
            f"{error.url} answered with status {error.code} and no error of tondo's",
            expected="tondo's control plane at that address",
        )
