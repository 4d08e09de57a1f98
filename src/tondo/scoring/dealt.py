"""The scoring path for requests of one row, compiled, where variants are many or features read.

Comes in: rows by position, as a typed decoder made them. Goes out: for each variant that answered
its places among the rows, ids, scores and ages; their frames are with the appender. Holds: who
answers is whom `plan.choose` names, features are read by the reader, answer and frame are those
of `ScoringPath.score_requests`, which is the specification. A row on which anything fails is left
to it, with all that came along.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.scoring.dealing import chooser
from tondo.scoring.quick_variant import FetchingVariant, Part, QuickVariant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.scoring.dealing import Values
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.quick import Scored
    from tondo.scoring.request import Ages
    from tondo.scoring.serving import Serving


class Share(NamedTuple):
    """What one variant answered of several requests."""

    variant: str
    places: Sequence[int]
    """Of its rows among all."""
    scored: Scored
    ages: list[Ages]
    """Of the features that were read for each row; empty where the variant reads none."""
    aside_ns: int
    """What the others took to compute: no time of its own."""


class DealtError(Exception):
    """A row failed after all were dealt: who answers them another way keeps their ids.

    Other ids would deal the rows anew, and what one variant cannot answer another would.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} rows were dealt and not answered")
        self.ids = ids


class DealtPath:
    """Scores rows of requests that each have one, each by the variant that its key is dealt to."""

    def __init__(self, path: ScoringPath) -> None:
        self._now_us = path.now_us
        self._make_ids = path.make_ids
        self._append = None if path.appender is None else path.appender.append_many
        self._variants = {name: variant_of(path, each) for name, each in path.servings.items()}
        self._only = None if path.only is None else path.only.variant.name
        self._choose: Callable[[str, Values], str] | None = None
        """Who answers a row; None where it is always the same."""
        if path.only is None:
            self._choose = chooser(path.deployment, path.inputs.types)

    def score(self, rows: Sequence[Values], logged: Sequence[Any], started_ns: int) -> list[Share]:
        """Answer for rows, each of another request; DealtError where one of them fails.

        `rows` and `logged` as in `QuickPath.score`. TD-LOG-001 when the log fails.
        """
        at_us = self._now_us()
        ids = self._make_ids(at_us, len(rows))
        try:
            parts = [
                self._variants[name].part(places, [rows[place] for place in places])
                for name, places in self._dealt(ids, rows).items()
            ]
            _read(parts, at_us)
            for part in parts:
                part.compute()
        except Exception as error:
            raise DealtError(ids) from error
        total_ns = sum(part.spent_ns for part in parts)
        if self._append is not None:
            frames: list[bytes] = [b""] * len(rows)
            for part in parts:
                aside_ns = total_ns - part.spent_ns
                latency_us = (perf_counter_ns() - started_ns - aside_ns) // 1000
                part.write(frames, ids, logged, (at_us, latency_us))
            self._append(frames)
        return [
            Share(
                part.by.variant,
                part.places,
                (at_us, [ids[place] for place in part.places], part.scores),
                part.ages,
                total_ns - part.spent_ns,
            )
            for part in parts
        ]

    def _dealt(self, ids: Sequence[str], rows: Sequence[Values]) -> Mapping[str, Sequence[int]]:
        """Return the places of the rows that each variant answers."""
        choose = self._choose
        if choose is None:
            return {str(self._only): range(len(rows))}
        places: dict[str, list[int]] = {}
        for place, (id_, row) in enumerate(zip(ids, rows, strict=True)):
            places.setdefault(choose(id_, row), []).append(place)
        return places


def _read(parts: Sequence[Part], at_us: int) -> None:
    """Read the features of all rows; one read serves the variants that read the same."""
    together: dict[Serving, list[Part]] = {}
    for part in parts:
        if part.by.reader is not None:
            together.setdefault(part.by.reader, []).append(part)
    for reader, those in together.items():
        assert reader.fetch is not None
        ages = iter(reader.fetch([[row] for part in those for row in part.rows], at_us))
        for part in those:
            part.ages = [next(ages) for _ in part.places]


def variant_of(path: ScoringPath, serving: Serving) -> QuickVariant:
    """Return what computes a variant's answers."""
    return QuickVariant(path, serving) if serving.fetch is None else FetchingVariant(path, serving)


def dealt_path(path: ScoringPath) -> DealtPath | None:
    """Return the compiled path, or None where requests need what it does not do."""
    if path.asked is not None or path.log_mode == "sampled":
        return None
    if path.only is None and not any(each.weight > 0 for each in path.deployment.variants):
        return None
    return DealtPath(path)
