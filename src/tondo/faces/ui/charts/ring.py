"""The loop as a ring: eight stations with live counts, the way of the data clockwise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.faces.ui.words import short_count

if TYPE_CHECKING:
    from tondo.workspace.pages import LoopCounts

STATIONS = (
    ("Data", "snapshots", "snapshots"),
    ("Features", "features", "features"),
    ("Training", "runs", "runs"),
    ("Evaluation", "reports", "reports"),
    ("Deployment", "deployments", "rollouts"),
    ("Predictions", "predictions", "answered"),
    ("Outcomes", "outcomes", "joined"),
    ("Retraining", "retrainings", "times"),
)

RADIUS = 158.0
LABEL_RADIUS = 190.0
# Words above and below the ring need more room than those beside it.
LABEL_LIFT = 13.0
# Half the angle, in degrees, that an arc leaves free on each side of a station's bead.
GAP = 6.5


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A bead on the ring with its label."""

    name: str
    count: str
    unit: str
    reached: bool
    """False while there is nothing at this station yet."""
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: Literal["start", "middle", "end"]
    arc: str
    """The path from this bead to the next."""


def ring(counts: LoopCounts) -> list[Station]:
    """Return the stations clockwise from the top."""
    return [_station(place, counts) for place in range(len(STATIONS))]


def _station(place: int, counts: LoopCounts) -> Station:
    name, field, unit = STATIONS[place]
    count: int = getattr(counts, field)
    step = 360 / len(STATIONS)
    angle = place * step - 90
    x, y = _point(angle, RADIUS)
    label_x, label_y = _point(angle, LABEL_RADIUS)
    start, stop = _point(angle + GAP, RADIUS), _point(angle + step - GAP, RADIUS)
    return Station(
        name=name,
        count=short_count(count),
        unit=unit,
        reached=count > 0,
        x=x,
        y=y,
        label_x=label_x,
        label_y=round(label_y + LABEL_LIFT * label_y / LABEL_RADIUS, 1),
        anchor=_anchor(label_x),
        arc=f"M{start[0]} {start[1]}A{RADIUS} {RADIUS} 0 0 1 {stop[0]} {stop[1]}",
    )


def _point(degrees: float, radius: float) -> tuple[float, float]:
    radians = math.radians(degrees)
    return round(radius * math.cos(radians), 1), round(radius * math.sin(radians), 1)


def _anchor(x: float) -> Literal["start", "middle", "end"]:
    if abs(x) < 1:
        return "middle"
    return "start" if x > 0 else "end"
