"""What a scoring request is answered: scores, and what produced them."""

from __future__ import annotations

import msgspec


class Prediction(msgspec.Struct, frozen=True, gc=False):
    """The answer for one row."""

    id: str
    score: float
    """Probability of the positive class, or the predicted value."""
    decision: bool | None
    """Score at or above the model's threshold; None for a model without one."""
    variant: str
    """Name of the variant that answered."""


class AnsweredVariant(msgspec.Struct, frozen=True, gc=False):
    """A model version as answers name it."""

    variant: str
    model: str
    version: int
    model_version_id: str
    tags: list[str]


class Answer(msgspec.Struct, frozen=True):
    """The answer for all rows of a request, in their order."""

    predictions: list[Prediction]
    deployment: str
    variants: list[AnsweredVariant]
    """Those that answered: one, unless the rows were dealt to several."""
    log_mode: str
    as_of_us: int
    ages_us: dict[str, int | None]
    """View to the age of the oldest value used, in microseconds; None where nothing was found."""
    defaulted: tuple[str, ...] = ()
    """Views whose outside service did not answer: their stated defaults were used."""

    @property
    def freshness(self) -> dict[str, float | None]:
        """View to the age of the oldest value used, in seconds."""
        return in_seconds(self.ages_us)


def in_seconds(ages_us: dict[str, int | None]) -> dict[str, float | None]:
    """Return ages in seconds.

    >>> in_seconds({"weather": 1_500_000, "fleet": None})
    {'weather': 1.5, 'fleet': None}
    """
    return {view: None if age is None else age / 1_000_000 for view, age in ages_us.items()}
