"""Prometheus text, as a scorer's /metrics shows it, read back into samples.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Sample(NamedTuple):
    """One line: a name, its labels, a value."""

    name: str
    labels: dict[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Yield the samples of a text; comments, and lines that are none, are passed over.

    >>> next(samples('up{job="a b"} 1'))
    Sample(name='up', labels={'job': 'a b'}, value=1.0)
    """
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.match(line)
        if found is None:
            continue
        name, labels, value = found.groups()
        try:
            number = float(value)
        except ValueError:
            continue
        yield Sample(
            name, {key: _plain(said) for key, said in _LABEL.findall(labels or "")}, number
        )


def _plain(said: str) -> str:
    return re.sub(r"\\[\\\"n]", lambda each: _ESCAPED[each.group()], said)
