"""Search by example: what is shown is what is computed, and every example is answered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.core.errors import CallerError
from tondo.language.check import check
from tondo.language.functions.text import split_part, substr
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.tree import Call, Column, Literal
from tondo.stages.data.by_example import by_example
from tondo.stages.data.by_example.spelling import spelled

TEXTS = st.lists(st.text("ab1 -_@", min_size=1, max_size=12), min_size=2, max_size=8, unique=True)

HIDDEN = {
    "split_part(x, '-', 1)": lambda text: split_part(text, "-", 1),
    "substr(x, 2, 3)": lambda text: substr(text, 2, 3),
    "upper(split_part(x, '@', 2))": lambda text: split_part(text, "@", 2).upper(),
    "trim(x)": lambda text: text.strip(" "),
}


@settings(max_examples=15, deadline=None)
@given(values=TEXTS, hidden=st.sampled_from(sorted(HIDDEN)))
def test_every_candidate_answers_every_example(values, hidden):
    examples = [(value, HIDDEN[hidden](value)) for value in values[:2]]
    try:
        found = by_example(values, examples, seconds=0.3)
    except CallerError as error:
        assert error.code == "TD-EXAMPLE-001"
        return
    for each in found.candidates:
        tree = check(parse(each.expression), {"x": "string"})
        assert tree == each.node
        assert [evaluate(tree, {"x": value}) for value, _ in examples] == [o for _, o in examples]
    assert found.unsure <= found.rows == len(values)


NUMBERS = st.floats(0, 1e6).map(lambda x: Literal(x, "double"))
NODES = st.recursive(
    NUMBERS | st.sampled_from([Column("x", "double"), Column("two words", "double")]),
    lambda below: st.builds(
        lambda function, left, right: Call(function, (left, right), "double"),
        st.sampled_from(["add", "subtract", "multiply", "divide"]),
        below,
        below,
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(node=NODES)
def test_a_spelled_tree_parses_to_the_same_tree(node):
    columns = {"x": "double", "two words": "double"}
    assert check(parse(spelled(node)), columns) == node


@pytest.mark.parametrize("text", ["it's", "", "%_", 'a"b'])
def test_a_text_constant_parses_to_itself(text):
    assert parse(spelled(Literal(text, "string"))) == Literal(text, "string")
