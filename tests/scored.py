"""Small sealed packages for tests of scoring; put beside the tests, imported by their conftest."""

import functools
import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_vector
from tondo.scoring.package import PackageContents, Sample, seal

INPUTS = {
    "carrier": "string",
    "distance": "double",
    "rush": "bool",
    "scheduled_at": "timestamp",
    "tail": "id",
}
TEXTS = {
    "far": "distance / 1000",
    "hour": "hour(scheduled_at, 'UTC')",
    "aa": "case when carrier = 'AA' then 1 else 0 end",
    "rush": "rush",
}
ROW = {
    "carrier": "AA",
    "distance": 1400.0,
    "rush": True,
    "scheduled_at": 1_364_810_400_000_000,
    "tail": 7,
}
LOADERS = {"onnx": OnnxLoader(), "lightgbm": LightGBMLoader()}


def trees_of(texts, inputs):
    return {name: check(parse(text), inputs) for name, text in texts.items()}


def logistic_graph(weights, bias=0.0):
    """A float64 graph: missing to zero, linear, sigmoid."""
    width = len(weights)
    weight = numpy_helper.from_array(np.array(weights, dtype=np.float64).reshape(width, 1), "w")
    offset = numpy_helper.from_array(np.array([bias], dtype=np.float64), "b")
    zero = numpy_helper.from_array(np.array(0.0), "zero")
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "x"], ["filled"]),
        helper.make_node("MatMul", ["filled", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["linear"]),
        helper.make_node("Sigmoid", ["linear"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "logistic",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, width])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, [None, 1])],
        [weight, offset, zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


@functools.cache
def forest_text(features, trees=20, leaves=7, rows=2000, seed=1):
    """LightGBM model text on random data with missing values."""
    import lightgbm

    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, features))
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    label = (np.nan_to_num(matrix[:, 0]) + random.normal(size=rows) > 0).astype(float)
    parameters = {"objective": "binary", "num_leaves": leaves, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(matrix, label), trees)
    return booster.model_to_string().encode()


def contents(name="late", *, runtime="onnx", bias=0.0, samples=(ROW,), **changes):
    """Package contents with honest samples."""
    inputs = changes.pop("inputs", INPUTS)
    features = changes.pop("features", None) or trees_of(TEXTS, inputs)
    if runtime == "onnx":
        files = {"model.onnx": logistic_graph([0.1] * len(features), bias)}
    else:
        files = {"model.txt": changes.pop("text", None) or forest_text(len(features))}
    loaded = LOADERS[runtime].load(files, {})
    vectors = [compile_vector(features)(row) for row in samples]
    answered = [
        Sample(
            row=dict(row),
            vector=[None if math.isnan(each) else each for each in vector],
            score=loaded.predict_row(vector),
        )
        for row, vector in zip(samples, vectors, strict=True)
    ]
    return PackageContents(
        name=name,
        task="binary",
        algorithm="logistic" if runtime == "onnx" else "lightgbm",
        runtime=runtime,
        extra=None if runtime == "onnx" else "lightgbm",
        inputs=inputs,
        features=features,
        threshold=0.5,
        files=files,
        samples=answered,
        **changes,
    )


def package(name="late", **changes):
    return seal(contents(name, **changes))
