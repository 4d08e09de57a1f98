from __future__ import annotations

import pytest

from tondo.core.errors import ConflictError


def test_a_pointer_that_was_never_moved_is_none(ledger):
    assert ledger.pointer("model/late@live") is None
    assert ledger.history("model/late@live") == []


def test_a_move_is_kept_with_who_when_and_why(ledger, clock):
    ledger.move("model/late@live", "v1", expect=None, by="ann", why="first")
    clock.advance_us(5)
    move = ledger.move("model/late@live", "v2", expect="v1", by="bo", why="better")
    assert (move.number, move.previous, move.target) == (2, "v1", "v2")
    assert ledger.history("model/late@live")[1] == move
    pointer = ledger.pointer("model/late@live")
    assert (pointer.target, pointer.number, pointer.by) == ("v2", 2, "bo")
    assert pointer.moved_at_us == clock.now_us()


def test_a_pointer_that_somebody_moved_first_is_refused(ledger):
    ledger.move("m@live", "v1", expect=None, by="ann", why="first")
    with pytest.raises(ConflictError, match=r"TD-LEDGER-003.*points at v1.*by ann.*expected it at"):
        ledger.move("m@live", "v3", expect="v2", by="bo", why="late")
    assert ledger.pointer("m@live").target == "v1"


def test_a_pointer_that_is_somewhere_is_not_made_anew(ledger):
    ledger.move("m@live", "v1", expect=None, by="ann", why="first")
    with pytest.raises(ConflictError, match=r"TD-LEDGER-003.*nowhere yet"):
        ledger.move("m@live", "v2", expect=None, by="bo", why="first")


def test_rolling_back_is_one_more_move(ledger):
    for target, expect in [("v1", None), ("v2", "v1"), ("v1", "v2")]:
        ledger.move("m@live", target, expect=expect, by="ann", why="-")
    assert [each.target for each in ledger.history("m@live")] == ["v1", "v2", "v1"]


def test_pointers_are_listed_by_the_beginning_of_their_name(ledger):
    for name in ("model/b@live", "model/a@live", "dataset/f@main"):
        ledger.move(name, "x", expect=None, by="ann", why="-")
    assert [each.name for each in ledger.pointers("model/")] == ["model/a@live", "model/b@live"]
    assert len(ledger.pointers("")) == 3
