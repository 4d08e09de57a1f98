"""Features and model in one graph against the scoring path's own answers, over 10,000 rows."""

import math
import sys
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import scored
from tondo.adapters.exports.onnx.exporter import OnnxExporter
from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.adapters.libraries.sklearn.train import SklearnLibrary
from tondo.core.errors import DefinitionError, OutsideError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_vector
from tondo.ports.exporter import ModelToExport

TYPES = {
    "distance": "double",
    "minutes": "double",
    "at": "timestamp",
    "carrier": "string",
    "tail": "id",
    "night": "bool",
}
TEXTS = {
    "speed": "distance / nullif(minutes, 0) * 60",
    "far": "ln(distance + 1) * 0.1",
    "filled": "coalesce(minutes, 90) - 12.25",
    "hour": "hour(at, 'America/New_York')",
    "dow": "day_of_week(at, 'America/New_York')",
    "night": "night and minutes > 60",
    "who": "position_in(carrier, 'AA', 'UA', 'DL', 'B6')",
    "rate": "lookup(carrier, ['AA', 'UA'], [0.25, 0.5], 0.1)",
    "known": "tail in (7, 9007199254740993)",
}
CARRIERS = ["AA", "UA", "DL", "B6", "", "zz", None]
ROWS = 10_000


@cache
def made_rows(count=ROWS, seed=3):
    random = np.random.default_rng(seed)

    def some(value):
        return None if random.random() < 0.1 else value

    return [
        {
            "distance": some(float(random.choice([0.0, 1400.0, random.uniform(-50, 3000)]))),
            "minutes": some(float(np.round(random.uniform(0, 400), 1))),
            "at": some(int(random.integers(1_356_998_400, 1_388_534_400)) * 1_000_000),
            "carrier": CARRIERS[random.integers(len(CARRIERS))],
            "tail": some(int(random.choice([7, 8, 2**53, 2**53 + 1]))),
            "night": some(bool(random.random() < 0.4)),
        }
        for _ in range(count)
    ]


def trees():
    return {name: check(parse(text), TYPES) for name, text in TEXTS.items()}


def form_of(library, algorithm, categorical, **parameters):
    """Fit on rows whose label leans on the features; return the served form."""
    vector = compile_vector(trees())
    matrix = np.array([vector(row) for row in made_rows(3000, seed=4)])
    random = np.random.default_rng(5)
    leaning = np.nan_to_num(matrix[:, 0]) / 400 + np.nan_to_num(matrix[:, 6]) / 3 - 1
    label = (random.random(len(matrix)) < 1 / (1 + np.exp(-leaning))).astype(float)
    fitted = library.fit(
        algorithm,
        parameters,
        matrix,
        label,
        names=list(TEXTS),
        categorical=categorical,
        seed=7,
        threads=1,
    )
    return fitted.forms[0]


FORMS = {
    "trees": cache(lambda: form_of(LightGBMLibrary(), "lightgbm", [], trees=120, leaves=31)),
    "trees with categories": lambda: form_of(
        LightGBMLibrary(), "lightgbm", ["who", "hour"], trees=60, categorical_smoothing=1.0,
        min_leaf_rows=5,
    ),
    "logistic": cache(lambda: form_of(SklearnLibrary(), "logistic", [])),
    "logistic with categories": lambda: form_of(SklearnLibrary(), "logistic", ["who", "dow"]),
}  # fmt: skip


def exported(form, *, features=None, threshold=0.4):
    return OnnxExporter().export(
        ModelToExport(
            name="late",
            features=features or trees(),
            runtime=form.runtime,
            files=form.files,
            threshold=threshold,
        )
    )


@pytest.mark.parametrize("name", FORMS)
def test_ten_thousand_rows_are_scored_and_decided_alike(name):
    form, rows = FORMS[name](), made_rows()
    runtime = scored.LOADERS[form.runtime].load(form.files, form.options)
    vector = compile_vector(trees())
    matrix = np.array([vector(row) for row in rows])
    scores = runtime.predict_table(matrix)
    found = OnnxExporter().answers(exported(form), rows)
    assert np.abs(np.array([each.score for each in found]) - scores).max() <= 1e-6
    assert [each.decision for each in found] == (scores >= 0.4).tolist()
    features = np.array(
        [[math.nan if value is None else value for value in each.features] for each in found]
    )
    np.testing.assert_allclose(features, matrix, rtol=1e-12, atol=0)


def test_thresholds_themselves_go_the_same_way():
    form = FORMS["trees"]()
    (text,) = form.files.values()
    lines = [each for each in text.decode().split("\n") if each.startswith("threshold=")]
    splits = {float(each) for line in lines for each in line[10:].split()}
    around = [
        near
        for each in splits
        for near in (math.nextafter(each, -math.inf), each, math.nextafter(each, math.inf))
    ]
    rows = [{"minutes": each, "distance": 1000.0} for each in around]
    features = {"minutes": check(parse("minutes"), TYPES)}
    names = list(TEXTS)
    features = {
        name: features["minutes"] if name == "filled" else check(parse("distance"), TYPES)
        for name in names
    }
    runtime = scored.LOADERS["lightgbm"].load(form.files, {})
    vector = compile_vector(features)
    found = OnnxExporter().answers(exported(form, features=features), rows)
    for row, answer in zip(rows, found, strict=True):
        assert abs(answer.score - runtime.predict_row(vector(row))) <= 1e-12


