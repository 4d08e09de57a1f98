"""Jinja, set up once: everything escaped, filters from words.py, static files by digest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tondo.core.canonical import digest_bytes
from tondo.faces.ui.words import FILTERS, plain

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def render(template: str, /, **values: Any) -> str:
    """Return the page that `template` makes of `values`."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.filters["breakable"] = breakable
    environment.filters["shown"] = shown
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.globals["static"] = static_address
    return environment


@cache
def static_address(name: str) -> str:
    """Return the address of a static file; its digest in it lets browsers keep it for good."""
    return f"/static/{name}?v={digest_bytes((STATIC / name).read_bytes())[:12]}"


def shown(value: Any) -> str:
    """Return a value of a row: texts may break, figures stay whole."""
    return breakable(value) if isinstance(value, str) else plain(value)


def breakable(text: str) -> Markup:
    """Return escaped text that may break after `_`, `.`, `/` and `@`, for long names on a phone."""
    safe = str(Markup.escape(text))
    for sign in "_./@":
        safe = safe.replace(sign, sign + "<wbr>")
    return Markup(safe)  # noqa: S704 - escaped four lines above, only <wbr> was added
