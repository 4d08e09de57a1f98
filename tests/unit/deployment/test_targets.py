from __future__ import annotations

import pytest

from tondo.core.errors import DefinitionError
from tondo.scoring.plan import PlannedVariant, Target
from tondo.stages.deployment.targets import (
    DefinedTarget,
    check_targets,
    define_target,
    parse_target,
    show_target,
)

COLUMNS = {
    "carrier": "string",
    "distance": "double",
    "rush": "bool",
    "tail": "id",
    "at": "timestamp",
}
VARIANTS = [
    PlannedVariant(name="v3", weight=0.9, model="late", version=3, model_version_id="x3",
                   package="0", tags=["live"]),
    PlannedVariant(name="v4", weight=0.1, model="late", version=4, model_version_id="x4",
                   package="0"),
]  # fmt: skip


def read(text):
    return parse_target(text, VARIANTS, columns=COLUMNS)


@pytest.mark.parametrize(
    ("text", "column", "values", "variant"),
    [
        ("carrier=AA,UA:v4", "carrier", ["AA", "UA"], "v4"),
        ("distance=100,250.5:4", "distance", [100.0, 250.5], "v4"),
        ("rush=true:live", "rush", [True], "v3"),
        ("tail=7:x3", "tail", [7], "v3"),
        ("key=ann,bob:v4", None, ["ann", "bob"], "v4"),
        ("carrier=A=B:v4", "carrier", ["A=B"], "v4"),
    ],
)
def test_a_target_is_read_with_the_types_of_the_request(text, column, values, variant):
    assert read(text) == Target(column=column, values=values, variant=variant)


@pytest.mark.parametrize(
    "text",
    ["", "carrier", "carrier=AA", "=AA:v4", "carrier=:v4", "carier=AA:v4", "at=2013:v4",
     "tail=x:v4", "rush=perhaps:v4", "carrier=AA:v9", "carrier=AA:"],
)  # fmt: skip
def test_what_fits_no_column_or_no_variant_is_refused(text):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-009"):
        read(text)


def test_a_target_that_leads_nowhere_is_refused():
    with pytest.raises(DefinitionError, match="TD-DEPLOY-009"):
        check_targets([Target(values=["ann"], variant="v9")], VARIANTS)


@pytest.mark.parametrize("text", ["carrier=AA,UA:v4", "rush=true:v4", "tail=7:v3", "key=ann:v4"])
def test_a_target_is_shown_as_it_is_read(text):
    assert show_target(read(text), VARIANTS) == text


def test_a_defined_value_must_be_of_its_columns_type():
    with pytest.raises(DefinitionError, match="TD-DEPLOY-009: a.yaml:3 asks 'tail' for 7"):
        defined = DefinedTarget(column="tail", values=["7"], version=4)
        define_target(defined, "v4", columns=COLUMNS, where="a.yaml:3")