def test_a_graph_that_the_installed_onnxruntime_cannot_run_is_told():
    graph = exported(FORMS["logistic"]())
    damaged = msgspec.structs.replace(graph, data=graph.data[:-200])
    with pytest.raises(OutsideError, match="TD-EXPORT-003: onnxruntime .* cannot run the graph"):
        OnnxExporter().answers(damaged, made_rows(2))


def test_nothing_is_in_a_graph_that_leads_to_no_answer():
    import onnx

    graph = onnx.load_model_from_string(exported(FORMS["trees"]()).data).graph
    read = {name for node in graph.node for name in node.input}
    assert {each.name for each in graph.initializer} <= read
    assert {name for node in graph.node for name in node.output} - read == {
        each.name for each in graph.output
    }


def test_equal_models_have_equal_bytes():
    form = FORMS["logistic"]()
    assert exported(form).data == exported(form).data


EDGES = {
    "a sign of zero": ("atan2(round(distance), -1)", [{"distance": each} for each in (-0.3, 0.3, -0.0)]),
    "a constant": ("coalesce(null, 2.5)", [{"distance": 1.0}, {"distance": 2.0}]),
    "many keys": ("position_in(distance, KEYS)", [{"distance": each} for each in (-0.0, 7.0, 0.5, None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_features_at_an_edge_are_the_rows_own(name):
    text, rows = EDGES[name]
    text = text.replace("KEYS", ", ".join(str(each / 2) for each in range(2000)))
    features = {**trees(), "speed": check(parse(text), TYPES)}
    graph = exported(FORMS["logistic"](), features=features)
    wanted = [repr(compile_vector(features)(row)[0]) for row in rows]
    found = [each.features[0] for each in OnnxExporter().answers(graph, rows)]
    assert ["nan" if each is None else repr(each) for each in found] == wanted


def test_no_rows_have_no_answers():
    assert OnnxExporter().answers(exported(FORMS["trees"]()), []) == []


def test_view_features_are_inputs_under_their_names():
    form = FORMS["logistic"]()
    name = "@weather.wind[origin]"
    features = {**trees(), "speed": check(parse(f'"{name}" * 2'), {name: "double"})}
    graph = exported(form, features=features)
    assert name in [each.name for each in graph.inputs]
    rows = [{**row, name: 12.5} for row in made_rows(3)]
    assert [each.features[0] for each in OnnxExporter().answers(graph, rows)] == [25.0] * 3


def test_everything_that_hinders_is_told_at_once():
    texts = {"who": "upper(carrier)", "odd": "length(carrier) + hash_bucket(carrier, 8)", **TEXTS}
    features = {name: check(parse(text), TYPES) for name, text in texts.items()}
    features["who"] = check(parse("length(upper(carrier))"), TYPES)
    with pytest.raises(DefinitionError, match="TD-EXPORT-001") as refused:
        exported(msgspec.structs.replace(FORMS["logistic"](), runtime="torch"), features=features)
    reasons = refused.value.fields["reasons"]
    assert len(reasons) == 5
    assert reasons[0].startswith("feature 'who': upper")
    assert reasons[-1] == "the model: the runtime 'torch' has no form in ONNX"


def test_a_feature_that_is_no_number_is_refused():
    features = {"who": check(parse("carrier"), TYPES), "when": check(parse("at"), TYPES)}
    with pytest.raises(DefinitionError, match="TD-EXPORT-001") as refused:
        exported(FORMS["logistic"](), features=features)
    assert [each.partition(",")[0] for each in refused.value.fields["reasons"]] == [
        "feature 'who': it is of type string",
        "feature 'when': it is of type timestamp",
    ]


def test_a_model_that_reads_no_column_is_refused():
    with pytest.raises(DefinitionError, match="no feature reads a column"):
        exported(FORMS["logistic"](), features={"one": check(parse("1.0"), TYPES)})


@pytest.mark.parametrize(
    "name", ["score", "decision", "features", "add_3", "model.score", "concat_9"]
)
@pytest.mark.parametrize("form", ["logistic", "trees"])
def test_columns_may_have_any_name_of_the_graphs_own(name, form):
    types = {**TYPES, name: "double"}
    features = {**trees(), "speed": check(parse(f'"{name}" + 1'), types)}
    graph = exported(FORMS[form](), features=features)
    names = [each.name for each in graph.outputs]
    assert name not in names
    assert [each.role for each in graph.outputs] == ["score", "decision", "features"]
    rows = [{**row, name: 2.5} for row in made_rows(2)]
    assert [each.features[0] for each in OnnxExporter().answers(graph, rows)] == [3.5, 3.5]


def test_a_column_with_the_name_of_an_input_is_refused():
    types = {"a": "bool", "a.null": "double"}
    features = {"a": check(parse("a"), types), "n": check(parse('"a.null"'), types)}
    with pytest.raises(DefinitionError, match=r"column 'a\.null'"):
        exported(FORMS["logistic"](), features=features)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"objective=binary sigmoid:1", b"objective=poisson", "objective 'poisson'"),
        (b"objective=binary sigmoid:1", b"objective=binary sigmoid:1\naverage_output", "averages"),
    ],
)
def test_models_of_other_kinds_are_refused_by_name(old, new, why):
    form = FORMS["trees"]()
    (data,) = form.files.values()
    changed = msgspec.structs.replace(form, files={"model.txt": data.replace(old, new)})
    with pytest.raises(DefinitionError, match=why):
        exported(changed)
