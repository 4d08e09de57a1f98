"""What forms send: read once, as names and their last values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from litestar import Request

_FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return what a form sent (TD-UI-003 when it is no form)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        kind, text = "bytes that are no UTF-8", ""
    if kind != _FORM:
        raise CallerError(
            "TD-UI-003",
            f"the request's body is of type '{kind or 'unknown'}'",
            expected=f"a form, as pages send it: {_FORM}",
            fix="Programs use the addresses of GET /schema.",
        )
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
