"""Verbs on features: definitions, views, materialisation, push, online reads."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from tondo.core.columns import check_type
from tondo.core.errors import CallerError, NotFoundError, near, placed
from tondo.core.instants import parse_instant

if TYPE_CHECKING:
    from tondo.ports.eventlog import Durability
    from tondo.stages.features.catalogue import FeatureEntry
    from tondo.stages.features.definitions import EntityDefinition
    from tondo.stages.features.materialise import Materialisation, MaterialisationPlan
    from tondo.stages.features.prune import Pruning
    from tondo.stages.features.push import PushReceipt, PushWriter
    from tondo.stages.features.recorded_pushes import Recording
    from tondo.stages.features.views import FeatureView
    from tondo.workspace.asked_history import Collected
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.materialising import DueRun, ViewFreshness


class FeatureVerbs:
    """What a workspace does with features."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def sync_definitions(self, *, by: str = "") -> list[str]:
        """Make the feature views of the definition files the present ones; say what changed."""
        from tondo.stages.features.definitions import view_from
        from tondo.stages.features.equivalents import equivalents
        from tondo.stages.features.views import define_view
        from tondo.workspace.catalogue import catalogue
        from tondo.workspace.verbs.data import DataVerbs

        self._parts.read_again()
        data = DataVerbs(self._parts)
        before = {name: view.digest for name, view in self._parts.views.items()}
        changes = []
        for name, found in self._parts.project.of("view").items():
            with placed(str(found.place)):
                definition = view_from(found.body)
                view = define_view(
                    definition,
                    entity=self.entity(definition.entity),
                    source=data.definition(definition.source),
                    columns=data.columns(definition.source),
                    ledger=self._parts.ledger,
                    by=by or self._parts.actor,
                )
            if name not in before:
                changes.append(f"view {name}: new")
            elif before[name] != view.digest:
                changes.append(f"view {name}: changed")
            else:
                continue
            changes += [
                f"feature {each.feature} computes what {each.same_as} does: use that one"
                for each in equivalents(view, self._parts.views.values())
            ]
        return changes + [
            f"feature {each.name} is deprecated ({each.deprecated}) and read by {use.model}"
            for each in catalogue(self._parts)
            if each.deprecated
            for use in each.uses
        ]

    def catalogue(
        self,
        *,
        words: str = "",
        tag: str = "",
        entity: str = "",
        used_by: str = "",
        unused: bool = False,
        deprecated: bool | None = None,
    ) -> list[FeatureEntry]:
        """Search the features of all views, the nearest to `words` first.

        `used_by` is a model or a deployment; `unused`: of no model at all; `deprecated`: only
        those, or only the others.
        """
        from tondo.stages.features.catalogue import search
        from tondo.workspace.catalogue import catalogue

        return search(
            catalogue(self._parts),
            words=words,
            tag=tag,
            entity=entity,
            used_by=used_by,
            unused=unused,
            deprecated=deprecated,
        )

    def feature(self, feature: str) -> FeatureEntry:
        """Return one feature, `view.feature`, with its expression, use and distribution."""
        from tondo.stages.features.catalogue import named
        from tondo.workspace.catalogue import catalogue

        return named(catalogue(self._parts), feature)

    def views(self) -> list[FeatureView]:
        """List feature views."""
        return list(self._parts.views.values())

    def view(self, view: str) -> FeatureView:
        """Return a feature view; TD-WORKSPACE-014 with near names when there is none."""
        known = self._parts.views
        if view in known:
            return known[view]
        raise NotFoundError(
            "TD-WORKSPACE-014", f"no feature view '{view}'", fix=near(view, known), view=view
        )

    def entity(self, name: str) -> EntityDefinition:
        """Return an entity as the project defines it."""
        from tondo.stages.features.definitions import entity_from

        found = self._parts.project.get("entity", name)
        with placed(str(found.place)):
            return entity_from(found.body)

    def check_expression(self, text: str, *, columns: dict[str, str]) -> dict[str, Any]:
        """Check an expression against columns and tell its type and what it reads."""
        from tondo.language.check import check
        from tondo.language.parse import parse
        from tondo.language.walk import columns_of, view_features_of
        from tondo.stages.features.views import signature_of

        for name, type_ in columns.items():
            check_type(type_, where=f"columns.{name}")
        signatures = {name: signature_of(view) for name, view in self._parts.views.items()}
        node = check(parse(text), columns, views=signatures, text=text)
        return {
            "type": node.type,
            "columns": sorted(columns_of(node)),
            "view_features": [f"@{each.view}.{each.feature}" for each in view_features_of(node)],
        }

    def materialise(self, view: str) -> Materialisation:
        """Load a view's newest values, or its windows' events, into the online store.

        Only files of the snapshot that say something new are read. TD-FLOW-001 while another
        process materialises the view.
        """
        from tondo.stages.features.asked import refuse_asked
        from tondo.workspace.materialising import materialise_view

        found = self.view(view)
        refuse_asked(found, "materialised")
        return materialise_view(self._parts, found)

    def plan_materialisation(self, view: str) -> MaterialisationPlan:
        """Tell what a materialisation of a view would read now, and why."""
        from tondo.stages.features.asked import refuse_asked
        from tondo.workspace.materialising import plan_view

        found = self.view(view)
        refuse_asked(found, "materialised")
        return plan_view(self._parts, found)

    def materialise_due(self) -> DueRun:
        """Materialise every view with a boundary of its cadence passed since the last time.

        Derived sources are brought up to date first, missed boundaries are served by one load,
        and of each view it is told what became of it. Then every view's freshness is looked at:
        a broken promise opens an alert, a kept one closes it. Called by two at once it loads once.
        """
        from tondo.workspace.materialising import run_due

        return run_due(self._parts)

    def freshness(self) -> list[ViewFreshness]:
        """Tell how old the newest value of each view is, beside what is promised."""
        from tondo.workspace.materialising import freshness_of

        return freshness_of(self._parts)

    def record_pushes(self, view: str, *, by: str = "") -> Recording:
        """Make the pushed events of a view rows of its source's dataset, each once.

        Training sets and materialisations then hold them too. A source that is read again
        becomes what its files say; record after it.
        """
        from tondo.stages.features.asked import refuse_asked
        from tondo.workspace.materialising import record_pushes

        found = self.view(view)
        refuse_asked(found, "pushed to")
        return record_pushes(self._parts, found, by=by or self._parts.actor)

    def push(self, view: str, events: list[dict[str, Any]]) -> PushReceipt:
        """Push events to a view; durable and visible when this returns."""
        from tondo.workspace.late_events import report_late_events

        with self.pusher(view) as writer:
            receipt = writer.push(events)
        report_late_events(view, receipt.dropped, self._parts)
        return receipt

    def prune(self, view: str, *, dry_run: bool = False) -> Pruning:
        """Delete from the online store what no read within a view's retention needs any more."""
        from tondo.stages.features.prune import prune
        from tondo.workspace.late_events import report_late_events

        parts = self._parts
        pruning = prune(self.view(view), online=parts.online, clock=parts.clock, plan=dry_run)
        if not dry_run:
            report_late_events(view, pruning.dropped, parts)
        return pruning

    def pusher(self, view: str, *, durability: Durability = "synced") -> PushWriter:
        """Open a writer of a view's events, for programs that push often.

        With `written` the caller flushes to the device by `sync`, at times of its own.
        """
        from tondo.stages.features.asked import refuse_asked
        from tondo.stages.features.push import PushWriter

        found = self.view(view)
        refuse_asked(found, "pushed to")
        return PushWriter(
            found,
            online=self._parts.online,
            eventlog=self._parts.eventlog,
            clock=self._parts.clock,
            writer=f"push-{os.getpid()}-{secrets.token_hex(4)}",
            durability=durability,
        )

    def collect(self, view: str, *, by: str = "", why: str = "") -> Collected:
        """Take what a view's service answered, as logged, into the history that training reads."""
        from tondo.workspace.asked_history import collect_asked

        return collect_asked(
            self._parts,
            self.view(view),
            by=by or self._parts.actor,
            why=why or "collected logged answers",
        )

    def read_online(
        self, view: str, keys: list[str], *, as_of: str | None = None
    ) -> list[dict[str, Any]]:
        """Read a view's features of some keys as of an instant, now by default."""
        from tondo.stages.features.materialise import read_online

        found = self.view(view)
        typed = [_key(each, found) for each in keys]
        at_us = self._parts.clock.now_us() if as_of is None else parse_instant(as_of)
        return read_online(found, typed, at_us, online=self._parts.online)


def _key(text: str, view: FeatureView) -> Any:
    """Return a key in the entity's type: a command line and an address know only text."""
    if view.entity.type != "id":
        return text
    try:
        return int(text)
    except ValueError:
        raise CallerError(
            "TD-ONLINE-001",
            f"'{text}' cannot be a key of view '{view.name}'",
            expected=f"{view.entity.key} of type id: a whole number",
            fix="Send the key in the type that the entity declares.",
            key=text,
        ) from None
