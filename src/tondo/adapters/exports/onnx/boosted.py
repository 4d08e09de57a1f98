"""LightGBM's model text as ONNX's TreeEnsemble, thresholds and leaves in double precision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tondo.adapters.exports.onnx.lowerer import Refused
from tondo.adapters.exports.onnx.writer import FLOAT64, ML

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.writer import GraphWriter

_LEQ, _MEMBER = 0, 6
"""TreeEnsemble's numbers of the tests `<=` and `is in the set`."""
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING = {0: "none", 1: "zero", 2: "nan"}
"""Bits of decision_type: what the split tests, where missing goes, what counts as missing."""
_SET_BITS = 32


class Ensemble(msgspec.Struct):
    """TreeEnsemble's attributes, gathered tree by tree."""

    roots: list[int] = []
    features: list[int] = []
    modes: list[int] = []
    splits: list[float] = []
    true_nodes: list[int] = []
    true_leaves: list[int] = []
    false_nodes: list[int] = []
    false_leaves: list[int] = []
    missing_true: list[int] = []
    leaves: list[float] = []
    members: list[float] = []
    """Sets of the member tests in the order of nodes, each closed by NaN."""
    bias: float = 0.0
    """Sum of the trees that are a single leaf."""
    categorical: set[int] = msgspec.field(default_factory=set)
    """Features whose numbers are names."""


def trees_score(writer: GraphWriter, text: str, features: str) -> str:
    """Return the score of LightGBM's model text over a matrix, rows x 1."""
    header, *trees = text.partition("\nend of trees\n")[0].split("\nTree=")
    objective = _objective(header)
    ensemble = Ensemble()
    for tree in trees:
        _add_tree(ensemble, _fields(tree))
    width = int(_fields(header)["max_feature_idx"]) + 1
    matrix = _with_whole_categories(writer, features, ensemble.categorical, width)
    raw = writer.double(0.0)
    if ensemble.roots:
        raw = writer.add("TreeEnsemble", matrix, domain=ML, **_attributes(ensemble))
    raw = writer.add("Add", raw, writer.double(ensemble.bias))
    if objective is None:
        return raw
    return writer.add("Sigmoid", writer.add("Mul", raw, writer.double(objective)))


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.split("\n"))
    return {name: value for name, equals, value in pairs if equals}


def _objective(header: str) -> float | None:
    """Return what the sum is multiplied with before the sigmoid, None where it is the score."""
    fields = _fields(header)
    if "average_output" in header.split("\n"):
        raise Refused("the model averages its trees (random forest), which is not written yet")
    words = fields.get("objective", "").split()
    if words[:1] == ["regression"] and len(words) == 1:
        return None
    found = re.fullmatch(r"binary sigmoid:(\S+)", " ".join(words))
    if found is None:
        raise Refused(f"the model's objective '{' '.join(words) or 'unknown'}'")
    return float(found[1])


def _add_tree(ensemble: Ensemble, fields: dict[str, str]) -> None:
    values = [float(each) for each in fields["leaf_value"].split()]
    if len(values) == 1:
        ensemble.bias += values[0]
        return
    first_node, first_leaf = len(ensemble.features), len(ensemble.leaves)
    ensemble.roots.append(first_node)
    ensemble.leaves += values
    left, right = (
        [int(each) for each in fields[name].split()] for name in ("left_child", "right_child")
    )
    thresholds = fields["threshold"].split()
    kinds = [int(each) for each in fields["decision_type"].split()]
    ensemble.features += [int(each) for each in fields["split_feature"].split()]
    for threshold, kind, *children in zip(thresholds, kinds, left, right, strict=True):
        feature = ensemble.features[len(ensemble.modes)]
        _add_test(ensemble, fields, threshold, kind, feature)
        sides = (
            (ensemble.true_nodes, ensemble.true_leaves),
            (ensemble.false_nodes, ensemble.false_leaves),
        )
        for child, (nodes, leaves) in zip(children, sides, strict=True):
            leaves.append(int(child < 0))
            nodes.append(first_leaf + ~child if child < 0 else first_node + child)


def _add_test(
    ensemble: Ensemble, fields: dict[str, str], threshold: str, kind: int, feature: int
) -> None:
    missing = _MISSING.get(kind >> 2)
    if kind & _CATEGORICAL:
        ensemble.modes.append(_MEMBER)
        ensemble.splits.append(0.0)
        ensemble.missing_true.append(0)
        ensemble.members += [*_members(fields, int(threshold)), np.nan]
        ensemble.categorical.add(feature)
        return
    if missing not in {"none", "nan"}:
        raise Refused("splits that take zero as missing (zero_as_missing)")
    split = float(threshold)
    # Where the text knows no missing values, LightGBM reads NaN as 0.
    to_true = kind & _DEFAULT_LEFT if missing == "nan" else split >= 0.0
    ensemble.modes.append(_LEQ)
    ensemble.splits.append(split)
    ensemble.missing_true.append(int(bool(to_true)))


def _members(fields: dict[str, str], place: int) -> list[float]:
    """Return the categories of a set, stored as bits of 32-bit words."""
    bounds = [int(each) for each in fields["cat_boundaries"].split()]
    words = [int(each) for each in fields["cat_threshold"].split()]
    chosen = words[bounds[place] : bounds[place + 1]]
    return [
        float(at * _SET_BITS + bit)
        for at, word in enumerate(chosen)
        for bit in range(_SET_BITS)
        if word >> bit & 1
    ]


def _with_whole_categories(
    writer: GraphWriter, features: str, categorical: set[int], width: int
) -> str:
    """Return the matrix with the fractions of categories cut off, as LightGBM does."""
    if not categorical:
        return features
    chosen = writer.array(np.array([[at in categorical for at in range(width)]]))
    negative = writer.add("Less", features, writer.double(0.0))
    whole = writer.add(
        "Where", negative, writer.add("Ceil", features), writer.add("Floor", features)
    )
    return writer.add("Where", chosen, whole, features)


def _attributes(ensemble: Ensemble) -> dict[str, object]:
    members = {"membership_values": np.array(ensemble.members)} if ensemble.members else {}
    return {
        **members,
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": ensemble.roots,
        "nodes_featureids": ensemble.features,
        "nodes_modes": np.array(ensemble.modes, dtype=np.uint8),
        "nodes_splits": np.array(ensemble.splits, dtype=FLOAT64),
        "nodes_truenodeids": ensemble.true_nodes,
        "nodes_trueleafs": ensemble.true_leaves,
        "nodes_falsenodeids": ensemble.false_nodes,
        "nodes_falseleafs": ensemble.false_leaves,
        "nodes_missing_value_tracks_true": ensemble.missing_true,
        "leaf_targetids": [0] * len(ensemble.leaves),
        "leaf_weights": np.array(ensemble.leaves, dtype=FLOAT64),
    }
