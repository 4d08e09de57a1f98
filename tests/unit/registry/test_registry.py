from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError
from tondo.ledger.ledger import Ledger
from tondo.stages.evaluation.gate import Check, Verdict
from tondo.stages.registry.resolve import models, resolve, tags, versions
from tondo.stages.registry.tagging import former_target, rollback_tag, tag, tag_history
from tondo.stages.registry.versions import ModelVersion, register
from tondo.stages.training.qualify import Qualification
from tondo.stages.training.run import Run, RunRows

PASSED = Verdict(passed=True, checks=[], report="none")
REFUSED = Verdict(
    passed=False,
    checks=[Check(name="auc.min", outcome="failed", value=0.5, limit=0.6, why="auc is low.")],
    report="none",
)


def make_run(ledger, model="late", **changes):
    """A run and its package, as training records them."""
    run = Run(
        id=ledger.new_id(),
        model=model,
        spec="s",
        training_set="t",
        task="binary",
        algorithm="logistic",
        parameters={},
        features=["x"],
        seed=7,
        threads=1,
        rows=RunRows(training=10, validation=2, unlabelled=0, positives=3),
        first_time_us=0,
        last_training_time_us=1,
        validation_from_us=2,
        package=changes.pop("package", "p1"),
        package_bytes=1,
        model_digest="m",
        qualification=Qualification(runtime="onnx", forms=[]),
        importance={},
        environment="e",
        seconds={},
        started_at_us=0,
        ended_at_us=1,
        **changes,
    )
    ledger.put("run", run.id, run)
    ledger.put("package", run.package, {}, parents=[("run", run.id, "sealed_by")])
    return run


def add(ledger, model="late", verdict=PASSED, **more):
    run = more.pop("run", None) or make_run(ledger, model)
    given = {"report": None, "owner": "ops", "by": "ann", **more}
    return register(model, run=run, verdict=verdict, ledger=ledger, **given)


def tagged(ledger, *picked, name="live"):
    for version in picked:
        tag("late", name, version, by="ann", why="because", ledger=ledger)


@pytest.fixture
def ledger():
    clock = ManualClock(1_364_774_400_000_000)
    return Ledger.open("sqlite://", clock=clock)


def test_versions_count_from_one_within_a_model(ledger):
    assert [add(ledger).number, add(ledger).number, add(ledger, "other").number] == [1, 2, 1]


def test_the_same_package_registered_twice_is_two_versions(ledger):
    first, second = add(ledger), add(ledger)
    assert first.package == second.package
    assert first.id != second.id


def test_a_version_reads_back_as_it_was_and_leads_to_its_run(ledger):
    version = add(ledger)
    assert ledger.read("model_version", version.id, ModelVersion) == version
    above = ledger.lineage("model_version", version.id, direction="up").nodes
    assert {node.kind for node in above} == {"model_version", "run", "package"}


def test_versions_are_listed_the_newest_first(ledger):
    made = [add(ledger) for _ in range(3)]
    assert versions("late", ledger=ledger) == made[::-1]


def test_models_are_listed_without_their_tags(ledger):
    tagged(ledger, add(ledger))
    add(ledger, "early")
    assert models(ledger=ledger) == ["early", "late"]


def test_a_refused_model_is_not_registered(ledger):
    with pytest.raises(CallerError, match=r"TD-GATE-001.*auc is low") as caught:
        add(ledger, verdict=REFUSED)
    assert caught.value.fields["checks"] == ["auc.min"]
    assert models(ledger=ledger) == []


def test_an_override_needs_a_reason_and_is_recorded(ledger):
    with pytest.raises(CallerError, match="TD-GATE-001"):
        add(ledger, verdict=REFUSED, override="  ")
    assert add(ledger, verdict=REFUSED, override="the old one is broken").override is not None


def test_a_model_that_passed_has_no_override(ledger):
    assert add(ledger, override="just in case").override is None


def test_a_model_without_owner_is_refused(ledger):
    with pytest.raises(DefinitionError, match="TD-REGISTRY-005"):
        add(ledger, owner=" ")


def test_a_run_of_another_model_is_refused(ledger):
    with pytest.raises(CallerError, match=r"TD-REGISTRY-002.*trained 'early'"):
        add(ledger, run=make_run(ledger, "early"))


def test_a_refit_needs_the_verdict_of_the_run_it_refits(ledger):
    judged = make_run(ledger)
    refit = make_run(ledger, package="p2", refit_of=judged.id)
    stranger = msgspec.structs.replace(PASSED, inherited_from="somebody")
    with pytest.raises(CallerError, match="TD-REGISTRY-002"):
        add(ledger, run=refit, verdict=stranger)


