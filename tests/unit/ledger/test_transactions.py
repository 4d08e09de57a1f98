from __future__ import annotations

import threading

import pytest

from tondo.ledger import Ledger


def test_a_transaction_keeps_all_or_nothing(ledger):
    with pytest.raises(RuntimeError), ledger.transaction():
        ledger.put("run", "r1", {})
        ledger.move("m@live", "r1", expect=None, by="ann", why="-")
        ledger.event("deployed", "m", {})
        raise RuntimeError
    assert ledger.find("run", "r1") is None
    assert ledger.pointer("m@live") is None
    assert ledger.events() == []


def test_an_inner_transaction_joins_the_outer(ledger):
    with pytest.raises(RuntimeError), ledger.transaction():
        with ledger.transaction():
            ledger.put("run", "r1", {})
        raise RuntimeError
    assert ledger.find("run", "r1") is None


def test_a_transaction_reads_what_it_wrote(ledger):
    with ledger.transaction():
        ledger.put("run", "r1", {"a": 1})
        assert ledger.get("run", "r1").body == {"a": 1}
        assert len(ledger.records("run")) == 1


def test_a_transaction_that_does_nothing_leaves_no_lock(ledger):
    for _ in range(2):
        with ledger.transaction():
            pass
    with pytest.raises(RuntimeError), ledger.transaction():
        raise RuntimeError
    assert ledger.put("run", "r1", {}).id == "r1"


def test_the_ledger_goes_on_after_a_failed_transaction(ledger):
    with pytest.raises(RuntimeError), ledger.transaction():
        ledger.put("run", "r1", {"a": 1})
        raise RuntimeError
    assert ledger.put("run", "r1", {"a": 2}).body == {"a": 2}


def test_a_reader_beside_a_writer_sees_the_last_commit(tmp_path, clock):
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    ledger.put("run", "before", {})
    seen = []
    with ledger.transaction():
        ledger.put("run", "inside", {})
        reader = threading.Thread(target=lambda: seen.extend(ledger.records("run")))
        reader.start()
        reader.join(timeout=5)
    assert [each.id for each in seen] == ["before"]
    ledger.close()


def test_many_threads_write_without_losing_anything(ledger):
    def write(thread):
        for number in range(20):
            ledger.put("run", f"{thread}-{number}", {"n": number})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.sequence for each in ledger.records("run")}) == 160


def test_one_thread_wins_each_move(ledger):
    ledger.move("p", "0", expect=None, by="-", why="-")
    wins = []

    def push(thread):
        for _ in range(10):
            with ledger.transaction():
                present = int(ledger.pointer("p").target)
                ledger.move("p", str(present + 1), expect=str(present), by=thread, why="-")
            wins.append(thread)

    threads = [threading.Thread(target=push, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 40
    assert ledger.pointer("p").target == "40"


def test_a_closed_ledger_opens_again_by_itself(tmp_path, clock):
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    ledger.put("run", "r1", {})
    ledger.close()
    assert ledger.get("run", "r1").id == "r1"
    ledger.close()
