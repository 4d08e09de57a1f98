"""Operations on definitions, feature views and expressions."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_VIEW = "/v1/views/{view}"

FEATURES: tuple[Operation, ...] = (
    write(
        "definition.sync",
        "features.sync_definitions",
        "/v1/definitions",
        "Read the project's definition files and apply what changed.",
    ),
    read("view.list", "features.views", "/v1/views", "List feature views."),
    read("view.show", "features.view", _VIEW, "Show a feature view."),
    write(
        "view.materialise",
        "features.materialise",
        f"{_VIEW}/materialisations",
        "Bring the online store up to date for a view.",
        present="view.plan",
    ),
    read(
        "view.plan",
        "features.plan_materialisation",
        f"{_VIEW}/plan",
        "Tell what a materialisation of a view would read, and why.",
    ),
    write(
        "view.due",
        "features.materialise_due",
        "/v1/materialisations",
        "Materialise every view that is due, and look at the freshness of all.",
        present="view.freshness",
    ),
    read(
        "view.freshness",
        "features.freshness",
        "/v1/freshness",
        "Tell how old each view's newest value is, beside what is promised.",
    ),
    write(
        "view.push",
        "features.push",
        f"{_VIEW}/events",
        "Push events to a view; durable when answered.",
    ),
    write(
        "view.collect",
        "features.collect",
        f"{_VIEW}/collections",
        "Take what an asked view's service answered, as logged, into its history.",
        present="view.show",
    ),
    write(
        "view.record",
        "features.record_pushes",
        f"{_VIEW}/recordings",
        "Make the pushed events of a view rows of its source's dataset, each once.",
        present="view.show",
    ),
    write(
        "view.prune",
        "features.prune",
        f"{_VIEW}/prunings",
        "Delete from the online store what no read within a view's retention needs any more.",
    ),
    read(
        "view.read",
        "features.read_online",
        f"{_VIEW}/rows",
        "Read a view's features for keys from the online store.",
    ),
    read(
        "feature.list",
        "features.catalogue",
        "/v1/features",
        "Search the catalogue of features by word, tag, entity and use.",
    ),
    read(
        "feature.show",
        "features.feature",
        "/v1/features/{feature}",
        "Show a feature: expression, owner, who uses it, how its values are distributed.",
    ),
    read("entity.show", "features.entity", "/v1/entities/{name}", "Show an entity."),
    Operation(
        name="expression.check",
        method="features.check_expression",
        http=("POST", "/v1/expressions/check"),
        summary="Check an expression against columns and tell its type.",
    ),
)
