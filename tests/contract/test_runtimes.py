"""Every runtime gives the same bits for a row and for a table, and refuses what is damaged."""

import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from tondo.adapters.runtimes.lightgbm import library
from tondo.adapters.runtimes.lightgbm.text import check_text
from tondo.core.errors import DataError, MissingExtraError, PlatformError, TondoError

FEATURES = 9


def files_of(name):
    if name == "onnx":
        return {"model.onnx": scored.logistic_graph(np.linspace(-1, 1, FEATURES), 0.3)}
    return {"model.txt": scored.forest_text(FEATURES)}


@pytest.fixture(params=sorted(scored.LOADERS))
def name(request):
    return request.param


@pytest.fixture
def runtime(name):
    return scored.LOADERS[name].load(files_of(name), {})


def matrix(rows):
    made = np.random.default_rng(5).normal(size=(rows, FEATURES)) * 3
    made[np.random.default_rng(6).random(made.shape) < 0.1] = np.nan
    return made


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 24, 25, 64, 300, 1001])
def test_a_table_is_bit_equal_to_its_rows(runtime, rows):
    table = matrix(rows)
    alone = [runtime.predict_row(row) for row in table.tolist()]
    assert struct.pack(f"{rows}d", *runtime.predict_table(table)) == struct.pack(f"{rows}d", *alone)


def test_a_table_in_another_layout_gives_the_same(runtime):
    table = matrix(50)
    across = np.asfortranarray(table)
    assert (runtime.predict_table(across) == runtime.predict_table(table)).all()


def test_no_rows_give_no_scores(runtime):
    assert runtime.predict_table(np.empty((0, FEATURES))).shape == (0,)


def test_scores_are_probabilities(runtime):
    scores = runtime.predict_table(matrix(500))
    assert ((scores > 0) & (scores < 1)).all()


def test_a_closed_model_refuses(runtime):
    runtime.close()
    runtime.close()
    with pytest.raises(TondoError, match="TD-RUNTIME-004"):
        runtime.predict_row([0.0] * FEATURES)
    with pytest.raises(TondoError, match="TD-RUNTIME-004"):
        runtime.predict_table(matrix(2))


def test_more_than_one_file_is_refused(name):
    with pytest.raises(DataError, match="TD-RUNTIME-00[12]"):
        scored.LOADERS[name].load({"a": b"", "b": b""}, {})


def test_garbage_is_refused(name):
    with pytest.raises(DataError, match="TD-RUNTIME-00[12]"):
        scored.LOADERS[name].load({"model": b"garbage"}, {})


def test_the_onnx_runtime_is_the_formula():
    weights = np.linspace(-1, 1, FEATURES)
    table = np.nan_to_num(matrix(20))
    runtime = scored.LOADERS["onnx"].load(files_of("onnx"), {})
    expected = 1 / (1 + np.exp(-(table @ weights + 0.3)))
    assert np.allclose(runtime.predict_table(table), expected, rtol=0, atol=1e-15)


def test_the_lightgbm_runtime_is_the_library():
    import lightgbm

    booster = lightgbm.Booster(model_str=scored.forest_text(FEATURES).decode())
    table = matrix(500)
    runtime = scored.LOADERS["lightgbm"].load(files_of("lightgbm"), {})
    assert (runtime.predict_table(table) == booster.predict(table)).all()


def test_categories_are_served_as_trained():
    import lightgbm

    random_ = np.random.default_rng(3)
    table = np.column_stack(
        [random_.integers(0, 40, 2000).astype(float), random_.normal(size=2000)]
    )
    label = ((table[:, 0] % 7 < 3) ^ (random_.random(2000) < 0.1)).astype(float)
    data = lightgbm.Dataset(table, label, categorical_feature=[0])
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, data, 10)
    text = booster.model_to_string().encode()
    assert b"cat_threshold" in text
    runtime = scored.LOADERS["lightgbm"].load({"model.txt": text}, {})
    assert (runtime.predict_table(table) == booster.predict(table)).all()


def test_using_lightgbm_models_never_imports_its_python_package():
    code = (
        "import sys\n"
        "from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader\n"
        "data = sys.stdin.buffer.read()\n"
        "runtime = LightGBMLoader().load({'model.txt': data}, {})\n"
        "print(runtime.predict_row([0.5] * 9), [m for m in ('lightgbm', 'scipy', 'sklearn') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=files_of("lightgbm")["model.txt"],
        capture_output=True,
        check=True,
    )
    assert done.stdout.split()[1] == b"[]"


def test_text_changed_at_random_is_refused_or_answers_but_never_crashes():
    text = scored.forest_text(FEATURES, trees=3)
    random.seed(11)
    answered = 0
    for _ in range(300):
        changed = bytearray(text)
        changed[random.randrange(len(text))] = random.choice(b"0123456789 -=\n.ex")
        try:
            runtime = scored.LOADERS["lightgbm"].load({"model.txt": bytes(changed)}, {})
        except DataError as error:
            assert error.code == "TD-RUNTIME-001"
        else:
            answered += 1
            runtime.predict_table(matrix(20))
    assert answered > 0


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"left_child=", b"99999999"),
        (b"split_feature=", b"5000"),
        (b"num_leaves=", b"2000000000"),
        (b"leaf_value=", b"nan"),
        (b"num_cat=", b"7"),
        (b"tree_sizes=", b"9"),
        (b"max_feature_idx=", b"-5"),
        (b"is_linear=", b"1"),
    ],
)
def test_text_that_would_lead_c_astray_is_refused(line, value):
    text = scored.forest_text(FEATURES)
    at = text.index(b"\n" + line) + 1 + len(line)
    end = min(text.index(b"\n", at), text.find(b" ", at) % len(text))
    with pytest.raises(DataError, match="TD-RUNTIME-001"):
        check_text(text[:at] + value + text[end:])


def test_a_graph_that_points_outside_is_refused():
    graph = scored.logistic_graph([1.0]).replace(b"logistic", b"\x0a\x08location"[:8])
    with pytest.raises(DataError, match="TD-RUNTIME-002"):
        scored.LOADERS["onnx"].load({"model.onnx": graph + b"\x0a\x08location"}, {})


def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setattr(library.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"tondo\[lightgbm\]"):
        library.find_library()


def test_a_missing_openmp_says_what_to_install(monkeypatch, tmp_path):
    broken = tmp_path / "lib_lightgbm.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(library, "find_library", lambda: broken)
    with pytest.raises(PlatformError, match="TD-RUNTIME-003.*apt-get install libgomp1"):
        library.load_library.__wrapped__()
