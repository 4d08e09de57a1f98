from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.adapters.libraries.sklearn.train import SklearnLibrary
from tondo.core.errors import DefinitionError
from tondo.stages.training.parse import parse_spec
from tondo.stages.training.spec import ModelSpec, diff

PLAIN = {
    "model": "late",
    "source": "flights",
    "label": "arr_delay > 15",
    "time": "scored_at",
    "row_id": "flight",
    "features": {"distance": "distance"},
    "algorithm": "lightgbm",
    "gate": {"thresholds": {"auc": {"min": 0.65}}, "change": {"metric": "auc", "margin": 0.005}},
}


def parse(**changes):
    return parse_spec({**PLAIN, **changes}, file="models.yaml")


def test_a_spec_is_read_from_plain_data():
    spec = parse(split={"validation": "14d"}, slices=["origin"])
    assert spec.gate.thresholds["auc"].min == 0.65
    assert spec.split.validation == "14d"
    assert spec.slices == ("origin",)


def test_a_spec_reads_back_from_what_it_writes():
    spec = parse()
    assert msgspec.convert(msgspec.to_builtins(spec), ModelSpec) == spec


def test_equal_specs_have_one_id_and_a_change_has_another():
    assert parse().id == parse().id
    assert parse().id != parse(seed=8).id


def test_a_diff_names_the_path_and_both_values():
    found = diff(parse(), parse(gate={"thresholds": {"auc": {"min": 0.7}}}, seed=8))
    changed = {each.path: (each.before, each.after) for each in found}
    assert changed["seed"] == (7, 8)
    assert changed["gate.thresholds.auc.min"] == (0.65, 0.7)
    assert changed["gate.change.margin"] == (0.005, None)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("changes", "key", "hint"),
    [
        ({"algorithmus": "x"}, "algorithmus", "algorithm"),
        ({"gate": {"treshold": {}}}, "gate.treshold", "thresholds"),
        ({"gate": {"thresholds": {"auc": {"minn": 1}}}}, "gate.thresholds.auc.minn", "min"),
        ({"split": {"validaton": "3d"}}, "split.validaton", "validation"),
        ({"gate": {"change": {"metrik": "auc"}}}, "gate.change.metrik", "metric"),
    ],
)
def test_an_unknown_key_is_named_with_file_and_near_names(changes, key, hint):
    with pytest.raises(DefinitionError) as caught:
        parse(**changes)
    assert str(caught.value).startswith(f"TD-SPEC-001: models.yaml: unknown key '{key}'")
    assert f"'{hint}'" in caught.value.fix


def test_a_missing_key_is_named():
    with pytest.raises(DefinitionError, match=r"TD-SPEC-002: models.yaml: .*`algorithm`"):
        parse_spec({k: v for k, v in PLAIN.items() if k != "algorithm"}, file="models.yaml")


def test_a_wrong_type_is_named_with_its_place():
    with pytest.raises(DefinitionError, match=r"TD-SPEC-002.*\$.seed"):
        parse(seed="seven")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"model": "../late"}, "model"),
        ({"features": {}}, "features"),
        ({"categorical": ["carier"]}, "categorical"),
        ({"threshold": 1.5}, "threshold"),
        ({"split": {"validation": "14 moons"}}, "split.validation"),
        ({"split": {"validation": 1.5}}, "split.validation"),
        ({"split": {"test": 0}}, "split.test"),
        ({"split": {"validation": 0.5, "test": 0.5}}, "split.test"),
        ({"split": {"by": "random", "validation": "14d"}}, "split.validation"),
        ({"split": {"by": "group"}}, "split.column"),
        ({"split": {"by": "random", "column": "origin"}}, "split.column"),
        ({"split": {"by": "column", "column": "part", "test": 0.1}}, "split.test"),
        ({"gate": {"thresholds": {"auc": {}}}}, "gate.thresholds.auc"),
        ({"gate": {"change": {"metric": "auc"}}}, "gate.change"),
        ({"gate": {"change": {"margin": -1.0}}}, "gate.change.margin"),
    ],
)
def test_values_that_contradict_each_other_are_named(changes, key):
    with pytest.raises(DefinitionError) as caught:
        parse(**changes)
    assert caught.value.code == "TD-SPEC-003"
    assert caught.value.fields["key"] == key


PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "model-spec.md").read_text()


@pytest.mark.parametrize("name", ModelSpec.__struct_fields__)
def test_the_page_lists_every_key(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("library", [LightGBMLibrary(), SklearnLibrary()])
def test_the_page_lists_every_hyperparameter(library):
    for name in library.default_parameters(library.algorithms[0]):
        assert f"`{name}`" in PAGE


def test_something_else_than_keys_is_refused():
    with pytest.raises(DefinitionError, match="TD-SPEC-002"):
        parse_spec(["model"], file="models.yaml")
