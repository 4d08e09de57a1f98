"""Checks LightGBM model text before the C library reads it.

The library trusts counts and child positions, and ends the process on text that it cannot parse.
So the text must be exactly what LightGBM writes, and each tree must be a tree: every node and
leaf reached once from the root.
"""

from __future__ import annotations

import itertools
import re

from tondo.adapters.runtimes.lightgbm.library import unusable

MAX_MODEL_BYTES = 512 << 20
"""512 MiB of text: a hundred thousand trees; more would not fit a scorer."""

MAX_LEAVES = 1 << 20
"""LightGBM itself allows 131 072."""

_MOST_LINES = 20
"""LightGBM reads at most 22 lines of a tree."""

_LINE = re.compile(rb"([a-z_]+)=([^=\r\x00]*)")
_WHOLE = rb"-?\d{1,10}"
_NUMBER = rb"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d{1,3})?|inf|nan)"
_FINITE = rb"-?\d+\.?\d*(?:[eE][+-]?\d{1,3})?"
_ONE, _NODES, _LEAVES, _ANY = "one", "nodes", "leaves", "any"

_FIELDS: dict[bytes, tuple[bytes, str]] = {
    b"num_leaves": (_WHOLE, _ONE),
    b"num_cat": (_WHOLE, _ONE),
    b"split_feature": (_WHOLE, _NODES),
    b"split_gain": (_NUMBER, _NODES),
    b"threshold": (_NUMBER, _NODES),
    b"decision_type": (_WHOLE, _NODES),
    b"left_child": (_WHOLE, _NODES),
    b"right_child": (_WHOLE, _NODES),
    b"leaf_value": (_FINITE, _LEAVES),
    b"leaf_weight": (_NUMBER, _LEAVES),
    b"leaf_count": (_WHOLE, _LEAVES),
    b"internal_value": (_NUMBER, _NODES),
    b"internal_weight": (_NUMBER, _NODES),
    b"internal_count": (_WHOLE, _NODES),
    b"cat_boundaries": (_WHOLE, _ANY),
    b"cat_threshold": (_WHOLE, _ANY),
    b"is_linear": (b"0", _ONE),
    b"shrinkage": (_NUMBER, _ONE),
}
"""Line of a tree to the form of one value and how many there must be."""

_FORMS = {
    name: re.compile(b"(?:%b(?: %b)*)?" % (form, form)) for name, (form, _) in _FIELDS.items()
}
_ALWAYS = (b"num_leaves", b"num_cat", b"leaf_value")
_OF_NODES = (b"split_feature", b"threshold", b"decision_type", b"left_child", b"right_child")

Values = dict[bytes, list[bytes]]


def check_text(data: bytes) -> None:
    """Return when `data` is sound model text, else raise TD-RUNTIME-001 naming the tree."""
    if len(data) > MAX_MODEL_BYTES:
        raise unusable(f"its text has {len(data)} bytes, the limit is {MAX_MODEL_BYTES}")
    if not data.startswith(b"tree\n") or b"\x00" in data:
        raise unusable("the text does not begin as model text does")
    header, *trees = data.split(b"\nTree=")
    if not trees or b"\nend of trees\n" not in trees[-1]:
        raise unusable("the text ends before the last tree")
    trees[-1] = trees[-1].partition(b"\nend of trees\n")[0]
    features = _check_header(header, trees)
    for number, text in enumerate(trees):
        fault = _number_fault(text, number) or _tree_fault(text.partition(b"\n")[2], features)
        if fault:
            raise unusable(f"tree {number} is not sound: {fault}")


def _check_header(header: bytes, trees: list[bytes]) -> int:
    """Check what the C library relies on; return the number of features."""
    fields = {
        name: value
        for name, equals, value in (line.partition(b"=") for line in header.split(b"\n"))
        if equals
    }
    for name in (b"num_class", b"num_tree_per_iteration"):
        if fields.get(name) != b"1":
            raise unusable("it has more than one score a row")
    # The split took "\nTree=" away; a size counts from "Tree=" through the blank lines after.
    sizes = b" ".join(b"%d" % (len(b"Tree=") + len(text) + 1) for text in trees)
    if fields.get(b"tree_sizes") != sizes:
        raise unusable("tree_sizes does not match the trees")
    highest = fields.get(b"max_feature_idx", b"")
    if not re.fullmatch(rb"\d{1,7}", highest):
        raise unusable("max_feature_idx is missing or out of range")
    features = int(highest) + 1
    for name in (b"feature_names", b"feature_infos"):
        if len(fields.get(name, b"").split(b" ")) != features:
            raise unusable(f"{name.decode()} does not fit max_feature_idx")
    return features


