"""Expressions answered by onnxruntime: the exporter's lowerings as an engine to be judged."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow as pa
from onnx import helper

from tondo.adapters.engines.arrow_types import arrow_type
from tondo.adapters.exports.onnx.forms import KINDS, NULL_SUFFIX, is_null
from tondo.adapters.exports.onnx.graph import model_of
from tondo.adapters.exports.onnx.lowerer import Lowerer, folded
from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.reference import OWN_SINES
from tondo.adapters.exports.onnx.writer import TENSORS, GraphWriter
from tondo.core.columns import item_type
from tondo.language.tree import Call, nodes_of
from tondo.language.values import READERS, finite
from tondo.language.walk import expand_fitted

EMPTY = {"float64": np.nan, "int64": 0, "bool": False, "string": ""}
WHOLE = {"timestamp": pa.int64(), "date": pa.int32()}


def refusals(node):
    """Return why a tree cannot be exported, nothing where it can."""
    lowerer = Lowerer(GraphWriter(), LOWERINGS)
    lowerer.form(folded(expand_fitted(node)))
    return list(lowerer.reasons)


def exportable(node):
    return item_type(node.type) is None and not refusals(node)


def judged(node):
    """Return whether a tree is exported and promised to answer as the language decides.

    onnxruntime's own sine is promised less: `tests/unit/exports/test_lowering.py` holds that.
    """
    functions = {each.function for each in nodes_of(node) if isinstance(each, Call)}
    return functions.isdisjoint(OWN_SINES) and exportable(node)


def feeds(columns, rows):
    """Return the inputs of a graph that reads `columns`, name to type, from rows."""
    made = {}
    for name, type_ in columns.items():
        values = [READERS[type_](row.get(name), name) for row in rows]
        kind = KINDS[type_]
        filled = [EMPTY[kind] if each is None else each for each in values]
        dtype = object if kind == "string" else kind
        made[name] = np.array(filled, dtype=dtype).reshape(-1, 1)
        nulls = np.array([each is None for each in values]).reshape(-1, 1)
        made[name + NULL_SUFFIX] = nulls
    return made


def session(data):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def evaluated(expressions, rows):
    """Return a list of values for each expression, in rows' order."""
    writer = GraphWriter(signed_zeros=True)
    lowerer = Lowerer(writer, LOWERINGS)
    outputs = []
    for name, node in expressions.items():
        form = lowerer.form(folded(expand_fitted(node)))
        parts = (form.yes, form.no) if node.type == "bool" else (form.data, is_null(writer, form))
        kinds = ("bool", "bool") if node.type == "bool" else (KINDS[node.type], "bool")
        for place, (part, kind) in enumerate(zip(parts, kinds, strict=True)):
            column = writer.column(part) if writer.inputs else part
            writer.output(column, f"{name}.{place}")
            outputs.append(
                helper.make_tensor_value_info(f"{name}.{place}", TENSORS[kind], [None, 1])
            )
    assert not lowerer.reasons
    opened = session(model_of(writer, outputs, "expressions").SerializeToString())
    wanted = {each.name for each in opened.get_inputs()}
    given = {name: each for name, each in feeds(lowerer.columns, rows).items() if name in wanted}
    found = opened.run(None, given)
    return [
        _values(node.type, first, second, len(rows))
        for node, first, second in zip(expressions.values(), found[::2], found[1::2], strict=True)
    ]


def _values(type_, first, second, count):
    first, second = (np.broadcast_to(each, (count, 1)).ravel().tolist() for each in (first, second))
    if type_ == "bool":
        assert not any(yes and no for yes, no in zip(first, second, strict=True))
        return [
            True if yes else False if no else None for yes, no in zip(first, second, strict=True)
        ]
    return [None if null else finite(value) for value, null in zip(first, second, strict=True)]


def _plain_columns(table):
    """Return the columns that are no lists, times as whole numbers."""
    found = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_temporal(column.type):
            whole = pa.int32() if pa.types.is_date(column.type) else pa.int64()
            found[name] = column.cast(whole)
        elif not pa.types.is_list(column.type):
            found[name] = column
    return found


class OnnxEngine:
    """Evaluates as an engine of the language does."""

    name = "onnx"
    gaps = frozenset()

    def close(self):
        pass

    def evaluate(self, expressions, table, *, keep=()):  # noqa: ARG002 - the port has it
        rows = pa.table(_plain_columns(table)).to_pylist()
        found = evaluated(expressions, rows)
        return pa.table(
            {
                name: pa.array(values, WHOLE.get(node.type, arrow_type(node.type))).cast(
                    arrow_type(node.type)
                )
                for (name, node), values in zip(expressions.items(), found, strict=True)
            }
        )
