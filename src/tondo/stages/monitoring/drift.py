"""Drift: how far each feature and the score have moved, and whether chance would do the same.

A column has drifted when the effect is large enough to matter AND too large for chance. The effect
is the population stability index above its noise floor; chance is judged by the chi-square test of
homogeneity, corrected over the columns by Benjamini and Hochberg (1995), JRSS B 57. Either alone
misleads: with 100,000 rows a shift of 0.02 standard deviations is significant in 97 % of windows,
and with 200 rows a PSI of 0.1 is exceeded by quiet columns in a third of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.scoring.baseline import (
    Baseline,
    Distribution,
    count_values,
    jensen_shannon,
    psi,
    psi_noise_floor,
)
from tondo.stages.data.homogeneity import benjamini_hochberg, homogeneity_p

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

Level = Literal["none", "small", "moderate", "large"]

SCORE = "(score)"
"""Name of the score's column in a report; no feature can have it."""


class DriftLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a column counts as drifted, and how badly."""

    small: float = 0.02
    """Least PSI above the noise floor; a shift of 0.2 standard deviations has 0.04."""
    moderate: float = 0.1
    """The usual limit for 'look at it' (Siddiqi 2006, Credit Risk Scorecards, 7)."""
    large: float = 0.25
    """The usual limit for 'do something'."""
    significance: float = 0.01
    """Largest adjusted p value."""
    null_burst: float = 0.05
    """Least rise of the share of nulls that is an extractor's failure, not a slow change."""


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One column's window beside its baseline."""

    name: str
    reference_rows: int
    window_rows: int
    psi: float
    noise_floor: float
    """PSI expected when nothing moved."""
    jensen_shannon: float
    """Distance from 0 (alike) to 1."""
    p_value: float
    """Chi-square test that both sides have one distribution."""
    adjusted_p: float
    """After Benjamini and Hochberg over the report's columns."""
    reference_nulls: float
    """Share of nulls in the baseline."""
    window_nulls: float
    level: Level
    null_burst: bool

    @property
    def effect(self) -> float:
        """PSI above the noise floor, at least 0."""
        return max(self.psi - self.noise_floor, 0.0)

    @property
    def drifted(self) -> bool:
        """Whether effect and significance both passed their limits."""
        return self.level != "none"

    def __repr__(self) -> str:
        """Name, level, effect and adjusted p in one line."""
        burst = ", null burst" if self.null_burst else ""
        return (
            f"ColumnDrift({self.name}: {self.level}{burst}, effect {self.effect:.3f},"
            f" p {self.adjusted_p:.2g}, nulls {self.reference_nulls:.1%} ->"
            f" {self.window_nulls:.1%})"
        )


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every column, the most moved first."""

    columns: tuple[ColumnDrift, ...]
    limits: DriftLimits

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that have drifted."""
        return tuple(each for each in self.columns if each.drifted)

    def __repr__(self) -> str:
        """How many columns drifted, and the first of them."""
        worst = f", most: {self.columns[0]!r}" if self.columns else ""
        return f"DriftReport({len(self.drifted)} of {len(self.columns)} columns drifted{worst})"


def drift_report(
    baseline: Baseline,
    matrix: np.ndarray,
    *,
    names: Sequence[str],
    scores: np.ndarray | None = None,
    limits: DriftLimits | None = None,
) -> DriftReport:
    """Compare a window's vectors (rows x features in the order of `names`) with a baseline.

    Features without a baseline are left out, and so is the score when it has none.
    """
    windows = {
        name: count_values(baseline.features[name], matrix[:, place])
        for place, name in enumerate(names)
        if name in baseline.features and matrix.shape[1] > place
    }
    references = dict(baseline.features)
    if scores is not None and baseline.score is not None:
        references[SCORE] = baseline.score
        windows[SCORE] = count_values(baseline.score, scores)
    return compare(references, windows, limits=limits)


def compare(
    references: Mapping[str, Distribution],
    windows: Mapping[str, Distribution],
    *,
    limits: DriftLimits | None = None,
) -> DriftReport:
    """Compare counted windows with references over the same bins; no raw rows are needed."""
    chosen = limits or DriftLimits()
    names = list(windows)
    p_values = [homogeneity_p(references[name], windows[name]) for name in names]
    adjusted = benjamini_hochberg(p_values)
    columns = [
        _column(name, references[name], windows[name], (p_value, adjusted_p), chosen)
        for name, p_value, adjusted_p in zip(names, p_values, adjusted, strict=True)
    ]
    columns.sort(key=lambda each: (-each.effect, each.name))
    return DriftReport(columns=tuple(columns), limits=chosen)


def _column(
    name: str,
    reference: Distribution,
    window: Distribution,
    p_values: tuple[float, float],
    limits: DriftLimits,
) -> ColumnDrift:
    index, floor = psi(reference, window), psi_noise_floor(reference, window)
    certain = p_values[1] < limits.significance
    rise = window.null_share - reference.null_share
    return ColumnDrift(
        name=name,
        reference_rows=reference.total,
        window_rows=window.total,
        psi=index,
        noise_floor=floor,
        jensen_shannon=jensen_shannon(reference, window),
        p_value=p_values[0],
        adjusted_p=p_values[1],
        reference_nulls=reference.null_share,
        window_nulls=window.null_share,
        level=_level(index - floor, limits) if certain else "none",
        null_burst=certain and rise >= limits.null_burst,
    )


def _level(effect: float, limits: DriftLimits) -> Level:
    if effect >= limits.large:
        return "large"
    if effect >= limits.moderate:
        return "moderate"
    return "small" if effect >= limits.small else "none"
