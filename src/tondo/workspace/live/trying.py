"""One row tried by hand: the form's columns, a row to begin with, and why it got its score."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant
from tondo.scoring.asked import AskedViews
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import addressed, deployment_of
from tondo.scoring.request import ScoreRequest
from tondo.scoring.serving import Serving
from tondo.workspace.live.explanation import Explanation, explain_vector
from tondo.workspace.present import present
from tondo.workspace.publishing import plan_of

if TYPE_CHECKING:
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan
    from tondo.workspace.bootstrap import Parts


class TryColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the form."""

    name: str
    type: str
    value: Any
    """Of the sample row, as JSON writes it: times as RFC 3339 text, dates as days."""
    read_by: list[str]
    """The variants that read it: all, unless versions differ."""


class TryForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment may be asked, with a row of its training to begin with."""

    deployment: str
    columns: list[TryColumn]
    as_of_allowed: bool
    """Whether the caller may say as of when features are read."""
    as_of: str
    """The project's present, where the caller may say another instant; else empty."""
    label: str
    """What is predicted, as the model spec says it."""


def try_form(parts: Parts, deployment: str) -> TryForm:
    """Return the columns of a deployment's variants; TD-WORKSPACE-006 before any is deployed."""
    planned = deployment_of(plan_of(parts, deployment), deployment)
    packages = {each.name: _contents(parts, each) for each in planned.variants}
    first = packages[planned.variants[0].name]
    sample = first.samples[0].row if first.samples else {}
    types = {name: type_ for each in packages.values() for name, type_ in each.inputs.items()}
    return TryForm(
        deployment=deployment,
        columns=[
            TryColumn(
                name=name,
                type=type_,
                value=written(sample.get(name), type_),
                read_by=[who for who, each in packages.items() if name in each.inputs],
            )
            for name, type_ in types.items()
        ],
        as_of_allowed=planned.as_of == "caller",
        as_of=_present(parts, deployment) if planned.as_of == "caller" else "",
        label=str(first.spec.get("label", "")),
    )


def _present(parts: Parts, deployment: str) -> str:
    """Return the project's present to the second."""
    now_us = present(parts, [deployment]).now_us
    return format_instant(now_us // 1_000_000 * 1_000_000)


def written(value: Any, type_: str) -> Any:
    """Return a value of the language's own as callers write it.

    >>> written(1364774400000000, "timestamp"), written(15796, "date"), written(None, "date")
    ('2013-04-01T00:00:00Z', '2013-04-01', None)
    """
    if isinstance(value, int) and type_ == "timestamp":
        return format_instant(value)
    if isinstance(value, int) and type_ == "date":
        return format_instant(value * 86_400_000_000)[:10]
    return value


def explain(
    parts: Parts, deployment: str, row: dict[str, Any], *, as_of_us: int | None, version: str | None
) -> Explanation:
    """Say what each feature of a row does to its score, by the package and the online store.

    Nothing is logged. `version` is a number, id, tag or variant; the first variant when None.
    Errors are those of scoring: TD-PLAN-003, TD-PLAN-004, TD-SCORE-001 to -004.
    """
    plan = plan_of(parts, deployment)
    planned = deployment_of(plan, deployment)
    variant = planned.variants[0] if version is None else addressed(planned, version)
    with closing(load_model(_contents(parts, variant), parts.runtimes)) as model:
        serving = Serving(variant, model, online=parts.online)
        request = _read(parts, plan, planned, serving, row, as_of_us)
        (read,) = request.rows
        found = explain_vector(model, model.vector(read))
    return Explanation(
        variant=variant.name,
        model=variant.model,
        version=variant.version,
        read={name: value for name, value in read.items() if name[:1] == "@"},
        **found,
    )


def _read(
    parts: Parts,
    plan: ServingPlan,
    planned: PlannedDeployment,
    serving: Serving,
    row: dict[str, Any],
    as_of_us: int | None,
) -> ScoreRequest:
    """Return the request of one row with its features read, as the scoring path reads them."""
    if len(planned.variants) > 1:
        # What another variant reads is no mistake.
        row = {name: value for name, value in row.items() if name in serving.inputs.types}
    asked = AskedViews(plan.services, parts.feature_service) if plan.services else None
    path = ScoringPath(
        planned, [serving], inputs=serving.inputs, clock=parts.clock, ids=parts.ids, asked=asked
    )
    at_us = parts.clock.now_us() if as_of_us is None else as_of_us
    request = ScoreRequest([serving.inputs.read_mapping(row)], as_of_us=at_us)
    try:
        path.ask(request)
    finally:
        if asked is not None:
            asked.close()
    serving.read([request])
    if request.error is not None:
        raise request.error
    return request


def _contents(parts: Parts, variant: PlannedVariant) -> PackageContents:
    return open_package(parts.blobs.get(variant.package), key=parts.key)
