"""What is peculiar to expressions on Spark: deep trees, many of them, and texts that Spark reads."""

import pyarrow as pa
import pytest

from tondo.language.check import check
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.tree import Call, Column, Literal

ROWS = [0.1, 2.0, -3.7, None, float("nan")]
TABLE = pa.table({"x": ROWS})
X, STEP = Column("x", "double"), Literal(1.25, "double")


def moved(tree):
    return Call("round", (Call("add", (tree, STEP), "double"), Literal(1.0, "double")), "double")


def clipped(tree):
    return Call("clip", (tree, Literal(-2.5, "double"), STEP), "double")


def deep(levels, wrap, tree=X):
    for _ in range(levels):
        tree = wrap(tree)
    return tree


def test_the_deepest_trees_are_computed(spark):
    trees = {"moved": deep(73, moved), "clipped": deep(148, clipped), "both": deep(40, moved)}
    found = spark.evaluate(trees, TABLE)
    for name, tree in trees.items():
        assert found[name].to_pylist() == [evaluate(tree, {"x": x}) for x in ROWS], name


def test_more_expressions_than_one_method_of_java_can_hold(spark):
    trees = {
        f"f{number}": deep(3, moved, Literal(float(number), "double")) for number in range(150)
    }
    trees |= {name: Call("multiply", (X, tree), "double") for name, tree in trees.items()}
    found = spark.evaluate(trees, TABLE)
    assert [found[name][1].as_py() for name in trees] == [
        evaluate(tree, {"x": 2.0}) for tree in trees.values()
    ]


@pytest.mark.parametrize(
    "value", ["${spark.app.name}", "\\u0041\\n", "'; --", "`", "\0é\U0001f600"]
)
def test_a_text_is_what_it_says(spark, value):
    found = spark.evaluate({"f": Literal(value, "string")}, TABLE.slice(0, 1))
    assert found["f"].to_pylist() == [value]


def test_a_column_named_like_a_variable_of_ours_is_read_right(spark):
    names = {"v1": "double", "v2": "double", "a`b.c": "double", "c0": "double"}
    long = " + ".join(['v1 * v2 + "a`b.c" + c0'] * 20)
    tree = check(parse(f"round({long}, 1)"), names)
    row = {"v1": 1.5, "v2": -2.0, "a`b.c": 0.25, "c0": 7.0}
    found = spark.evaluate({"f": tree}, pa.table({name: [value] for name, value in row.items()}))
    assert found["f"].to_pylist() == [evaluate(tree, row)]
