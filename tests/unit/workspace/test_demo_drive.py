"""The demo's traffic: a scorer that is too busy for a moment loses none of it."""

import pytest

from tondo.core.errors import OutsideError
from tondo.workspace.demo import drive
from tondo.workspace.demo.drive import Drive
from tondo.workspace.demo.wire import Answer

BUSY = Answer(503, b'{"error": {"code": "TD-SCORER-010", "message": "too much"}}')
FULL = Answer(503, b'{"error": {"code": "TD-LOG-001", "message": "no room"}}')
GOOD = Answer(200, b"{}")


class Wire:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def send(self, requests):
        self.sent.append(requests)

    def receive(self, count):
        answers, self.answers = self.answers[:count], self.answers[count:]
        return answers


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(drive, "_AGAIN_S", 0.0)


def ask(*answers, quarters):
    wire = Wire(*answers)
    driving = Drive(None, None, wire, clock=None, daily=lambda now_us: None)
    driving._unanswered.extend(quarters)
    driving._answered(at_most=0)
    return wire.sent


def test_what_a_busy_scorer_refused_is_sent_again_once_all_others_are_answered():
    quarters = [[b"a", b"b"], [b"c", b"d"]]
    assert ask(GOOD, BUSY, BUSY, GOOD, GOOD, BUSY, GOOD, quarters=quarters) == [
        [b"b", b"c"],
        [b"c"],
    ]


def test_another_refusal_ends_the_drive():
    with pytest.raises(OutsideError, match="no room"):
        ask(GOOD, FULL, quarters=[[b"a", b"b"]])


def test_a_scorer_that_stays_busy_ends_the_drive():
    with pytest.raises(OutsideError, match="too much"):
        ask(*[BUSY] * 40, quarters=[[b"a"]])
