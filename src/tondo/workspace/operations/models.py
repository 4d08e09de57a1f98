"""Operations on training and the registry."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_MODEL = "/v1/models/{model}"

MODELS: tuple[Operation, ...] = (
    write(
        "model.train",
        "training.train",
        f"{_MODEL}/runs",
        "Train a model as a run.",
        present="run.list",
    ),
    read("model.spec", "training.spec", f"{_MODEL}/spec", "Show a model's spec."),
    write(
        "labels.judge",
        "preparation.judge_labels",
        f"{_MODEL}/labels",
        "Judge the quality of a model's labels by scores of models that never saw the rows.",
        present="labels.show",
    ),
    read(
        "labels.show",
        "preparation.label_report",
        f"{_MODEL}/labels",
        "Show the newest report on a model's labels.",
    ),
    read(
        "trainingset.show",
        "training.training_set",
        "/v1/training-sets/{training_set_id}",
        "Show a training set: spine, views, counts, and all that rebuilds it.",
    ),
    write(
        "trainingset.rebuild",
        "training.rebuild",
        "/v1/training-sets/{training_set_id}/rebuild",
        "Build a training set again from its manifest, and tell whether it is the same.",
        present="trainingset.show",
    ),
    read("run.list", "training.runs", "/v1/runs", "List runs, the newest first."),
    read("run.show", "training.run", "/v1/runs/{run_id}", "Show a run."),
    read(
        "run.check",
        "training.check_data",
        "/v1/runs/{run_id}/anomalies",
        "Check a snapshot of a run's source against the schema that the run was trained under.",
    ),
    read(
        "run.judgement",
        "training.judgement",
        "/v1/runs/{run_id}/judgement",
        "Show what the gate said of a run.",
    ),
    read(
        "run.leaks",
        "training.leaks",
        "/v1/runs/{run_id}/leaks",
        "Show what a run found that may tell the answer already: features, entities, equal rows.",
    ),
    read("report.show", "training.report", "/v1/reports/{report_id}", "Show an evaluation report."),
    read(
        "report.compare",
        "training.compare",
        "/v1/reports/{a}/comparison/{b}",
        "Compare two reports.",
    ),
    read("model.list", "registry.models", "/v1/models", "List models with versions and tags."),
    read("model.versions", "registry.versions", f"{_MODEL}/versions", "List a model's versions."),
    read(
        "model.version",
        "registry.version",
        f"{_MODEL}/versions/{{reference}}",
        "Show a version by number, id or tag.",
    ),
    read(
        "model.package",
        "registry.package",
        f"{_MODEL}/versions/{{reference}}/package",
        "Give a version's sealed package, as it is.",
    ),
    read(
        "model.export",
        "registry.export",
        f"{_MODEL}/versions/{{reference}}/onnx",
        "Give a version's features and model as one ONNX graph, with samples.",
    ),
    read(
        "model.history",
        "registry.tag_history",
        f"{_MODEL}/tags/{{tag}}/history",
        "Show every move of a tag.",
    ),
    write(
        "run.register",
        "registry.register",
        "/v1/runs/{run_id}/versions",
        "Register a run's package as a new model version.",
        present="run.show",
    ),
    write(
        "model.tag",
        "registry.tag",
        f"{_MODEL}/tags/{{tag}}",
        "Move a tag to a version.",
        present="model.versions",
        verb="PUT",
    ),
    write(
        "model.untag",
        "registry.rollback_tag",
        f"{_MODEL}/tags/{{tag}}/rollback",
        "Move a tag back to where it was before.",
        present="model.versions",
    ),
)
