"""A model that loops for ever on rows that ask it to: its first feature is above a million."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import scored
from tondo.language.tree import Column
from tondo.scoring.package import PackageContents, Sample, seal

INPUTS = {"x": "double"}
CALM, LOOPING = {"x": 0.5}, {"x": 2e6}


def graph():
    """While x is above a million: count."""
    count_in = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    again_in = helper.make_tensor_value_info("again_in", TensorProto.BOOL, [])
    sum_in = helper.make_tensor_value_info("sum_in", TensorProto.DOUBLE, [1, 1])
    again_out = helper.make_tensor_value_info("again_out", TensorProto.BOOL, [])
    sum_out = helper.make_tensor_value_info("sum_out", TensorProto.DOUBLE, [1, 1])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again_in"], ["again_out"]),
            helper.make_node("Add", ["sum_in", "one"], ["sum_out"]),
        ],
        "body",
        [count_in, again_in, sum_in],
        [again_out, sum_out],
        [numpy_helper.from_array(np.array([[1e-300]]), "one")],
    )
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Greater", ["largest", "limit"], ["again"]),
        helper.make_node("Loop", ["trips", "again", "zero"], ["counted"], body=body),
        helper.make_node("Add", ["x", "counted"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["score"]),
    ]
    made = helper.make_graph(
        nodes,
        "looping",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 1])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, [None, 1])],
        [
            numpy_helper.from_array(np.array(1e6), "limit"),
            numpy_helper.from_array(np.array(2**62), "trips"),
            numpy_helper.from_array(np.array([[0.0]]), "zero"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


def package(name="looping"):
    files = {"model.onnx": graph()}
    score = scored.LOADERS["onnx"].load(files, {}).predict_row([CALM["x"]])
    return seal(
        PackageContents(
            name=name,
            task="binary",
            algorithm="loop",
            runtime="onnx",
            inputs=INPUTS,
            features={"x": Column("x", "double")},
            files=files,
            samples=[Sample(row=CALM, vector=[CALM["x"]], score=score)],
        )
    )
