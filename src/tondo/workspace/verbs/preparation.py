"""Verbs that prepare data: expressions by example, what cleaning did, the quality of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.data.by_example import Candidates
    from tondo.stages.data.cleaning import CleaningReport
    from tondo.stages.data.labels import LabelQuality
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.pipelines.labels import LabelReport
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

    def judge_labels(
        self, model: str, *, folds: int = 5, group: str = "", horizon: str = ""
    ) -> LabelReport:
        """Report on the quality of a model's labels, by scores of models that never saw the rows.

        `folds` are blocks of time, or made of whole groups by `group`, a column of the source;
        `horizon` (`7d`) says how long a label may take, unsaid as the deployment has it.
        Errors: TD-LABEL-003, TD-TRAIN-001, -002, -007.
        """
        from tondo.workspace.pipelines.labels import judge_labels

        return judge_labels(
            self._parts, model, folds=folds, group=group or None, horizon=horizon or None
        )

    def label_report(self, model: str) -> LabelReport:
        """Return the newest report on a model's labels (TD-LABEL-004 when there is none)."""
        from tondo.core.errors import NotFoundError
        from tondo.workspace.pipelines.labels import newest_label_report
        from tondo.workspace.pipelines.learning import read_spec

        spec = read_spec(self._parts, model)
        found = newest_label_report(self._parts, spec.model)
        if found is None:
            raise NotFoundError(
                "TD-LABEL-004",
                f"nobody has judged the labels of '{model}' yet",
                expected="a report",
                fix=f"Run: tondo labels judge {model}",
                model=model,
            )
        return found
