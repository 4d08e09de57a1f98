"""Verbs that prepare data: expressions by example, what cleaning did, the quality of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.data.by_example import Candidates
    from tondo.stages.data.cleaning import CleaningReport
    from tondo.stages.data.labels import LabelQuality
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.verbs.data import DataVerbs


class PreparationVerbs:
    """What a workspace does to make data ready."""

    def __init__(self, parts: Parts, data: DataVerbs) -> None:
        self._parts = parts
        self._data = data

    def cleaning_report(self, dataset: str, *, branch: str = "main") -> CleaningReport:
        """Return what cleaning kept, rejected by reason, filled and clipped in the newest commit.

        Errors: TD-DATA-009 (no commit), TD-CLEAN-011 (the data set is not cleaned).
        """
        from tondo.core.errors import NotFoundError
        from tondo.stages.data.commits import head
        from tondo.stages.data.derived import cleaning_report

        commit = head(dataset, ledger=self._parts.ledger, branch=branch)
        found = cleaning_report(commit, ledger=self._parts.ledger)
        if found is None:
            raise NotFoundError(
                "TD-CLEAN-011",
                f"the newest commit of '{dataset}' was not cleaned",
                expected="a data set with `clean` in its definition",
                fix="Add `clean:` to it, and derive it.",
                dataset=dataset,
            )
        return found

    def by_example(
        self,
        ref: str,
        examples: Sequence[tuple[Any, Any]],
        *,
        columns: Sequence[str],
        most: int = 10,
    ) -> Candidates:
        """Return the shortest expressions that fit the examples, tried on every row of a snapshot.

        Errors: TD-EXAMPLE-001..003.
        """
        from tondo.stages.data.by_example import by_example

        table = self._parts.engine.scan(self._data.table(ref), columns)
        return by_example(table, examples, columns=columns, most=most)

    def label_quality(
        self,
        ref: str,
        *,
        label: str,
        features: Sequence[str],
        time: str | None = None,
        known_at: str | None = None,
        horizon: str | None = None,
        definition: str = "",
        scores: Any = None,
    ) -> LabelQuality:
        """Return the quality of a snapshot's label; `scores` are out-of-fold, a row for each row.

        Missing labels are due or not by the workspace's clock. Errors: TD-LABEL-001, -002.
        """
        from tondo.stages.data.labels import label_quality

        named = dict.fromkeys([label, *features, *(each for each in (time, known_at) if each)])
        return label_quality(
            self._parts.engine.scan(self._data.table(ref), list(named)),
            label=label,
            features=features,
            time=time,
            known_at=known_at,
            horizon=horizon,
            as_of_us=self._parts.clock.now_us(),
            definition=definition,
            scores=scores,
        )
