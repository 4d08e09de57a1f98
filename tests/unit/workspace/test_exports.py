"""Exports of a project's versions: by verb, by command, over HTTP; only what was seen to agree."""

import base64
import json
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import scored
from shop import HABITS, TREES, bring_live, write_shop
from tondo.adapters.exports.onnx.exporter import OnnxExporter
from tondo.core.errors import DefinitionError, NotFoundError, PlatformError
from tondo.faces.cli.start import main
from tondo.scoring.model import load_model
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.exports import export_model, sample_rows


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("shop"), TREES)
    bring_live(folder)
    return folder


@pytest.fixture(scope="module")
def export(shop):
    with open_workspace(shop) as workspace:
        return workspace.registry.export("buys", "newest")


def test_samples_are_of_the_package_and_of_edges_with_the_packages_answers(export, shop):
    with open_workspace(shop) as workspace:
        version = workspace.registry.version("buys", "1")
        rows = [each.inputs for each in export.samples]
        answers = workspace.deployment.predict("buys", rows[0])
    assert export.package == version.package
    assert dict.fromkeys(rows[0]) in rows
    assert {"pages": -1e300, **{k: v for k, v in rows[0].items() if k != "pages"}} in rows
    assert export.samples[0].score == answers.predictions[0].score
    assert export.samples[0].decision == answers.predictions[0].decision


def test_the_command_writes_graph_samples_and_description(export, shop, tmp_path, capsys):
    path = tmp_path / "buys.onnx"
    main(["model", "export", "buys", "1", "--onnx", str(path), "--project", str(shop)])
    assert path.read_bytes() == export.graph
    told = json.loads((tmp_path / "buys.samples.json").read_text())
    assert len(told["samples"]) == len(export.samples)
    assert "| `device` | string | string | `device.null` |  |" in (tmp_path / "buys.md").read_text()
    assert capsys.readouterr().out.count("bytes") == 3


def test_the_commands_package_is_the_registered_one(shop, tmp_path):
    path = tmp_path / "buys.tondo"
    main(["model", "package", "buys", "1", "--out", str(path), "--project", str(shop)])
    with open_workspace(shop) as workspace:
        assert path.read_bytes() == workspace.registry.package("buys", "1")


@pytest.mark.parametrize("verb", [("export", "--onnx"), ("package", "--out")])
def test_where_nothing_can_be_written_is_told(verb, shop, tmp_path, capsys):
    name, option = verb
    for place in (tmp_path / "no" / "such" / "file", tmp_path):
        code = main(["model", name, "buys", "1", option, str(place), "--project", str(shop)])
        assert (code, capsys.readouterr().err.split(":")[0]) == (2, "TD-CLI-009")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_version_is_refused(shop):
    with open_workspace(shop) as workspace, pytest.raises(NotFoundError, match="TD-REGISTRY-"):
        workspace.registry.export("buys", "99")


def test_in_json_the_graph_is_base64(export):
    told = json.loads(msgspec.json.encode(export))
    assert base64.b64decode(told["graph"]) == export.graph
    assert "graph" not in repr(export)


def test_a_graph_that_answers_otherwise_is_not_handed_out():
    class Other(OnnxExporter):
        def answers(self, graph, rows):
            first, *rest = super().answers(graph, rows)
            return [msgspec.structs.replace(first, score=first.score + 0.1), *rest]

    model = load_model(scored.contents(), scored.LOADERS)
    with pytest.raises(PlatformError, match="TD-EXPORT-002.*the score"):
        export_model(model, Other(), version=1, package="")


def test_rows_that_the_language_leaves_open_are_no_samples():
    types = {"x": "double"}
    contents = scored.contents(
        inputs=types,
        features=scored.trees_of({"f": "floor(log10(x))"}, types),
        samples=({"x": 1000.0}, {"x": 20.0}),
    )
    assert {"x": 1000.0} not in sample_rows(contents, ["x"])
    assert {"x": 20.0} in sample_rows(contents, ["x"])


def test_whole_numbers_of_64_bits_are_text_in_samples():
    model = load_model(scored.contents(), scored.LOADERS)
    export = export_model(model, OnnxExporter(), version=1, package="")
    values = {each.inputs["scheduled_at"] for each in export.samples}
    assert {"1364810400000000", str(2**62), None} <= values


def test_a_model_of_view_features_names_them_as_inputs(tmp_path):
    spec = TREES.replace("buys_trees", "buys_habit").replace(
        "features: {pages: pages,", 'features: {habit: "@habits.visits_7d", pages: pages,'
    )
    folder = write_shop(tmp_path / "shop", HABITS, spec, rows=400)
    with open_workspace(folder) as workspace:
        workspace.data.commit_source("visits")
        workspace.features.sync_definitions(by="ana")
        workspace.registry.register(workspace.training.train("buys_habit").id)
        export = workspace.registry.export("buys_habit", "1")
    assert "@habits.visits_7d[customer]" in [each.name for each in export.inputs]


def test_what_hinders_is_told_by_name(tmp_path):
    spec = TREES.replace("vocab(device, 5)", "length(device)")
    folder = write_shop(tmp_path / "shop", spec, rows=400)
    with open_workspace(folder) as workspace:
        workspace.data.commit_source("visits")
        workspace.registry.register(workspace.training.train("buys_trees").id)
        with pytest.raises(DefinitionError, match="TD-EXPORT-001.*feature 'device': length"):
            workspace.registry.export("buys_trees", "1")
