"""Checks LightGBM model text before the C library reads it.

The library trusts counts and child positions; text with a wrong one would make it read memory
that is not its own. Each tree must be a tree: every node reached once from the root.
"""

from __future__ import annotations

import itertools
import math

from tondo.adapters.runtimes.lightgbm.library import unusable
from tondo.core.errors import DataError

MAX_MODEL_BYTES = 512 << 20
"""512 MiB of text: a hundred thousand trees; more would not fit a scorer."""

_INTEGERS = ("split_feature", "decision_type", "left_child", "right_child")


def check_text(data: bytes) -> None:
    """Return when `data` is sound model text, else raise TD-RUNTIME-001 naming the tree."""
    if len(data) > MAX_MODEL_BYTES:
        raise unusable(f"its text has {len(data)} bytes, the limit is {MAX_MODEL_BYTES}")
    if not data.startswith(b"tree\n") or b"\x00" in data:
        raise unusable("the text does not begin as model text does")
    header, *trees = data.split(b"\nTree=")
    fields = _fields(header)
    if not trees or b"\nend of trees" not in trees[-1]:
        raise unusable("the text ends before the last tree")
    trees[-1] = trees[-1].partition(b"\nend of trees")[0]
    _check_sizes(fields, trees)
    if fields.get(b"num_class", b"1") != b"1" or fields.get(b"num_tree_per_iteration") != b"1":
        raise unusable("it has more than one score a row")
    features = _whole(fields, b"max_feature_idx") + 1
    for number, text in enumerate(trees):
        try:
            _check_tree(_fields(b"Tree=" + text), features)
        except (ValueError, KeyError, IndexError, DataError) as error:
            raise unusable(f"tree {number} is not sound ({error})") from None


def _fields(text: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b"=") for line in text.splitlines())
    return {name: value.strip() for name, equals, value in pairs if equals}


def _whole(fields: dict[bytes, bytes], name: bytes) -> int:
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        raise unusable(f"{name.decode()} is missing or not a number") from None


def _check_sizes(fields: dict[bytes, bytes], trees: list[bytes]) -> None:
    sizes = fields.get(b"tree_sizes")
    if sizes is None:
        raise unusable("tree_sizes is missing")
    # The split took "\nTree=" away; a size counts from "Tree=" through the blank lines after.
    found = [len(b"Tree=") + len(text) + 1 for text in trees]
    if [int(each) for each in sizes.split()] != found:
        raise unusable("tree_sizes does not match the trees")


def _check_tree(fields: dict[bytes, bytes], features: int) -> None:
    leaves = _whole(fields, b"num_leaves")
    if fields.get(b"is_linear", b"0") != b"0":
        raise unusable("linear trees are not served")
    values = [float(each) for each in fields[b"leaf_value"].split()]
    if leaves < 1 or len(values) != leaves or not all(map(math.isfinite, values)):
        raise unusable("leaf_value does not fit num_leaves")
    if leaves == 1:
        return
    columns = {name: [int(v) for v in fields[name.encode()].split()] for name in _INTEGERS}
    thresholds = [float(each) for each in fields[b"threshold"].split()]
    if {len(column) for column in columns.values()} != {leaves - 1}:
        raise unusable("a list of nodes does not fit num_leaves")
    if len(thresholds) != leaves - 1:
        raise unusable("threshold does not fit num_leaves")
    if not all(0 <= each < features for each in columns["split_feature"]):
        raise unusable("a split names a feature that is not there")
    _check_children(columns["left_child"] + columns["right_child"], leaves)
    _check_categories(fields, columns["decision_type"], thresholds)


def _check_children(children: list[int], leaves: int) -> None:
    """Nodes 1.. and leaves ~0.. must each be a child exactly once; parents come first."""
    expected = sorted([*range(-leaves, 0), *range(1, leaves - 1)])
    if sorted(children) != expected:
        raise unusable("a node or leaf is reached twice or never")
    inner = len(children) // 2
    if any(0 <= child <= position % inner for position, child in enumerate(children)):
        raise unusable("a node stands before its parent")


def _check_categories(
    fields: dict[bytes, bytes], decisions: list[int], thresholds: list[float]
) -> None:
    categorical = [int(at) for at, kind in zip(thresholds, decisions, strict=True) if kind & 1]
    sets = _whole(fields, b"num_cat")
    if not all(0 <= at < sets for at in categorical):
        raise unusable("a split names a category set that is not there")
    if sets:
        bounds = [int(each) for each in fields[b"cat_boundaries"].split()]
        words = fields[b"cat_threshold"].split()
        grows = all(low <= high for low, high in itertools.pairwise(bounds))
        if len(bounds) != sets + 1 or bounds[0] != 0 or not grows or bounds[-1] != len(words):
            raise unusable("its category sets do not fit together")
