"""From a model spec to a judged run: training set, training, report, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import placed
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.stages.evaluation.compare import paired
from tondo.stages.evaluation.evaluate import report_of, score_labelled
from tondo.stages.evaluation.gate import Verdict, judge
from tondo.stages.evaluation.metrics import binary_metrics
from tondo.stages.evaluation.report import Subject, keep_report
from tondo.stages.features.resolve import ResolvedFeatures, resolve_features, resolve_label
from tondo.stages.features.training_set import (
    TrainingSet,
    build_training_set,
    read_training_set,
    training_table,
)
from tondo.stages.features.views import layout_of
from tondo.stages.training.job import Tools
from tondo.stages.training.parse import check_columns, parse_spec
from tondo.stages.training.periods import Period, split_rows
from tondo.stages.training.train import train, train_with_refit
from tondo.workspace.leaks import tell_leaks
from tondo.workspace.verbs.data import DataVerbs

if TYPE_CHECKING:
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.model import LoadedModel
    from tondo.stages.evaluation.report import Report
    from tondo.stages.features.views import FeatureView
    from tondo.stages.training.run import Run
    from tondo.stages.training.spec import ModelSpec
    from tondo.workspace.bootstrap import Parts

JUDGEMENT_KIND = "judgement"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a run: its report, and the gate's verdict."""

    run: str
    report: str
    verdict: Verdict
    compared_with: str | None = None
    """Id of the model version that served, when the run was compared with one."""


def read_spec(parts: Parts, model: str) -> ModelSpec:
    """Return a model's spec as the project defines it."""
    found = parts.project.get("model", model)
    return parse_spec(found.body, file=str(found.place))


def resolve(parts: Parts, spec: ModelSpec) -> ResolvedFeatures:
    """Check a spec's features against its source and the views, without touching data."""
    data = DataVerbs(parts)
    with placed(str(parts.project.get("model", spec.model).place)):
        definition = data.definition(spec.source)
        columns = data.snapshot(spec.source).columns
        check_columns(msgspec.structs.replace(spec, slices=()), columns)
        with placed("label"):
            resolve_label(spec.label, columns=columns)
        resolved = resolve_features(
            spec.features,
            columns=columns,
            views=parts.views,
            known_at=definition.known_at,
            time=spec.time,
        )
        check_columns(spec, columns, inputs=resolved.inputs)
        return resolved


def build(
    parts: Parts,
    spec: ModelSpec,
    resolved: ResolvedFeatures,
    *,
    until_us: int | None = None,
    beside: LoadedModel | None = None,
    label: bool = True,
) -> TrainingSet:
    """Build a spec's training set; `beside` adds what another model needs to be compared."""
    data = DataVerbs(parts)
    spine = data.snapshot(spec.source)
    return build_training_set(
        name=spec.model,
        spine=data.table(spec.source),
        spine_snapshot=spine.id,
        time=spec.time,
        row_id=spec.row_id,
        resolved=resolved if beside is None else _union(resolved, beside),
        views={
            name: (view, data.table(view.source), data.snapshot(view.source).id)
            for name, view in _used(parts, resolved, beside).items()
        },
        label=resolve_label(spec.label, columns=spine.columns) if label else None,
        engine=parts.engine,
        blobs=parts.blobs,
        ledger=parts.ledger,
        label_known_at=spec.label_known_at,
        until_us=until_us,
        also=() if spec.split.column is None else (spec.split.column,),
        piece_bytes=parts.piece_bytes,
    )


def train_on(
    parts: Parts,
    spec: ModelSpec,
    training_set: str,
    *,
    period: Period | None = None,
) -> Run:
    """Train a spec on a recorded training set."""
    found = read_training_set(training_set, ledger=parts.ledger)
    return train(
        spec,
        found,
        training_table(found, blobs=parts.blobs),
        resolved=resolve(parts, spec),
        layouts=layouts(parts),
        tools=tools(parts),
        period=period or Period(),
    )