def test_a_refit_says_what_it_refits(ledger):
    judged = make_run(ledger)
    refit = make_run(ledger, package="p2", refit_of=judged.id)
    version = add(
        ledger, run=refit, verdict=msgspec.structs.replace(PASSED, inherited_from=judged.id)
    )
    assert version.refit_of == judged.id
    edges = ledger.lineage("model_version", version.id, direction="up").edges
    assert any(edge.role == "refit_of" and edge.parent_id == judged.id for edge in edges)


@pytest.mark.parametrize("write", [str, lambda number: f"v{number}", int])
def test_a_number_means_its_version(ledger, write):
    made = [add(ledger) for _ in range(2)]
    assert resolve("late", write(2), ledger=ledger) == made[1]


def test_an_id_and_its_beginning_mean_their_version(ledger):
    version = add(ledger)
    ledger.clock.advance_us(10**12)
    add(ledger)
    assert resolve("late", version.id, ledger=ledger) == version
    assert resolve("late", version.id[:18], ledger=ledger) == version


def test_a_beginning_that_fits_several_lists_them(ledger):
    made = [add(ledger) for _ in range(2)]
    with pytest.raises(CallerError, match="TD-REGISTRY-006") as caught:
        resolve("late", made[0].id[:8], ledger=ledger)
    assert made[1].id in caught.value.fix


def test_a_tag_means_where_it_stands(ledger):
    made = [add(ledger) for _ in range(2)]
    tagged(ledger, *made)
    assert resolve("late", "live", ledger=ledger) == made[1]
    assert tags("late", ledger=ledger) == {"live": made[1].id}


def test_an_unknown_version_lists_the_choices(ledger):
    tagged(ledger, add(ledger))
    with pytest.raises(NotFoundError, match=r"TD-REGISTRY-001.*There is: '1', 'live'"):
        resolve("late", "9", ledger=ledger)


def test_an_unknown_model_names_near_ones(ledger):
    add(ledger)
    with pytest.raises(NotFoundError, match=r"TD-REGISTRY-001.*Did you mean 'late'"):
        resolve("lates", "1", ledger=ledger)


def test_a_tag_keeps_who_and_why(ledger):
    tagged(ledger, add(ledger))
    (move,) = tag_history("late", "live", ledger=ledger)
    assert (move.by, move.why, move.previous) == ("ann", "because", None)


def test_a_tag_that_stands_there_already_does_not_move(ledger):
    version = add(ledger)
    tagged(ledger, version, version)
    assert len(tag_history("late", "live", ledger=ledger)) == 1


def test_of_two_that_move_a_tag_the_second_is_told(ledger):
    made = [add(ledger) for _ in range(3)]
    tagged(ledger, made[0])
    tag("late", "live", made[1], by="ann", why="a", ledger=ledger, expect=made[0].id)
    with pytest.raises(ConflictError, match="TD-LEDGER-003"):
        tag("late", "live", made[2], by="bob", why="b", ledger=ledger, expect=made[0].id)


def test_a_version_of_another_model_cannot_be_tagged(ledger):
    add(ledger)
    with pytest.raises(ConflictError, match="TD-REGISTRY-004"):
        tagged(ledger, add(ledger, "early"))


def test_rolling_back_twice_goes_back_two_steps(ledger):
    made = [add(ledger) for _ in range(3)]
    tagged(ledger, *made)
    back = [
        rollback_tag("late", "live", by="ann", why="worse", ledger=ledger).number for _ in range(2)
    ]
    assert back == [2, 1]
    assert len(tag_history("late", "live", ledger=ledger)) == 5


def test_a_tag_that_stood_nowhere_else_cannot_go_back(ledger):
    tagged(ledger, add(ledger))
    with pytest.raises(ConflictError, match="TD-REGISTRY-003"):
        rollback_tag("late", "live", by="ann", why="worse", ledger=ledger)


@pytest.mark.parametrize(
    ("path", "former"),
    [
        ("", None),
        ("a", None),
        ("ab", "a"),
        ("aba", None),
        ("abcb", "a"),
        ("abab", "a"),
        ("abac", "a"),
    ],
)
def test_the_former_target_of_a_path(path, former):
    moves = [msgspec.convert({"target": each}, _Target) for each in path]
    assert former_target(moves) == former


class _Target(msgspec.Struct):
    target: str


def register_some(url, count):
    ledger = Ledger.open(url, clock=SystemClock())
    for _ in range(count):
        add(ledger, run=make_run(ledger, package="p1"))
    ledger.close()


def test_eight_processes_register_consecutive_versions(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger.open(url, clock=SystemClock()).close()
    workers = [subprocess.Popen([sys.executable, __file__, url, "3"]) for _ in range(8)]
    assert [worker.wait(120) for worker in workers] == [0] * 8
    ledger = Ledger.open(url, clock=SystemClock())
    found = versions("late", ledger=ledger)
    assert [version.number for version in found] == list(range(24, 0, -1))
    assert len({version.id for version in found}) == 24


if __name__ == "__main__":
    register_some(sys.argv[1], int(sys.argv[2]))