def _number_fault(text: bytes, number: int) -> str:
    return "" if text.startswith(b"%d\n" % number) else "it is out of order"


def _tree_fault(text: bytes, features: int) -> str:
    """Return what is wrong with a tree's lines, or nothing."""
    body, blank, rest = text.partition(b"\n\n")
    if not blank and not text.endswith(b"\n"):
        return "it does not end with a blank line"
    if rest.strip(b"\n"):
        return "something follows its blank line"
    values: Values = {}
    for line in body.rstrip(b"\n").split(b"\n"):
        found = _LINE.fullmatch(line)
        if found is None or found[1] in values:
            return f"the line {line[:40]!r}"
        form = _FORMS.get(found[1])
        if form is None or not form.fullmatch(found[2]):
            return f"the line {line[:40]!r}"
        values[found[1]] = found[2].split()
    if len(values) > _MOST_LINES or any(name not in values for name in _ALWAYS):
        return "a line is missing, or there are too many"
    return _count_fault(values) or _structure_fault(values, features)


def _count_fault(values: Values) -> str:
    if len(values[b"num_leaves"]) != 1 or len(values[b"num_cat"]) != 1:
        return "num_leaves or num_cat is not one number"
    leaves = int(values[b"num_leaves"][0])
    if not 1 <= leaves <= MAX_LEAVES:
        return f"num_leaves is {leaves}"
    wanted = {_ONE: 1, _NODES: leaves - 1, _LEAVES: leaves}
    for name, found in values.items():
        count = wanted.get(_FIELDS[name][1], len(found))
        if len(found) != count and leaves > 1:
            return f"{name.decode()} has {len(found)} values for {leaves} leaves"
    if leaves == 1:
        return "" if len(values[b"leaf_value"]) == 1 else "leaf_value is not one number"
    missing = [name.decode() for name in _OF_NODES if name not in values]
    return f"{missing[0]} is missing" if missing else ""


def _structure_fault(values: Values, features: int) -> str:
    leaves = int(values[b"num_leaves"][0])
    if leaves == 1:
        return ""
    whole = {
        name: [int(each) for each in values[name]] for name in _OF_NODES if name != b"threshold"
    }
    if not all(0 <= each < features for each in whole[b"split_feature"]):
        return "a split names a feature that is not there"
    if not all(0 <= each < 16 for each in whole[b"decision_type"]):
        return "a split has an unknown kind"
    return _child_fault(whole[b"left_child"], whole[b"right_child"], leaves) or _category_fault(
        values, whole[b"decision_type"]
    )


def _child_fault(left: list[int], right: list[int], leaves: int) -> str:
    """Nodes 1.. and leaves ~0.. must each be a child exactly once; parents come first."""
    expected = sorted([*range(-leaves, 0), *range(1, leaves - 1)])
    if sorted(left + right) != expected:
        return "a node or leaf is reached twice or never"
    pairs = zip(left, right, strict=True)
    if any(0 <= child <= node for node, pair in enumerate(pairs) for child in pair):
        return "a node stands before its parent"
    return ""


def _category_fault(values: Values, kinds: list[int]) -> str:
    sets = int(values[b"num_cat"][0])
    splits = zip(values[b"threshold"], kinds, strict=True)
    categorical = [threshold for threshold, kind in splits if kind & 1]
    if not all(each.isdigit() and int(each) < sets for each in categorical):
        return "a split names a category set that is not there"
    if sets == 0:
        return ""
    bounds = [int(each) for each in values.get(b"cat_boundaries", [])]
    words = [int(each) for each in values.get(b"cat_threshold", [])]
    if len(bounds) != sets + 1 or bounds[0] != 0 or bounds[-1] != len(words):
        return "its category sets do not fit together"
    if not all(low <= high for low, high in itertools.pairwise(bounds)):
        return "its category sets do not fit together"
    return "" if all(0 <= word < 1 << 32 for word in words) else "a category set is no set"
