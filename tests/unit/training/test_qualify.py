from __future__ import annotations

import numpy as np
import pytest

from tondo.core.errors import DefinitionError
from tondo.ports.library import FittedModel, ModelForm
from tondo.stages.training.qualify import qualify


class Constant:
    """A runtime whose scores are the first column plus a shift; `slow` spins."""

    def __init__(self, shift=0.0, slow=0):
        self.shift, self.slow, self.closed = shift, slow, False

    def predict_row(self, vector):
        sum(range(self.slow))
        return vector[0] + self.shift

    def predict_table(self, matrix):
        return matrix[:, 0] + self.shift

    def close(self):
        self.closed = True


class Loader:
    extra = None

    def __init__(self, name, runtime):
        self.name, self.runtime = name, runtime

    def load(self, files, options):
        return self.runtime


def chosen(runtimes, threshold=None, rows=50):
    loaders = {name: Loader(name, each) for name, each in runtimes.items()}
    forms = [ModelForm(runtime=name, files={}, native=name == "native") for name in runtimes]
    fitted = FittedModel(forms=tuple(forms), importance={}, reference=lambda matrix: matrix[:, 0])
    matrix = np.linspace(0, 1, rows).reshape(-1, 1)
    return qualify(fitted, matrix, threshold=threshold, runtimes=loaders)


def test_the_fastest_form_that_qualifies_is_chosen():
    runtimes = {"native": Constant(slow=100_000), "fast": Constant()}
    form, _, found = chosen(runtimes)
    assert form.runtime == found.runtime == "fast"
    assert runtimes["native"].closed
    assert not runtimes["fast"].closed


def test_a_form_that_is_off_by_more_than_a_millionth_is_out():
    form, _, found = chosen({"native": Constant(slow=100_000), "wrong": Constant(shift=2e-6)})
    assert form.runtime == "native"
    assert [each.qualified for each in found.forms] == [True, False]


def test_a_form_that_flips_one_decision_is_out():
    matrix_value = 25 / 49
    form, _, found = chosen(
        {"native": Constant(slow=100_000), "off": Constant(shift=-1e-9)}, threshold=matrix_value
    )
    assert form.runtime == "native"
    assert found.forms[1].decisions_differing == 1


def test_the_three_batch_sizes_are_timed():
    _, _, found = chosen({"native": Constant()})
    assert set(found.forms[0].micros) == {"1", "64", "1024"}


def test_at_most_ten_thousand_rows_are_compared():
    _, _, found = chosen({"native": Constant(), "other": Constant()}, rows=30_000)
    assert [form.rows for form in found.forms] == [10_000, 10_000]


def test_the_native_form_alone_is_compared_on_one_batch():
    _, _, found = chosen({"native": Constant()}, rows=30_000)
    assert found.forms[0].rows == 1_024


def test_no_form_that_qualifies_is_an_error_with_the_measures():
    with pytest.raises(DefinitionError, match=r"TD-TRAIN-005.*wrong: largest difference 0.1"):
        chosen({"wrong": Constant(shift=0.1)})


def test_a_runtime_that_is_not_here_is_named():
    fitted = FittedModel(
        forms=(ModelForm(runtime="onx", files={}),), importance={}, reference=lambda m: m[:, 0]
    )
    loaders = {"onnx": Loader("onnx", Constant())}
    with pytest.raises(DefinitionError, match=r"TD-TRAIN-004.*Did you mean 'onnx'"):
        qualify(fitted, np.zeros((1, 1)), threshold=None, runtimes=loaders)
