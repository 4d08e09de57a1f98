"""The mapping from tensorflow-transform is complete, and names functions that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tondo.core.errors import DefinitionError
from tondo.language.check import ViewSignature, check, check_window
from tondo.language.parse import parse, parse_window

PAGE = (Path(__file__).parents[3] / "docs/reference/transform-mapping.md").read_text()
TABLE_LINE = re.compile(r"^\| (`.*?) \| (.*?) \| (.*?)\|$", re.MULTILINE)
PEER = """
scale_by_min_max scale_to_0_1 scale_to_z_score scale_to_gaussian scale_by_min_max_per_key scale_to_0_1_per_key
scale_to_z_score_per_key compute_and_apply_vocabulary apply_vocabulary compute_and_apply_approximate_vocabulary
bucketize bucketize_per_key apply_buckets apply_buckets_with_interpolation hash_strings ngrams bag_of_words word_count
tfidf deduplicate_tensor_per_row segment_indices estimated_probability_density sparse_tensor_to_dense_with_shape
sparse_tensor_left_align apply_pyfunc apply_saved_model min max sum size mean var quantiles histogram covariance pca
vocabulary approximate_vocabulary count_per_key tukey_location tukey_scale tukey_h_params document_frequency idf
ptransform_analyzer
""".split()
"""Mappers and analyzers of tensorflow-transform 1.16."""

COLUMNS = {"s": "string", "high": "double", "low": "double"}
VIEWS = {
    "v": ViewSignature(
        view="v",
        entity="e",
        key="s",
        features=dict.fromkeys(("low", "high", "mean", "sd"), "double"),
    )
}


def lines():
    for names, ours, remarks in TABLE_LINE.findall(PAGE.replace("\\|", "|")):
        yield re.findall(r"`([^`]+)`", names), ours, remarks


def code(cell):
    return [each for each in re.findall(r"`([^`]+)`", cell) if "(" in each]


def test_every_mapper_and_analyzer_has_a_line():
    named = {each for names, _, _ in lines() for each in names}
    assert set(PEER) - named == set()


def test_a_line_names_a_function_or_says_no():
    for names, ours, remarks in lines():
        assert code(ours) or ours == "No", names
        assert ours != "No" or remarks.strip(), names


@pytest.mark.parametrize(
    "text", sorted({each for _, ours, remarks in lines() for each in code(ours) + code(remarks)})
)
def test_what_is_written_in_place_of_it_checks(text):
    errors = []
    for type_ in ("double", "string", "list<string>"):
        columns = {**COLUMNS, "x": type_}
        try:
            if " over " in text:
                assert check_window(parse_window(text), columns).type == "double"
            else:
                assert check(parse(text), columns, views=VIEWS).type
        except DefinitionError as error:
            errors.append(error)
        else:
            return
    raise errors[0]