def train_with_refit_on(
    parts: Parts, spec: ModelSpec, training_set: str, *, period: Period
) -> tuple[Run, Run]:
    """Train a candidate and its refit on a recorded training set, side by side."""
    found = read_training_set(training_set, ledger=parts.ledger)
    return train_with_refit(
        spec,
        found,
        training_table(found, blobs=parts.blobs),
        resolved=resolve(parts, spec),
        layouts=layouts(parts),
        tools=tools(parts),
        period=period,
    )


def judge_run(
    parts: Parts, spec: ModelSpec, run: Run, *, live: str | None, period: Period | None = None
) -> tuple[Judgement, Report]:
    """Report on a run's package over its held-back rows, and let the gate judge it.

    `live` is the package that serves now, for the paired comparison; None declares the first.
    """
    training_set = read_training_set(run.training_set, ledger=parts.ledger)
    table = parts.engine.scan(training_table(training_set, blobs=parts.blobs))
    label = str(training_set.label)
    judged = split_rows(
        table,
        time=training_set.time,
        label=label,
        split=spec.split,
        period=period or Period(),
        row_id=spec.row_id,
    ).judged
    model = load_package(parts, run.package)
    ours = score_labelled(model, judged, label=label, engine=parts.engine)
    report = report_of(
        model,
        ours,
        subject=Subject(
            model=spec.model, package=run.package, run=run.id, training_set=training_set.id
        ),
        time=training_set.time,
        slices=spec.slices,
        leaks=run.leakage.leaks if run.leakage else (),
    )
    model.close()
    tell_leaks(parts, run)
    comparison = None
    if live is not None:
        current = load_package(parts, live)
        theirs = score_labelled(current, judged, label=label, engine=parts.engine)
        comparison = paired(ours.scores, theirs.scores, ours.positive)
        current.close()
    verdict = judge(spec.gate, report, comparison, first=live is None)
    keep_report(report, ledger=parts.ledger)
    judgement = Judgement(run=run.id, report=report.id, verdict=verdict, compared_with=live)
    parts.ledger.put(
        JUDGEMENT_KIND,
        run.id,
        judgement,
        parents=[("run", run.id, "judged"), ("report", report.id, "by")],
    )
    return judgement, report


def load_package(parts: Parts, package: str) -> LoadedModel:
    """Open, verify and load a sealed package; its sample rows are scored again."""
    return load_model(open_package(parts.blobs.get(package), key=parts.key), parts.runtimes)


def layouts(parts: Parts) -> dict[str, ViewLayout]:
    """Return how each defined view lies in the online store."""
    return {name: layout_of(view) for name, view in parts.views.items()}


def packages_of(algorithm: str) -> tuple[str, ...]:
    """Return the packages whose versions decide what a training gives."""
    return {"lightgbm": ("lightgbm",), "logistic": ("scikit-learn",)}.get(algorithm, ())


def tools(parts: Parts) -> Tools:
    """Return what training works with in this workspace."""
    return Tools(
        engine=parts.engine,
        blobs=parts.blobs,
        ledger=parts.ledger,
        libraries=parts.libraries,
        runtimes=parts.runtimes,
        clock=parts.clock,
        threads=parts.threads,
        key=parts.key,
        measure=binary_metrics,
    )


def _union(resolved: ResolvedFeatures, model: LoadedModel) -> ResolvedFeatures:
    contents = model.contents
    fetched = {each[0]: tuple(each) for each in contents.view_features}
    fetched |= {each[0]: each for each in resolved.view_features}
    view_features: list[Any] = list(fetched.values())
    return ResolvedFeatures(
        features=resolved.features,
        inputs=dict(sorted({**contents.inputs, **resolved.inputs}.items())),
        view_features=view_features,
        keys={**contents.keys, **resolved.keys},
    )


def _used(
    parts: Parts, resolved: ResolvedFeatures, beside: LoadedModel | None
) -> dict[str, FeatureView]:
    names = {view for _, view, _, _ in resolved.view_features}
    if beside is not None:
        names |= {each[1] for each in beside.contents.view_features}
    return {name: view for name, view in parts.views.items() if name in names}
