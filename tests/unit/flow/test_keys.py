from __future__ import annotations

import functools
import importlib.util

import pytest

from tondo.core.durations import parse_duration_us
from tondo.core.errors import MissingExtraError
from tondo.flow.keys import changes, module_digest, step_parts


def load(path):
    import sys

    spec = importlib.util.spec_from_file_location("steps_of_a_user", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["steps_of_a_user"] = module
    spec.loader.exec_module(module)
    return module.work


def test_the_code_of_a_user_is_part_of_the_key(tmp_path):
    digests = []
    for number, body in enumerate(["return 1", "return 2"]):
        path = tmp_path / f"steps{number}.py"
        path.write_text(f"def work(progress):\n    {body}\n")
        digests.append(module_digest(load(path)))
    assert None not in digests
    assert digests[0] != digests[1]


def test_our_own_code_is_known_by_its_version_only():
    parts = step_parts(
        "s", parse_duration_us, version=3, parameters={}, inputs={}, packages=["msgspec"]
    )
    assert parts["version"] == 3
    assert "code" not in parts


def test_a_partial_is_known_by_its_function():
    assert module_digest(functools.partial(load_nothing, 1)) == module_digest(load_nothing)


def load_nothing(_progress):
    return None


def test_a_declared_package_that_is_missing_is_a_coded_error():
    with pytest.raises(MissingExtraError, match=r"TD-INSTALL-001.*no-such-package"):
        step_parts("s", len, version=1, parameters={}, inputs={}, packages=["no-such-package"])


def test_changes_name_what_came_went_and_differs():
    before = {"version": 1, "inputs": {"a": "1", "gone": "x"}, "code": "c"}
    after = {"version": 2, "inputs": {"a": "1", "new": "y"}, "code": "c"}
    assert [(each.part, each.before, each.after) for each in changes(before, after)] == [
        ("inputs.gone", "x", None),
        ("inputs.new", None, "y"),
        ("version", 1, 2),
    ]


def explained(executions, first, second, **forced):
    for asked in (first, second):
        with executions.run("demo") as execution:
            execution.step("train", lambda progress: 1, **asked)
    return execution.explain("train")


def test_explain_names_the_part_that_changed(executions):
    told = explained(executions, {"parameters": {"seed": 7}}, {"parameters": {"seed": 8}})
    assert [each.part for each in told.changes] == ["parameters.seed"]
    assert told.text == "'train' ran again because of parameters.seed: 7 -> 8."


def test_explain_says_when_nothing_changed(executions):
    told = explained(executions, {}, {})
    assert "was reused: nothing it depends on has changed" in told.text


def test_explain_says_when_a_step_was_forced(executions):
    told = explained(executions, {}, {"force": True})
    assert told.changes == []
    assert "was to be done afresh" in told.text


def test_explain_says_when_a_step_is_new(executions):
    with executions.run("demo") as execution:
        execution.step("train", lambda progress: 1)
    assert execution.explain("train").text == "'train' ran for the first time."


def test_explain_looks_at_the_same_pipeline_only(executions):
    with executions.run("other") as execution:
        execution.step("train", lambda progress: 1, parameters={"seed": 1})
    with executions.run("demo") as execution:
        execution.step("train", lambda progress: 1, parameters={"seed": 2})
    assert execution.explain("train").previous is None
