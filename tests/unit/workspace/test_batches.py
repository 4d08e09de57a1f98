"""New files of a dataset: a bad one is set aside, the next clean one is taken, nothing is lost."""

import numpy as np
import pyarrow as pa
import pytest

from tondo.core.errors import DataError, NotFoundError
from tondo.stages.data.quarantine import SET_ASIDE
from tondo.workspace.batches import refuse, sift
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.reference import present_reference

PROJECT = """\
project: shop
owner: ana
description: A shop.
---
source: sales
owner: ana
description: One row a sale.
path: sales.csv
"""


def sales(rows, *, seed, factor=1.0):
    random = np.random.default_rng(seed)
    price = random.lognormal(3, 0.5, rows)
    return pa.table(
        {"price": price * factor, "paid": price + 1, "shop": random.choice(["n", "s"], rows)}
    )


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "project.yaml").write_text(PROJECT)
    with open_workspace(tmp_path) as workspace:
        workspace.data.commit_table("sales", sales(3_000, seed=0))
        workspace.data.infer_schema("sales")
        workspace.batches.accept("sales")
        yield workspace


def arrive(shop, table, note=""):
    return shop.data.commit_table("sales", table, append=True, note=note)


def test_a_clean_file_is_taken(shop):
    commit = arrive(shop, sales(500, seed=1))
    found = sift(shop.parts, "sales", by="test")
    assert (found.taken, found.refused, found.snapshot) == (1, (), commit.snapshot)


def test_a_change_of_unit_that_breaks_no_constraint_is_set_aside(shop):
    before = shop.data.snapshot("sales")
    arrive(shop, sales(500, seed=1, factor=1000), note="monday.csv")
    found = sift(shop.parts, "sales", by="test")
    assert found.taken == 0
    assert found.refused[0].startswith("price: ")
    assert "monday.csv" in found.refused[0]
    assert shop.data.snapshot("sales").id == before.id


def test_what_was_refused_is_kept(shop):
    arrive(shop, sales(500, seed=1, factor=1000))
    arrive(shop, sales(400, seed=2, factor=1000))
    sift(shop.parts, "sales", by="test")
    arrive(shop, sales(300, seed=3, factor=1000))
    sift(shop.parts, "sales", by="test")
    assert shop.data.snapshot(f"sales@{SET_ASIDE}").rows == 1_200


def test_the_clean_files_beside_a_bad_one_are_taken(shop):
    arrive(shop, sales(500, seed=1))
    arrive(shop, sales(500, seed=2, factor=1000))
    arrive(shop, sales(500, seed=3))
    found = sift(shop.parts, "sales", by="test")
    assert (found.taken, len(found.refused)) == (2, 1)
    assert shop.data.snapshot("sales").rows == 4_000


def test_a_refused_file_opens_a_tracked_anomaly_and_an_alert(shop):
    arrive(shop, sales(500, seed=1, factor=1000))
    sift(shop.parts, "sales", by="test")
    assert "price" in {each.column for each in shop.data.anomalies("sales")}
    alerts = shop.monitoring.alerts()
    assert [each.kind for each in alerts] == ["batch_refused"]
    assert alerts[0].severity == "critical"


def test_an_error_names_the_column_first(shop):
    arrive(shop, sales(500, seed=1, factor=1000))
    with pytest.raises(DataError, match=r"^TD-DATA-060: price: ") as caught:
        refuse([sift(shop.parts, "sales", by="test")])
    assert caught.value.code == "TD-DATA-060"


def test_content_that_is_replaced_by_bad_rows_comes_back(shop):
    before = shop.data.snapshot("sales")
    shop.data.commit_table("sales", sales(3_000, seed=4, factor=1000))
    sift(shop.parts, "sales", by="test")
    assert shop.data.snapshot("sales").id == before.id


def test_an_accepted_patch_lets_the_file_pass(shop):
    arrive(shop, sales(500, seed=1, factor=1000))
    shop.schemas.accept_patches("sales", why="new currency")
    assert sift(shop.parts, "sales", by="test").refused == ()


