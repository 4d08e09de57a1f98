"""Verbs on training: runs, reports, gates, comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.workspace.schemas import statistics_of

if TYPE_CHECKING:
    from tondo.ledger import Record
    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.evaluation.report import Report
    from tondo.stages.features.rebuild import Rebuilt
    from tondo.stages.features.training_set import TrainingSet
    from tondo.stages.training.leakage import LeakageReport
    from tondo.stages.training.run import Run
    from tondo.stages.training.spec import ModelSpec
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.pipelines.learning import Judgement


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two reports beside each other; each metric as (a, b)."""

    a: str
    b: str
    models: tuple[str, str]
    rows: tuple[int, int]
    same_rows: bool
    """True when both judged the same period of the same training set."""
    metrics: dict[str, tuple[float | None, float | None]]


class TrainingVerbs:
    """What a workspace does to learn models."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def spec(self, model: str) -> ModelSpec:
        """Return a model's spec as the project defines it."""
        from tondo.workspace.pipelines.learning import read_spec

        return read_spec(self._parts, model)

    def train(self, model: str) -> Run:
        """Build the training set, train, report and judge; return the run."""
        from tondo.stages.deployment.deploy import find_deployment
        from tondo.workspace.pipelines import learning

        parts = self._parts
        spec = learning.read_spec(parts, model)
        resolved = learning.resolve(parts, spec)
        state = find_deployment(model, ledger=parts.ledger)
        live = None if state is None else state.main.package
        training_set = learning.build(
            parts,
            spec,
            resolved,
            until_us=parts.clock.now_us(),
            beside=None if live is None else learning.load_package(parts, live),
        )
        run = learning.train_on(parts, spec, training_set.id)
        learning.judge_run(parts, spec, run, live=live)
        return run

    def training_set(self, training_set_id: str) -> TrainingSet:
        """Return a training set's manifest by the start of its id."""
        from tondo.stages.features.training_set import read_training_set

        found = self._one("training_set", training_set_id)
        return read_training_set(found.id, ledger=self._parts.ledger)

    def rebuild(self, training_set_id: str) -> Rebuilt:
        """Build a training set again from its manifest alone, and say whether it is the same.

        Every row is joined anew; what was remembered of joins is not looked at.
        Errors: TD-FEATURE-201, TD-DATA-029.
        """
        from tondo.stages.features.rebuild import rebuild_training_set

        parts = self._parts
        found = self._one("training_set", training_set_id)
        return rebuild_training_set(
            found.id,
            engine=parts.engine,
            blobs=parts.blobs,
            ledger=parts.ledger,
            piece_bytes=parts.piece_bytes,
        )

    def runs(self, *, model: str | None = None, limit: int = 50) -> list[Run]:
        """List runs, the newest first."""
        from tondo.stages.training.run import KIND, Run

        where = {} if model is None else {"model": model}
        records = self._parts.ledger.records(KIND, where=where, limit=limit)
        return [msgspec.convert(each.body, Run) for each in records]

    def run(self, run_id: str) -> Run:
        """Return a run by the start of its id."""
        from tondo.stages.training.run import KIND, Run

        return msgspec.convert(self._one(KIND, run_id).body, Run)

    def check_data(self, run_id: str, *, at: str = "") -> list[Anomaly]:
        """Check its source's newest snapshot, or another, against the schema a run recorded.

        TD-SCHEMA-046 when its source had no schema.
        """
        from tondo.stages.data.references import version_of
        from tondo.stages.data.schema_versions import read_schema, referenced_version
        from tondo.stages.data.validation import validate
        from tondo.stages.training.spec import ModelSpec

        run, ledger = self.run(run_id), self._parts.ledger
        if run.schema_version is None:
            raise ConflictError(
                "TD-SCHEMA-046",
                f"the run {run.id} was trained when its source had no schema",
                expected="a run that recorded one",
                fix="Infer a schema and train again: tondo schema infer DATASET.",
                run=run.id,
            )
        source = ledger.read("model_spec", run.spec, ModelSpec).source
        snapshot = version_of(source, at, ledger=ledger).snapshot
        schema = read_schema(referenced_version(run.schema_version, ledger=ledger), ledger=ledger)
        return validate(statistics_of(snapshot, self._parts), schema)

    def leaks(self, run_id: str) -> LeakageReport:
        """Return what a run found that may tell the answer already.

        A refit shows what the judged run found; TD-TRAIN-012 when nothing was held back.
        """
        from tondo.workspace.leaks import leakage_of

        return leakage_of(self._parts, self.run(run_id))

    def judgement(self, run_id: str) -> Judgement:
        """Return what the gate said of a run."""
        from tondo.workspace.pipelines.learning import JUDGEMENT_KIND, Judgement

        return msgspec.convert(self._one(JUDGEMENT_KIND, run_id).body, Judgement)

    def report(self, report_id: str) -> Report:
        """Return a report by the start of its id, or by that of its run."""
        from tondo.stages.evaluation.report import KIND, Report
        from tondo.workspace.pipelines.learning import JUDGEMENT_KIND

        judged = [
            each
            for each in self._parts.ledger.find_by_prefix(report_id)
            if each.kind == JUDGEMENT_KIND
        ]
        wanted = str(judged[0].body["report"]) if len(judged) == 1 else report_id
        return msgspec.convert(self._one(KIND, wanted).body, Report)

    def compare(self, a: str, b: str) -> Comparison:
        """Put two reports beside each other."""
        first, second = self.report(a), self.report(b)
        names = {**first.metrics, **second.metrics}
        periods = [
            (each.subject.training_set, each.from_us, each.last_us, each.rows)
            for each in (first, second)
        ]
        return Comparison(
            a=first.id,
            b=second.id,
            models=(first.subject.model, second.subject.model),
            rows=(first.rows, second.rows),
            same_rows=periods[0] == periods[1],
            metrics={name: (first.metrics.get(name), second.metrics.get(name)) for name in names},
        )

    def _one(self, kind: str, start: str) -> Record:
        found = [each for each in self._parts.ledger.find_by_prefix(start) if each.kind == kind]
        if len(found) == 1:
            return found[0]
        known = [each.id for each in self._parts.ledger.records(kind, limit=20)]
        raise NotFoundError(
            "TD-WORKSPACE-008",
            f"'{start}' is {'several' if found else 'no'} {kind}",
            expected=f"the start of one {kind}'s id",
            fix=near(start, [each.id for each in found] or known),
            id=start,
        )
