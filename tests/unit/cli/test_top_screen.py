"""What `tondo top` draws fits every width and tells what is wrong."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tondo.faces.cli.top_screen import screen
from tondo.workspace.live.top import TopRollout, TopRow, TopView
from tondo.workspace.live.values import ScorerState, VariantRate, WorkerState


def row(variant, version=None, share=None, **rate):
    return TopRow(
        deployment="a_deployment_with_a_long_name_for_a_narrow_terminal",
        variant=variant,
        version=version,
        share=share,
        rate=VariantRate(deployment="late", variant=variant, **rate),
    )


def view(**changes):
    worker = WorkerState(pid=7, ready=True, plan=3, memory_bytes=65_000_000, uptime_s=1.0)
    given = {
        "project": "flights",
        "at_us": 1_364_774_400_000_000,
        "plan": 3,
        "scorers": [
            ScorerState(address="http://127.0.0.1:8461", workers=[worker]),
            ScorerState(address="http://127.0.0.1:9", problem="nothing listens there"),
        ],
        "rows": [
            row("live", 3, 0.75, requests_s=1234.5, errors_s=0.0, p50_us=84.0, p99_us=2345.0),
            row("candidate", 4, 0.25, requests_s=9.5, errors_s=2.5, refused_s=1.0, requests=77),
            row("", requests_s=1.0, refused_s=1.0),
        ],
        "rollouts": [
            TopRollout(
                deployment="late",
                current=3,
                candidate=4,
                share=0.25,
                phase="running",
                met=9,
                conditions=12,
                reason="candidate_answers is 77, below 1000, and many words more to be cut",
            )
        ],
    }
    return TopView(**{**given, **changes})


def drawn(seen, width, past=None):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(screen(seen, past or {}, width=width))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_none_is_broken(width):
    past = {(each.deployment, each.variant): [1.0, 2.0, 3.0] for each in view().rows}
    lines = drawn(view(), width, past).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(drawn(view(), 200, past).splitlines())


def test_what_is_shed_has_a_column_on_a_usual_terminal():
    text = drawn(view(rows=[row("live", 3, 1.0), row("", shed_s=123.0)]), 80)
    assert "shed/s" in text
    assert [line for line in text.splitlines() if "no variant" in line and "123" in line]


def test_the_head_of_the_first_column_is_whole_where_names_are_short():
    assert "variant " in drawn(view(rows=[row("a", 3, 1.0)]), 100)


def test_a_narrow_terminal_keeps_what_matters_most():
    text = drawn(view(), 40)
    for wanted in ("live", "candidate", "1,234", "2.35 ms", "err/s", "2.5"):
        assert wanted in text
    assert "share" not in text


def test_a_wide_one_tells_all():
    text = drawn(view(), 120)
    for wanted in ("75 %", "v4", "84 µs", "no variant", "9 of 12 conditions met", "65 MB"):
        assert wanted in text
    assert "down http://127.0.0.1:9 nothing listens there" in text


def test_empty_states_say_what_to_do():
    text = drawn(view(rows=[], scorers=[], rollouts=[]), 80)
    assert "Nothing is deployed" in text
    assert "tondo serve" in text


def test_the_whole_of_an_isolated_deployment_is_told_too():
    text = drawn(view(rows=[row("*", requests_s=8.0), row("live", 3, 1.0, requests_s=8.0)]), 120)
    assert "all variants" in text
    assert "no variant" not in text