def test_a_table_handed_over_is_blocked_before_it_is_committed(shop):
    with pytest.raises(DataError, match=r"^TD-SCHEMA-001: price: "):
        shop.schemas.block_bad_batch("sales", sales(500, seed=1, factor=1000))
    assert shop.schemas.block_bad_batch("sales", sales(500, seed=1)) is None


def test_every_measure_is_shown_whether_it_passes_or_not(shop):
    arrive(shop, sales(500, seed=1))
    found = {(each.column, each.measure) for each in shop.batches.movements("sales")}
    assert {("price", "moved"), ("price", "far"), ("shop", "flood"), ("price", "order")} <= found


def test_accepting_the_same_rows_again_is_no_new_reference(shop):
    first = present_reference(shop.parts, "sales")
    shop.batches.accept("sales")
    assert present_reference(shop.parts, "sales") == first
    assert len(shop.parts.ledger.history("reference/sales")) == 1


def test_before_anything_is_accepted_there_is_no_reference(tmp_path):
    (tmp_path / "project.yaml").write_text(PROJECT)
    with open_workspace(tmp_path) as workspace:
        workspace.data.commit_table("sales", sales(300, seed=0))
        with pytest.raises(NotFoundError, match="no rows of 'sales'"):
            workspace.batches.reference("sales")
        assert sift(workspace.parts, "sales", by="test").taken == 1


def states(shop):
    return {each.state for each in shop.data.anomalies("sales")}


@pytest.fixture
def refused(shop):
    """A shop in which monday's file was set aside for a change of unit."""
    arrive(shop, sales(500, seed=1, factor=1000), note="monday.csv")
    sift(shop.parts, "sales", by="test")
    return shop


def test_a_check_of_what_is_left_does_not_fix_what_was_set_aside(refused):
    refused.data.check("sales")
    arrive(refused, sales(500, seed=2), note="tuesday.csv")
    assert sift(refused.parts, "sales", by="test").refused == ()
    refused.data.check("sales")
    assert states(refused) == {"open"}
    assert [each.status for each in refused.monitoring.alerts()] == ["open"]


def test_the_corrected_file_fixes_it_and_closes_the_alert(refused):
    arrive(refused, sales(500, seed=1), note="monday.csv")
    assert sift(refused.parts, "sales", by="test").taken == 1
    assert states(refused) == {"fixed"}
    assert [each.status for each in refused.monitoring.alerts()] == ["closed"]


def test_another_version_of_the_whole_content_fixes_what_was_wrong_with_the_last(shop):
    shop.data.commit_table("sales", sales(3_000, seed=4, factor=1000))
    sift(shop.parts, "sales", by="test")
    assert states(shop) == {"open"}
    shop.data.commit_table("sales", sales(3_000, seed=4))
    sift(shop.parts, "sales", by="test")
    assert states(shop) == {"fixed"}


def test_a_change_of_the_schema_that_does_not_accept_the_file_leaves_it_open(refused):
    refused.schemas.set_constraints("sales", ["shop.domain=[n,s,w]"], why="a new shop")
    assert states(refused) == {"open"}


def test_accepting_every_patch_accepts_the_file_alone_and_it_may_come_again(refused):
    for item in refused.data.anomalies("sales", state="open"):
        if refused.data.anomaly(item.id).state == "open":
            assert refused.data.accept_anomaly(item.id, why="new currency").state == "accepted"
    assert states(refused) == {"accepted"}
    assert [each.status for each in refused.monitoring.alerts()] == ["closed"]
    arrive(refused, sales(500, seed=1, factor=1000), note="monday.csv")
    assert sift(refused.parts, "sales", by="test").refused == ()


def test_a_file_is_given_up_with_a_reason_and_stays_set_aside(refused):
    for item in refused.data.anomalies("sales", state="open"):
        closed = refused.batches.dismiss(item.id, why="sent twice", by="ann")
        assert (closed.state, closed.by, closed.why) == ("dismissed", "ann", "sent twice")
        assert [each.name for each in closed.files] == ["monday.csv"]
    assert [(each.status, each.why) for each in refused.monitoring.alerts()] == [
        ("closed", "sent twice")
    ]
    assert refused.data.snapshot(f"sales@{SET_ASIDE}").rows == 500
