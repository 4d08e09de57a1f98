"""The demo's story: each chapter is a step that is remembered, so a second telling is short."""

from __future__ import annotations

from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DataError, DefinitionError
from tondo.core.instants import format_instant, parse_instant
from tondo.workspace.demo.world import DAY_US, TRAFFIC_FROM, World

if TYPE_CHECKING:
    from tondo.flow.executions import Execution
    from tondo.workspace.demo.drive import HandClock
    from tondo.workspace.demo.tell import Teller
    from tondo.workspace.facade import Workspace

MODEL = "late_arrival"
RIVAL = "late_arrival_logistic"
BEGINNING_US = parse_instant("2013-01-01T05:00:00Z")
FIRST_MONTHS = (
    ("2013-01", parse_instant("2013-02-01T05:00:00Z")),
    ("2013-02", parse_instant("2013-03-01T05:00:00Z")),
    ("2013-03", TRAFFIC_FROM),
)
HOLDOUT_US = 14 * DAY_US
_SPOILED_EVERY = 10


class Chapters:
    """What happens up to the first of April: data, features, models, the first version live."""

    def __init__(self, workspace: Workspace, clock: HandClock, teller: Teller) -> None:
        self.workspace = workspace
        self.clock = clock
        self.teller = teller

    @cached_property
    def world(self) -> World:
        """The year as it would have arrived; read only when something must be computed."""
        from tondo.stages.data.sources import read_source

        data, parts = self.workspace.data, self.workspace.parts
        return World(
            read_source(data.source("flights"), base=parts.root),
            read_source(data.source("weather"), base=parts.root),
            departures_sql=data.derived("departures").sql,
            engine=parts.engine,
        )

    def prepare(self, execution: Execution, project: str) -> None:
        """Commit January to March month by month, infer the schema, meet a bad batch."""
        say = self.teller.say
        commits = execution.step(
            "snapshots", lambda progress: self._first_months(), inputs={"project": project}
        )
        self.clock.set_us(TRAFFIC_FROM)
        say(
            f"{commits['rows']:,} flights of January to March committed in {commits['commits']}"
            f" snapshots, {commits['columns']} columns, statistics exact"
        )
        schema = execution.step(
            "schema", lambda progress: self._schema(), inputs={"flights": commits["snapshot"]}
        )
        say(
            f"schema inferred: {schema['required']} of {schema['columns']} columns always present,"
            f" {schema['domains']} with a fixed set of values"
        )
        blocked = execution.step(
            "bad batch", lambda progress: self._bad_batch(), inputs={"schema": schema["id"]}
        )
        say(f"a spoiled batch of {blocked['rows']:,} flights was blocked:\n{blocked['message']}")

    def learn(self, execution: Execution, project: str) -> dict[str, Any]:
        """Define views, be refused a leak, train two models, judge them, bring one live."""
        from tondo.workspace.pipelines.retrain import learn_and_try

        workspace, say = self.workspace, self.teller.say
        views = execution.step("views", lambda progress: self._views(), inputs={"project": project})
        say(f"feature views: {views['text']}")
        leak = execution.step("leak", lambda progress: self._leak(), inputs={"project": project})
        say(f"a spec that reads dep_delay was refused before any data was read:\n{leak}")
        rival = execution.step("rival", lambda progress: self._rival(), inputs={"project": project})
        say(f"logistic regression: {rival['text']}", mark="○")
        first = learn_and_try(
            workspace.parts,
            execution,
            MODEL,
            holdout_us=HOLDOUT_US,
            now_us=TRAFFIC_FROM,
            by="demo",
            why="the first model, on January to March",
        )
        report = workspace.training.report(first.run)
        say(f"gradient-boosted trees: {_judged(report)}", mark="●")
        say("gate passed:\n" + "\n".join(first.reasons))
        live: dict[str, Any] = execution.step(
            "live", lambda progress: self._live(first.version), inputs={"run": first.run}
        )
        return live

    def _first_months(self) -> dict[str, Any]:
        data = self.workspace.data
        # Importing the libraries takes two seconds, which the next chapter would wait for.
        Thread(target=self._prepare_libraries, name="prepare libraries", daemon=True).start()
        since = 0
        for month, until in FIRST_MONTHS:
            self.clock.set_us(until)
            self.commit_recorded(since, until, why=f"what was recorded up to the end of {month}")
            since = until
        data.commit_source("planes", by="demo", why="the register")
        snapshot = data.snapshot("flights")
        return {
            "rows": snapshot.rows,
            "commits": len(data.commits("flights")),
            "columns": len(snapshot.columns),
            "snapshot": snapshot.id,
        }

    def _prepare_libraries(self) -> None:
        for name in ("lightgbm", "logistic"):
            self.workspace.parts.libraries[name].prepare()

    def commit_recorded(self, since_us: int, until_us: int, *, why: str) -> None:
        """Commit the flights and the weather that became known in [since, until)."""
        data, note = self.workspace.data, str(until_us)
        for name, table in (
            ("flights", self.world.flights_recorded(since_us, until_us)),
            ("weather", self.world.weather_observed(since_us, until_us)),
        ):
            if table.num_rows:
                data.commit_table(name, table, append=True, note=note, by="demo", why=why)

    def recorded_until(self) -> int:
        """Return up to when flights are committed: the note of the newest file."""
        return int(self.workspace.data.snapshot("flights").files[-1].note)

    def _schema(self) -> dict[str, Any]:
        from tondo.core.canonical import digest

        workspace = self.workspace
        workspace.data.infer_schema("flights", by="demo")
        # Airlines open routes: nine destinations of the summer were not flown to in winter.
        open_ended = ["dest.min_domain_mass=0.9"]
        workspace.schemas.set_constraints("flights", open_ended, by="demo", why="routes open")
        workspace.batches.accept("flights", by="demo", why="the rows of the first model")
        schema = workspace.data.schema("flights")
        columns = schema.columns.values()
        return {
            "id": digest(schema),
            "columns": len(schema.columns),
            "required": sum(each.presence.min_fraction == 1.0 for each in columns),
            "domains": sum(each.domain is not None for each in columns),
        }

    def _bad_batch(self) -> dict[str, Any]:
        import pyarrow as pa

        batch = self.world.flights_recorded(TRAFFIC_FROM, TRAFFIC_FROM + DAY_US)
        place = batch.column_names.index("origin")
        spoiled = [
            "NYC" if at % _SPOILED_EVERY == 0 else each
            for at, each in enumerate(batch.column("origin").to_pylist())
        ]
        batch = batch.set_column(place, "origin", pa.array(spoiled, type=pa.string()))
        try:
            self.workspace.schemas.block_bad_batch("flights", batch)
        except DataError as error:
            return {"rows": batch.num_rows, "message": str(error)}
        raise DataError(
            "TD-DEMO-004",
            "the spoiled batch was not blocked",
            expected="the schema to refuse the origin 'NYC'",
        )

    def _views(self) -> dict[str, Any]:
        workspace = self.workspace
        for name in ("departures", "landings"):
            workspace.data.derive(name, by="demo")
        workspace.features.sync_definitions(by="demo")
        loaded = [workspace.features.materialise(view.name) for view in workspace.features.views()]
        parts = [f"{each.view} ({each.keys:,} keys)" for each in loaded]
        return {"text": ", ".join(parts)}

    def _leak(self) -> str:
        from tondo.stages.features.resolve import resolve_features

        workspace = self.workspace
        spec = workspace.training.spec(MODEL)
        definition = workspace.data.definition(spec.source)
        try:
            resolve_features(
                {**spec.features, "left_late": "dep_delay > 15"},
                columns=workspace.data.columns(spec.source),
                views=workspace.parts.views,
                known_at=definition.known_at,
                time=spec.time,
            )
        except DefinitionError as error:
            return str(error)
        raise DataError("TD-DEMO-004", "the leak was not refused", expected="TD-KNOWN-001")

    def _rival(self) -> dict[str, Any]:
        run = self.workspace.training.train(RIVAL)
        return {"run": run.id, "text": _judged(self.workspace.training.report(run.id))}

    def _live(self, number: int | None) -> dict[str, Any]:
        version = self.workspace.registry.version(MODEL, str(number))
        return {
            "version": version.number,
            "id": version.id,
            "package": version.package,
            "since": format_instant(TRAFFIC_FROM),
        }


def _judged(report: Any) -> str:
    interval, baseline = report.auc_interval, report.baseline
    return (
        f"AUC {interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f}), log loss"
        f" {report.metrics['log_loss']:.3f} against {baseline.log_loss:.3f} of a constant,"
        f" on {report.rows:,} flights it was not trained on"
    )
