"""Verbs on model versions and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tondo.ledger import Move
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.exports import ModelExport


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A model at a glance."""

    name: str
    versions: int
    newest: str
    """Id of the newest version."""
    tags: dict[str, int]
    """Tag to version number."""


class RegistryVerbs:
    """What a workspace does with model versions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def models(self) -> list[ModelSummary]:
        """List models with their versions and tags."""
        from tondo.stages.registry.resolve import models, tags

        found = []
        for name in models(ledger=self._parts.ledger):
            versions = self.versions(name)
            numbers = {each.id: each.number for each in versions}
            found.append(
                ModelSummary(
                    name=name,
                    versions=len(versions),
                    newest=versions[0].id,
                    tags={
                        tag: numbers[target]
                        for tag, target in tags(name, ledger=self._parts.ledger).items()
                    },
                )
            )
        return found

    def versions(self, model: str) -> list[ModelVersion]:
        """List a model's versions, the newest first."""
        from tondo.stages.registry.resolve import versions

        return versions(model, ledger=self._parts.ledger)

    def version(self, model: str, reference: str) -> ModelVersion:
        """Return a version by number, id, tag, or `newest`."""
        from tondo.stages.registry.resolve import resolve

        if reference == "newest":
            return self.versions(model)[0]
        return resolve(model, reference, ledger=self._parts.ledger)

    def package(self, model: str, reference: str) -> bytes:
        """Return a version's sealed package, which `tondo.load` reads anywhere."""
        return self._parts.blobs.get(self.version(model, reference).package)

    def export(self, model: str, reference: str) -> ModelExport:
        """Return a version's features and model as one ONNX graph, with samples and answers."""
        from tondo.scoring.model import load_model
        from tondo.scoring.package import open_package
        from tondo.workspace.exports import export_model

        version = self.version(model, reference)
        contents = open_package(self.package(model, version.id), key=self._parts.key)
        loaded = load_model(contents, self._parts.runtimes)
        try:
            return export_model(
                loaded, self._parts.exporter, version=version.number, package=version.package
            )
        finally:
            loaded.close()

    def register(
        self, run_id: str, *, by: str = "", why: str = "", override: str | None = None
    ) -> ModelVersion:
        """Register a judged run's package; `override` is the reason to pass a gate that refuses."""
        from tondo.stages.registry.versions import register
        from tondo.workspace.verbs.training import TrainingVerbs

        training = TrainingVerbs(self._parts)
        run = training.run(run_id)
        judgement = training.judgement(run.id)
        spec = training.spec(run.model)
        return register(
            run.model,
            run=run,
            report=training.report(judgement.report),
            verdict=judgement.verdict,
            owner=spec.owner,
            by=by or self._parts.actor,
            ledger=self._parts.ledger,
            description=why,
            override=override,
        )

    def tag(self, model: str, tag: str, version: str, *, by: str = "", why: str = "") -> Move:
        """Move a tag to a version."""
        from tondo.stages.registry.tagging import tag as move_tag

        return move_tag(
            model,
            tag,
            self.version(model, version),
            by=by or self._parts.actor,
            why=why or f"tagged {tag}",
            ledger=self._parts.ledger,
        )

    def tag_history(self, model: str, tag: str) -> list[Move]:
        """Return every move of a tag, the oldest first."""
        from tondo.stages.registry.tagging import tag_history

        self.versions(model)
        return tag_history(model, tag, ledger=self._parts.ledger)

    def rollback_tag(self, model: str, tag: str, *, by: str = "", why: str = "") -> ModelVersion:
        """Move a tag back to where it stood before."""
        from tondo.stages.registry.tagging import rollback_tag

        return rollback_tag(
            model,
            tag,
            by=by or self._parts.actor,
            why=why or "rolled back by hand",
            ledger=self._parts.ledger,
        )
