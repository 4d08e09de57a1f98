"""Counts and gauges in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from tondo.faces.scorer.metrics import BUCKETS_US, FIRST_BUCKET, ISOLATED, PREDICTIONS, SECONDS_NS

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
"""Name of each family of samples, none the beginning of another's, to its type and help."""

_LIMITS: Final = (*(f"{bound / 1e6:g}" for bound in BUCKETS_US), "+Inf")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

_Labels = tuple[tuple[str, str], ...]


def exposition(
    tally: Tally,
    gauges: Mapping[str, float],
    of_workers: Mapping[int, Mapping[str, float]] | None = None,
) -> str:
    """Return counts, and gauges of the whole, as text.

    `of_workers` has the gauges of each worker by its process id, which becomes a label: the sum of
    how late several event loops are, or of plan numbers, says nothing.
    """
    samples = [line for key, values in sorted(tally.items()) for line in _lines(key, values)]
    lines = []
    # The samples of a family stand together: a parser that is strict takes no others.
    for name, (type_, help_) in _FAMILIES.items():
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} {type_}"]
        lines += [line for line in samples if line.startswith(name)]
    for name, value in gauges.items():
        lines += [f"# TYPE {name} gauge", _sample(name, (), value)]
    told = of_workers or {}
    for name in sorted({name for each in told.values() for name in each}):
        lines.append(f"# TYPE {name} gauge")
        lines += [
            _sample(name, (("worker", str(pid)),), each[name])
            for pid, each in sorted(told.items())
            if name in each
        ]
    return "\n".join(lines) + "\n"


def _lines(key: Key, values: Sequence[int]) -> Iterator[str]:
    """Yield the samples of one block of counters."""
    kind, *names = key
    labels = tuple(zip(("deployment", "protocol", "variant", "status"), names, strict=False))
    handed_on = names[1] == ISOLATED
    if kind == "shed":
        yield _sample("tondo_shed_total", labels, values[0])
    elif kind == "status":
        yield _sample(f"tondo_{'handed_on' if handed_on else 'requests'}_total", labels, values[0])
    elif handed_on:
        yield from _histogram("tondo_handed_on_seconds", labels, values)
    else:
        yield _sample("tondo_predictions_total", labels, values[PREDICTIONS])
        yield from _histogram("tondo_request_seconds", labels, values)


def _histogram(name: str, labels: _Labels, values: Sequence[int]) -> Iterator[str]:
    reached = list(accumulate(values[FIRST_BUCKET:]))
    for limit, number in zip(_LIMITS, reached, strict=True):
        yield _sample(f"{name}_bucket", (*labels, ("le", limit)), number)
    yield _sample(f"{name}_sum", labels, values[SECONDS_NS] / 1e9)
    yield _sample(f"{name}_count", labels, reached[-1])


def _sample(name: str, labels: _Labels, value: float) -> str:
    number = str(value) if isinstance(value, int) else repr(float(value))
    shown = ",".join(f'{key}="{each.translate(_ESCAPES)}"' for key, each in labels)
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"
