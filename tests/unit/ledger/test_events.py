from __future__ import annotations


def test_events_are_read_in_the_order_they_were_told(ledger):
    told = [ledger.event("deployed", f"deployment/{name}", {"n": name}) for name in "abc"]
    assert ledger.events() == told
    assert ledger.events(newest_first=True, limit=1) == told[-1:]


def test_events_go_on_after_a_sequence(ledger):
    first, second, third = (ledger.event("alert", "model/x", {"n": n}) for n in range(3))
    assert ledger.events(after=first.sequence, limit=1) == [second]
    assert ledger.events(after=second.sequence) == [third]
    assert ledger.events(after=third.sequence) == []


def test_events_are_chosen_by_kind_and_subject(ledger):
    ledger.event("alert", "model/x", {})
    wanted = ledger.event("alert", "model/y", {})
    ledger.event("deployed", "model/y", {})
    assert ledger.events(kind="alert", subject="model/y") == [wanted]
