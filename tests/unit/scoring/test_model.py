import msgspec
import pytest

import scored
from tondo.core.errors import DataError
from tondo.scoring.model import load_model


def test_rows_and_tables_score_alike():
    model = load_model(scored.contents(runtime="lightgbm"), scored.LOADERS)
    rows = [{**scored.ROW, "distance": float(each)} for each in range(50)]
    assert model.score_rows(rows) == [model.score_row(row) for row in rows]


def test_a_sample_that_answers_otherwise_is_refused():
    contents = scored.contents()
    wrong = msgspec.structs.replace(contents.samples[0], score=0.123)
    with pytest.raises(DataError, match="TD-PACKAGE-003") as refusal:
        load_model(msgspec.structs.replace(contents, samples=[wrong]), scored.LOADERS)
    assert refusal.value.fields["sample"] == 0


def test_a_vector_that_differs_names_the_feature():
    contents = scored.contents()
    wrong = msgspec.structs.replace(contents.samples[0], vector=[1.4, 11.0, 1.0, 1.0])
    with pytest.raises(DataError, match="feature hour"):
        load_model(msgspec.structs.replace(contents, samples=[wrong]), scored.LOADERS)


def test_an_unknown_runtime_lists_those_there_are():
    contents = msgspec.structs.replace(scored.contents(), runtime="onyx")
    with pytest.raises(DataError, match="TD-PACKAGE-006.*'onnx'"):
        load_model(contents, scored.LOADERS)


def test_no_rows_have_no_scores():
    assert load_model(scored.contents(), scored.LOADERS).score_rows([]) == []
