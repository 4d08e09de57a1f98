"""Jinja, set up once: everything escaped, filters from words.py, static files by digest."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tondo.core.canonical import digest_bytes
from tondo.faces.ui.try_form import said_of_the_row
from tondo.faces.ui.words import FILTERS, plain
from tondo.stages.data.display import visible
from tondo.workspace.live.conditions import in_words

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
# A tooltip with more is a wall.
_TITLE_MOST = 1_000


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
    environment.filters["brief"] = brief
    environment.filters["in_words"] = in_words
    environment.filters["said_of_the_row"] = said_of_the_row
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.globals["static"] = static_address
    environment.globals["data_address"] = data_address
    environment.globals["deployment_address"] = deployment_address
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


def brief(text: Any, most: int = 40) -> Markup:
    """Return a name or value of data: isolated from the direction of its line, cut after `most`.

    What was cut stands in the title.

    >>> str(brief("<b>")), str(brief("abcdef", 4))
    ('<bdi>&lt;b&gt;</bdi>', '<bdi title="abcdef">abc\N{HORIZONTAL ELLIPSIS}</bdi>')
    """
    whole = visible(str(text))
    # A sentence breaks at its spaces, a long name where breakable() says.
    broken = Markup.escape if " " in whole else breakable
    if len(whole) <= most:
        return Markup("<bdi>{}</bdi>").format(broken(whole))
    title = whole[:_TITLE_MOST]
    if len(whole) > _TITLE_MOST:
        title += f"\N{HORIZONTAL ELLIPSIS} ({len(whole):,} characters)"
    cut = broken(whole[: most - 1] + "\N{HORIZONTAL ELLIPSIS}")
    return Markup('<bdi title="{}">{}</bdi>').format(title, cut)


def data_address(dataset: str, below: str = "", /, **query: Any) -> str:
    """Return the address of a dataset's page; empty parts of the query are left out.

    >>> data_address("flights", "compare", before="v1", after="", page=2)
    '/data/flights/compare?before=v1&page=2'
    """
    path = f"/data/{quote(dataset, safe='')}" + (f"/{below}" if below else "")
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{asked}" if asked else path


def deployment_address(deployment: str, below: str = "") -> str:
    """Return the address of a deployment's page.

    >>> deployment_address("late_arrival", "try")
    '/deployments/late_arrival/try'
    """
    path = f"/deployments/{quote(deployment, safe='')}"
    return f"{path}/{below}" if below else path
