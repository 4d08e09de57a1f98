"""Trees of many shapes over numbers that turn splits: missing, fractions of categories, huge ones."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import scored
from tondo.adapters.exports.onnx.exporter import OnnxExporter
from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.ports.exporter import ModelToExport

HARD = [
    *(np.nan, -1.0, -0.5, 0.5, 2.7, 39.999, 40.0, 31.5, 32.0, -0.0, 1e-40),
    *(1e10, -1e10, 1e300, 2.0**31, 2.0**31 - 1),
]
SEEDS = range(9)


def made_matrix(random, rows, width):
    """Columns of whole numbers, of categories and of any numbers, in turn; some are missing."""
    matrix = random.normal(size=(rows, width))
    matrix[:, ::3] = np.round(matrix[:, ::3] * 5)
    matrix[:, 1::3] = random.integers(0, 40, matrix[:, 1::3].shape)
    matrix[random.random(matrix.shape) < 0.08] = np.nan
    return matrix


@pytest.mark.parametrize("seed", SEEDS)
def test_trees_of_any_shape_go_lightgbms_way(seed):
    random = np.random.default_rng(seed)
    names = [f"x{place}" for place in range(random.integers(1, 7))]
    matrix = made_matrix(random, int(random.integers(60, 1500)), len(names))
    if seed % 3 == 0:
        matrix = np.nan_to_num(matrix)  # nothing missing: the text then reads NaN as 0
    leaning = np.nan_to_num(matrix).sum(axis=1) + random.normal(size=len(matrix)) * 2
    parameters = {
        "trees": int(random.integers(1, 40)),
        "leaves": int(random.integers(2, 32)),
        "min_leaf_rows": int(random.integers(1, 20)),
        "categorical_smoothing": 1.0,
    }
    form = (
        LightGBMLibrary()
        .fit(
            "lightgbm",
            parameters,
            matrix,
            (leaning > np.median(leaning)).astype(float),
            names=names,
            categorical=names[1::3],
            seed=1,
            threads=1,
        )
        .forms[0]
    )
    features = {name: check(parse(name), dict.fromkeys(names, "double")) for name in names}
    graph = OnnxExporter().export(
        ModelToExport(
            name="m", features=features, runtime=form.runtime, files=form.files, threshold=0.5
        )
    )
    asked = made_matrix(random, 2000, len(names))
    hard = random.random(asked.shape) < 0.2
    asked[hard] = random.choice(HARD, hard.sum())
    rows = [dict(zip(names, row, strict=True)) for row in asked.tolist()]
    found = np.array([each.score for each in OnnxExporter().answers(graph, rows)])
    wanted = scored.LOADERS["lightgbm"].load(form.files, {}).predict_table(asked)
    assert np.abs(found - wanted).max() <= 1e-12
