from __future__ import annotations

import msgspec
import pytest

from tondo.core.errors import (
    CallerError,
    ConflictError,
    DefinitionError,
    NotFoundError,
    PlatformError,
)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    seed: int
    metrics: dict[str, float]


def test_a_record_is_read_back_as_it_was_put(ledger, clock):
    record = ledger.put("run", "r1", {"seed": 7, "note": "é", "list": [1, None, True]})
    assert ledger.get("run", "r1") == record
    assert record.body == {"seed": 7, "note": "é", "list": [1, None, True]}
    assert record.created_at_us == clock.now_us()


def test_a_struct_is_read_back_as_a_struct(ledger):
    run = Run(seed=7, metrics={"auc": 0.75})
    ledger.put("run", "r1", run)
    assert ledger.read("run", "r1", Run) == run


def test_a_body_that_does_not_fit_its_type_is_a_coded_error(ledger):
    ledger.put("run", "r1", {"seed": "seven", "metrics": {}})
    with pytest.raises(PlatformError, match=r"TD-LEDGER-009.*run r1.*Run"):
        ledger.read("run", "r1", Run)


def test_putting_the_same_again_changes_nothing(ledger, clock):
    first = ledger.put("run", "r1", {"a": 1, "b": 2})
    clock.advance_us(1_000_000)
    assert ledger.put("run", "r1", {"b": 2, "a": 1}) == first
    assert len(ledger.records("run")) == 1


def test_putting_another_body_under_an_id_is_refused(ledger):
    ledger.put("run", "r1", {"a": 1})
    with pytest.raises(ConflictError, match="TD-LEDGER-002") as caught:
        ledger.put("run", "r1", {"a": 2})
    assert caught.value.fields == {"kind": "run", "id": "r1"}
    assert ledger.get("run", "r1").body == {"a": 1}


@pytest.mark.parametrize("body", [{"a": object()}, {"a": {1: object()}}])
def test_a_body_that_json_cannot_hold_is_refused(ledger, body):
    with pytest.raises(DefinitionError, match="TD-LEDGER-013"):
        ledger.put("run", "r1", body)
    with pytest.raises(DefinitionError, match="TD-LEDGER-013"):
        ledger.event("deployed", "m", body)
    assert ledger.records("run") == []


def test_the_same_id_may_be_used_by_two_kinds(ledger):
    ledger.put("run", "x", {"a": 1})
    ledger.put("report", "x", {"a": 2})
    assert ledger.get("report", "x").body == {"a": 2}


def test_a_missing_record_names_near_ids(ledger):
    ledger.put("model", "late_arrival", {})
    with pytest.raises(NotFoundError, match=r"TD-LEDGER-001.*Did you mean 'late_arrival'"):
        ledger.get("model", "late_arival")
    assert ledger.find("model", "late_arival") is None


def test_records_come_newest_first_and_page_by_sequence(ledger):
    for number in range(5):
        ledger.put("run", f"r{number}", {"number": number})
    page = ledger.records("run", limit=2)
    assert [each.id for each in page] == ["r4", "r3"]
    assert [each.id for each in ledger.records("run", limit=2, before=page[-1].sequence)] == [
        "r2",
        "r1",
    ]
    assert ledger.records("run", newest_first=False)[0].id == "r0"


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"name": "late"}, ["b", "a"]),
        ({"name": "late", "number": 2}, ["b"]),
        ({"score": 0.5}, ["a"]),
        ({"ready": True}, ["b"]),
        ({"ready": None}, ["c", "a"]),
        ({"name": "no such"}, []),
    ],
)
def test_records_are_chosen_by_top_level_fields(ledger, where, ids):
    ledger.put("v", "a", {"name": "late", "number": 1, "score": 0.5})
    ledger.put("v", "b", {"name": "late", "number": 2, "ready": True})
    ledger.put("v", "c", {"name": "early", "number": 1, "ready": None})
    assert [each.id for each in ledger.records("v", where=where)] == ids


def test_a_field_that_is_no_name_cannot_choose_records(ledger):
    with pytest.raises(CallerError, match="TD-LEDGER-010"):
        ledger.records("run", where={"a' OR 1=1 --": 1})


def test_records_of_any_kind_are_found_by_the_beginning_of_their_id(ledger):
    ledger.put("run", "0192aa", {})
    ledger.put("report", "0192ab", {})
    ledger.put("report", "0193", {})
    assert [each.id for each in ledger.find_by_prefix("0192")] == ["0192ab", "0192aa"]
    assert ledger.find_by_prefix("0192%") == []
    assert ledger.find_by_prefix("") == []


def test_ids_made_by_a_ledger_grow(ledger):
    ids = [ledger.new_id() for _ in range(100)]
    assert ids == sorted(set(ids))
