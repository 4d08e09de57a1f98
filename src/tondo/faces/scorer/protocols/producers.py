"""What produced an answer, for shapes that have no place of their own for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tondo.core.instants import from_micros

if TYPE_CHECKING:
    from tondo.scoring.answer import Answer


def produced_by(answer: Answer) -> dict[str, Any]:
    """Return ids, decisions, and the version, tags, log mode, as-of time and freshness."""
    several = len(answer.variants) > 1
    one = answer.variants[0]
    predictions = answer.predictions
    told: dict[str, Any] = {
        "prediction_ids": [each.id for each in predictions],
        "deployment": answer.deployment,
        "model": None if several else one.model,
        "version": None if several else one.version,
        "model_version_id": None if several else one.model_version_id,
        "variant": None if several else one.variant,
        "tags": [] if several else one.tags,
        "log_mode": answer.log_mode,
        "as_of": from_micros(answer.as_of_us),
        "freshness": answer.freshness,
    }
    if several:
        told["variants"] = [each.variant for each in predictions]
    if predictions[0].decision is not None:
        told["decisions"] = [each.decision for each in predictions]
    if answer.defaulted:
        told["defaulted"] = answer.defaulted
    return told


def variants_of(answer: Answer) -> str:
    """Return the names of the variants that answered, as a header may carry them."""
    return ",".join(quote(each.variant) for each in answer.variants)
