"""Counts and gauges in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from tondo.faces.scorer.metrics import BUCKETS_US, FIRST_BUCKET, ISOLATED, SECONDS_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tondo.faces.scorer.cells import Key
    from tondo.faces.scorer.tally import Tally

_FAMILIES: Final = {
    "tondo_requests_total": ("counter", "Requests answered, by status."),
    "tondo_predictions_total": ("counter", "Rows scored."),
    "tondo_shed_total": ("counter", "Requests refused because they would have waited too long."),
    "tondo_request_seconds": (
        "histogram",
        "Time in the handler, from the whole body to the reply.",
    ),
    "tondo_handed_on_total": (
        "counter",
        "Requests handed on to isolated models' processes, by the answer's status.",
    ),
    "tondo_handed_on_seconds": (
        "histogram",
        "Time from the whole body to the answer of an isolated model's process.",
    ),
}
"""Name of each family of samples to its type and help."""

_LIMITS: Final = (*(f"{bound / 1e6:g}" for bound in BUCKETS_US), "+Inf")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

_LABELS: Final = ("deployment", "protocol", "variant", "status")
_COUNTED: Final = {
    ("shed", False): "tondo_shed_total",
    ("shed", True): "tondo_shed_total",
    ("status", False): "tondo_requests_total",
    ("status", True): "tondo_handed_on_total",
    ("variant", False): "tondo_predictions_total",
    ("variant", True): None,
}
"""The counter whose value comes first in a block, by its kind and whether it was handed on."""


def exposition(
    tally: Tally,
    gauges: Mapping[str, float],
    of_workers: Mapping[int, Mapping[str, float]] | None = None,
) -> str:
    """Return counts, and gauges of the whole, as text.

    `of_workers` has the gauges of each worker by its process id, which becomes a label: the sum of
    how late several event loops are, or of plan numbers, says nothing.
    """
    families: dict[str, list[str]] = {name: [] for name in _FAMILIES}
    for key, values in sorted(tally.items()):
        _add_samples(families, key, values)
    lines = []
    # The samples of a family stand together: a parser that is strict takes no others.
    for name, (type_, help_) in _FAMILIES.items():
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} {type_}", *families[name]]
    for name, value in gauges.items():
        lines += [f"# TYPE {name} gauge", _sample(name, "", value)]
    told = of_workers or {}
    for name in sorted({name for each in told.values() for name in each}):
        lines.append(f"# TYPE {name} gauge")
        lines += [
            _sample(name, f'worker="{pid}"', each[name])
            for pid, each in sorted(told.items())
            if name in each
        ]
    return "\n".join(lines) + "\n"


def _add_samples(families: dict[str, list[str]], key: Key, values: Sequence[int]) -> None:
    """Add the samples of one block of counters to their families."""
    kind, *names = key
    labels = _shown(names)
    handed_on = names[1] == ISOLATED
    if kind == "variant":
        name = "tondo_handed_on_seconds" if handed_on else "tondo_request_seconds"
        families[name] += _histogram(name, labels, values)
    counted = _COUNTED[kind, handed_on]
    if counted:
        families[counted].append(_sample(counted, labels, values[0]))


def _histogram(name: str, labels: str, values: Sequence[int]) -> Iterator[str]:
    reached = list(accumulate(values[FIRST_BUCKET:]))
    for limit, number in zip(_LIMITS, reached, strict=True):
        yield f'{name}_bucket{{{labels},le="{limit}"}} {number}'
    yield _sample(f"{name}_sum", labels, values[SECONDS_NS] / 1e9)
    yield _sample(f"{name}_count", labels, reached[-1])


def _shown(names: Sequence[str]) -> str:
    labels = zip(_LABELS, names, strict=False)
    return ",".join(f'{label}="{name.translate(_ESCAPES)}"' for label, name in labels)


def _sample(name: str, labels: str, value: float) -> str:
    number = str(value) if isinstance(value, int) else repr(float(value))
    return f"{name}{{{labels}}} {number}" if labels else f"{name} {number}"
