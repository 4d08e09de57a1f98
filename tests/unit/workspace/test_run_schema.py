"""A run records the version of its source's schema and checks data against it later."""

import pytest

from shop import write_shop
from tondo.core.errors import ConflictError
from tondo.workspace.bootstrap import open_workspace


@pytest.fixture
def shop(tmp_path):
    with open_workspace(write_shop(tmp_path / "shop", rows=300)) as opened:
        opened.data.commit_source("visits")
        yield opened


def test_a_run_checks_newer_data_against_the_schema_it_was_trained_under(shop):
    shop.data.infer_schema("visits")
    run = shop.training.train("buys")
    (version,) = shop.schemas.log("visits")
    assert run.schema_version == version.id
    shop.schemas.set_constraints("visits", ["pages.max=1"])
    assert shop.training.check_data(run.id) == []
    assert [each.column for each in shop.data.check("visits")] == ["pages"]
    edges = shop.flow.lineage(run.id).edges
    assert version.id in {each.parent_id for each in edges if each.role == "schema"}


def test_a_run_from_before_there_was_a_schema_says_so(shop):
    run = shop.training.train("buys")
    with pytest.raises(ConflictError, match="TD-SCHEMA-046"):
        shop.training.check_data(run.id)
