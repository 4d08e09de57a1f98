"""What the page of labels shows: of each model that learns from a dataset, the newest report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.features.training_set import LABEL, RESERVED_LABEL
from tondo.workspace.data_pages import VersionFacts, commit_of, version_facts, versions_of
from tondo.workspace.pipelines.labels import LabelReport, newest_label_report

if TYPE_CHECKING:
    from tondo.workspace.facade import Workspace


class ModelLabels(msgspec.Struct, frozen=True, kw_only=True):
    """A model that learns from the dataset."""

    model: str
    label: str
    """The expression that says what is true."""
    report: LabelReport | None
    """None when nobody judged its labels."""
    columns: tuple[str, ...] = ()
    """What the features read, in the order in which suspected rows show it."""


class LabelsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The labels of a dataset."""

    version: VersionFacts
    models: list[ModelLabels]


def labels_page(workspace: Workspace, dataset: str) -> LabelsPage:
    """Return what is known of the labels of a dataset; TD-DATA-009 when it is not there."""
    commit = commit_of(workspace, dataset, "")
    parts = workspace.parts
    found = []
    for name, document in sorted(parts.project.of("model").items()):
        if document.body.get("source") != dataset:
            continue
        report = newest_label_report(parts, name)
        # Row and label stand in cells of their own.
        told = {document.body.get("row_id"), LABEL, RESERVED_LABEL}
        values = report.examples[0].values if report and report.examples else {}
        columns = tuple(each for each in values if each not in told)
        label = str(document.body.get("label", ""))
        found.append(ModelLabels(model=name, label=label, report=report, columns=columns))
    facts = version_facts(workspace, commit, versions_of(workspace, dataset))
    return LabelsPage(version=facts, models=found)
