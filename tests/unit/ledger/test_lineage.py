from __future__ import annotations

import pytest

from tondo.core.errors import NotFoundError
from tondo.ledger import Edge


@pytest.fixture
def family(ledger):
    ledger.put("snapshot", "s", {})
    ledger.put("training_set", "t", {}, parents=[("snapshot", "s", "spine")])
    ledger.put("run", "r", {}, parents=[("training_set", "t", "training data")])
    ledger.put("model_version", "m", {}, parents=[("run", "r", "trained by")])
    ledger.put("report", "e", {}, parents=[("run", "r", "judged"), ("snapshot", "s", "test data")])
    return ledger


def ids(lineage):
    return [node.id for node in lineage.nodes]


def test_lineage_goes_up_to_the_sources_nearest_first(family):
    assert ids(family.lineage("model_version", "m", direction="up")) == ["m", "r", "t", "s"]


def test_lineage_goes_down_to_all_that_was_made(family):
    found = family.lineage("snapshot", "s", direction="down")
    assert sorted(ids(found)) == ["e", "m", "r", "s", "t"]
    assert ids(found)[0] == "s"


def test_lineage_gives_the_edges_among_its_nodes_only(family):
    found = family.lineage("run", "r", direction="up")
    assert {(edge.parent_id, edge.child_id, edge.role) for edge in found.edges} == {
        ("t", "r", "training data"),
        ("s", "t", "spine"),
    }


def test_lineage_stops_at_its_depth(family):
    assert ids(family.lineage("model_version", "m", direction="up", depth=1)) == ["m", "r"]
    assert ids(family.lineage("model_version", "m", direction="up", depth=0)) == ["m"]


def test_a_record_without_edges_is_its_whole_lineage(ledger):
    ledger.put("snapshot", "s", {})
    assert ids(ledger.lineage("snapshot", "s", direction="up")) == ["s"]


def test_a_circle_comes_to_an_end(ledger):
    for name in "abc":
        ledger.put("snapshot", name, {})
    for parent, child in ["ab", "bc", "ca", "aa"]:
        ledger.link(("snapshot", parent), ("snapshot", child), "derived")
    found = ledger.lineage("snapshot", "a", direction="down")
    assert ids(found) == ["a", "b", "c"]
    assert len(found.edges) == 4


def test_linking_twice_is_one_edge(family):
    family.link(("snapshot", "s"), ("training_set", "t"), "spine")
    edge = Edge(
        parent_kind="snapshot",
        parent_id="s",
        child_kind="training_set",
        child_id="t",
        role="spine",
    )
    assert family.lineage("training_set", "t", direction="up").edges == [edge]


def test_a_parent_that_is_not_there_refuses_the_record(ledger):
    with pytest.raises(NotFoundError, match=r"TD-LEDGER-001.*snapshot nowhere.*spine"):
        ledger.put("training_set", "t", {}, parents=[("snapshot", "nowhere", "spine")])
    assert ledger.find("training_set", "t") is None


def test_lineage_of_nothing_is_a_coded_error(ledger):
    with pytest.raises(NotFoundError, match="TD-LEDGER-001"):
        ledger.lineage("run", "none", direction="up")
