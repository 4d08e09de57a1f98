"""Every model library: found in adapters/libraries, held to one contract."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import tondo.adapters.libraries
import tondo.adapters.runtimes


def _found(package, module, has):
    for folder in pkgutil.iter_modules(package.__path__):
        if not folder.ispkg:
            continue
        loaded = importlib.import_module(f"{package.__name__}.{folder.name}.{module}")
        for _, each in inspect.getmembers(loaded, inspect.isclass):
            if each.__module__ == loaded.__name__ and hasattr(each, has):
                yield folder.name, each()


LIBRARIES = dict(_found(tondo.adapters.libraries, "train", "algorithms"))
RUNTIMES = {each.name: each for _, each in _found(tondo.adapters.runtimes, "runtime", "load")}
ALGORITHMS = [(folder, name) for folder, each in LIBRARIES.items() for name in each.algorithms]
NAMES = ["wind", "kind", "night", "flat", "empty"]
EVERY = pytest.mark.parametrize(("folder", "algorithm"), ALGORITHMS)


def rows(count=1500, seed=4):
    draw = np.random.default_rng(seed)
    wind, kind, night = (
        draw.normal(8, 4, count),
        draw.integers(0, 5, count),
        draw.random(count) < 0.4,
    )
    signal = 0.3 * (wind - 8) + np.array([0.0, 2.0, -1.0, 0.5, 1.0])[kind] - 1
    label = (draw.random(count) < 1 / (1 + np.exp(-signal))).astype(float)
    wind[draw.random(count) < 0.1] = np.nan
    columns = [wind, kind, night, np.full(count, 3.0), np.full(count, np.nan)]
    return np.asfortranarray(np.column_stack(columns).astype(float)), label


def fit(folder, algorithm, threads=1, seed=7, categorical=("kind",), **parameters):
    matrix, label = rows()
    return LIBRARIES[folder].fit(
        algorithm,
        parameters,
        matrix,
        label,
        names=NAMES,
        categorical=categorical,
        seed=seed,
        threads=threads,
    )


def test_there_are_libraries_and_runtimes():
    assert {"sklearn", "lightgbm"} <= LIBRARIES.keys()
    assert {"onnx", "lightgbm"} <= RUNTIMES.keys()


@EVERY
def test_a_model_learns_something(folder, algorithm):
    _, label = rows()
    matrix, _ = rows()
    loss = np.mean((fit(folder, algorithm).reference(matrix) - label) ** 2)
    assert loss < 0.85 * label.var()


@EVERY
@pytest.mark.parametrize("categorical", [(), ("kind",), tuple(NAMES)])
def test_every_form_gives_the_librarys_own_answers(folder, algorithm, categorical):
    fitted = fit(folder, algorithm, categorical=categorical)
    matrix, _ = rows(10_000, seed=9)
    matrix[:50, 1] = 99.0  # a category never seen
    expected = fitted.reference(matrix)
    for form in fitted.forms:
        found = RUNTIMES[form.runtime].load(form.files, form.options).predict_table(matrix)
        assert np.abs(found - expected).max() <= 1e-6
        assert ((found >= 0.5) == (expected >= 0.5)).all()


@EVERY
def test_a_row_alone_and_in_a_table_have_equal_bits(folder, algorithm):
    fitted = fit(folder, algorithm)
    matrix, _ = rows(700, seed=2)
    for form in fitted.forms:
        runtime = RUNTIMES[form.runtime].load(form.files, form.options)
        alone = [runtime.predict_row(row) for row in matrix.tolist()]
        assert alone == runtime.predict_table(matrix).tolist()


@EVERY
def test_the_same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads(folder, algorithm):
    first, second = (fit(folder, algorithm, threads=threads) for threads in (1, 2))
    assert [form.files for form in first.forms] == [form.files for form in second.forms]


@EVERY
def test_every_feature_has_an_importance_and_noise_has_little(folder, algorithm):
    importance = fit(folder, algorithm).importance
    assert set(importance) == set(NAMES)
    assert importance["flat"] == importance["empty"] == 0.0
    assert importance["kind"] > importance["night"]


@EVERY
def test_every_default_may_be_given(folder, algorithm):
    defaults = LIBRARIES[folder].default_parameters(algorithm)
    given, plain = fit(folder, algorithm, **defaults), fit(folder, algorithm)
    assert [form.files for form in given.forms] == [form.files for form in plain.forms]


@EVERY
def test_the_notes_are_plain_json(folder, algorithm):
    from tondo.core.canonical import canonical_json

    fitted = fit(folder, algorithm)
    assert canonical_json(fitted.notes)
    assert canonical_json([form.options for form in fitted.forms])


@EVERY
def test_using_one_library_loads_no_other(folder, algorithm):
    # LightGBM's own package imports scikit-learn where it is installed; that is not ours to stop.
    others = {"lightgbm": ["onnx"], "sklearn": ["lightgbm"]}[folder]
    kind = type(LIBRARIES[folder])
    code = (
        "import sys, numpy as np\n"
        f"from {kind.__module__} import {kind.__name__} as Library\n"
        "assert not any(name in sys.modules for name in ('sklearn', 'lightgbm', 'onnx'))\n"
        f"Library().fit({algorithm!r}, {{}}, np.arange(80.0).reshape(-1, 1), "
        "np.arange(80) % 2.0, names=['x'], categorical=[], seed=1, threads=1)\n"
        f"print([name for name in {others!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_logistic_graph_runs_on_the_oldest_onnxruntime_we_promise():
    import onnx

    form = fit("sklearn", "logistic").forms[0]
    graph = onnx.load_from_string(form.files["model.onnx"])
    assert graph.ir_version <= 8
    assert [each.version for each in graph.opset_import] == [17]


@pytest.mark.parametrize("width", [1, 2, 7, 33, 200])
def test_the_logistic_graph_has_equal_bits_for_any_width_and_number_of_rows(width):
    import onnxruntime

    draw = np.random.default_rng(width)
    matrix, label = draw.normal(size=(400, width)), (draw.random(400) < 0.4).astype(float)
    fitted = LIBRARIES["sklearn"].fit(
        "logistic", {}, matrix, label,
        names=[f"f{at}" for at in range(width)], categorical=[], seed=1, threads=1,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(fitted.forms[0].files["model.onnx"])
    whole = session.run(None, {"features": matrix})[0][:, 0]
    for size in (1, 3, 64):
        parts = [
            session.run(None, {"features": matrix[at : at + size]})[0][:, 0]
            for at in range(0, 400, size)
        ]
        assert np.concatenate(parts).tolist() == whole.tolist()


def test_a_logistic_regression_that_does_not_converge_says_so():
    assert fit("sklearn", "logistic", max_iterations=1).notes["converged"] is False
