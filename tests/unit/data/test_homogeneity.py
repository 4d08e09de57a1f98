import numpy as np
import pytest
from scipy import stats

from tondo.scoring.baseline import count_values, learn_distribution
from tondo.stages.data.homogeneity import benjamini_hochberg, homogeneity_p


def normal(count, *, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1.0, count)


@pytest.mark.parametrize("seed", range(5))
def test_the_homogeneity_test_is_scipys_where_every_bin_is_full(seed):
    reference = learn_distribution(normal(2_000, seed=seed))
    window = count_values(reference, normal(700, shift=0.1, seed=seed + 9))
    table = [reference.counts, window.counts]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert homogeneity_p(reference, window) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_benjamini_and_hochberg_is_scipys(seed):
    p_values = np.random.default_rng(seed).random(20) ** 3
    expected = stats.false_discovery_control(p_values)
    assert benjamini_hochberg(list(p_values)) == pytest.approx(list(expected))
