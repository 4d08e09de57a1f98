"""The ledger against a plain model in dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import ConflictError, NotFoundError
from tondo.ledger import Ledger

KINDS = st.sampled_from(["snapshot", "run"])
IDS = st.sampled_from(["a", "b", "c", "d", "é", "'", "%"])
BODIES = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 1) | st.none(), max_size=2)
NAMES = st.sampled_from(["m@live", "m@next", "d@main"])
TARGETS = st.sampled_from(["1", "2", "3"])


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def open_ledger(self):
        self.ledger = Ledger.open("sqlite://", clock=ManualClock(1_364_774_400_000_000))
        self.records = {}
        self.edges = set()
        self.moves = {}

    @rule(kind=KINDS, id_=IDS, body=BODIES)
    def put(self, kind, id_, body):
        if self.records.get((kind, id_), body) != body:
            with pytest.raises(ConflictError, match="TD-LEDGER-002"):
                self.ledger.put(kind, id_, body)
        else:
            self.ledger.put(kind, id_, body)
            self.records[kind, id_] = body

    @rule(kind=KINDS, id_=IDS, parent_kind=KINDS, parent_id=IDS)
    def link(self, kind, id_, parent_kind, parent_id):
        edge = ((parent_kind, parent_id), (kind, id_))
        if all(end in self.records for end in edge):
            self.ledger.link(*edge, "made")
            self.edges.add(edge)
        else:
            with pytest.raises(NotFoundError, match="TD-LEDGER-001"):
                self.ledger.link(*edge, "made")

    @rule(name=NAMES, to=TARGETS, expect=TARGETS | st.none())
    def move(self, name, to, expect):
        moves = self.moves.setdefault(name, [])
        if expect == (moves[-1] if moves else None):
            self.ledger.move(name, to, expect=expect, by="x", why="y")
            moves.append(to)
        else:
            with pytest.raises(ConflictError, match="TD-LEDGER-003"):
                self.ledger.move(name, to, expect=expect, by="x", why="y")

    @rule(kind=KINDS, id_=IDS, body=BODIES, name=NAMES)
    def fail_half_way(self, kind, id_, body, name):
        with pytest.raises(ArithmeticError), self.ledger.transaction():
            if (kind, id_) not in self.records:
                self.ledger.put(kind, id_, body)
            self.ledger.event("half", name, {})
            raise ArithmeticError

    @rule(direction=st.sampled_from(["up", "down"]), kind=KINDS, id_=IDS, depth=st.integers(0, 4))
    def walk(self, direction, kind, id_, depth):
        if (kind, id_) not in self.records:
            return
        found = self.ledger.lineage(kind, id_, direction=direction, depth=depth)
        nodes = {(node.kind, node.id) for node in found.nodes}
        assert nodes == self.reached((kind, id_), direction, depth)
        assert (found.nodes[0].kind, found.nodes[0].id) == (kind, id_)
        edges = {((e.parent_kind, e.parent_id), (e.child_kind, e.child_id)) for e in found.edges}
        assert edges == {edge for edge in self.edges if set(edge) <= nodes}

    def reached(self, start, direction, depth):
        seen = last = {start}
        for _ in range(depth):
            last = {
                parent if direction == "up" else child
                for parent, child in self.edges
                if (child if direction == "up" else parent) in last
            }
            seen = seen | last
        return seen

    @invariant()
    def says_what_the_model_says(self):
        for kind in ("snapshot", "run"):
            found = {(each.kind, each.id): each.body for each in self.ledger.records(kind)}
            assert found == {key: body for key, body in self.records.items() if key[0] == kind}
        for name, moves in self.moves.items():
            assert [each.target for each in self.ledger.history(name)] == moves
            pointer = self.ledger.pointer(name)
            assert (pointer.target if pointer else None) == (moves[-1] if moves else None)
        assert self.ledger.events() == []

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()


LedgerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestLedger = LedgerMachine.TestCase
