"""What the figures of sorted values are made of, beside plain loops."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.adapters.engines.duckdb.profile_numbers import most_frequent

COUNTS = st.lists(st.one_of(st.just(1), st.integers(1, 4)), max_size=40)


@given(COUNTS, st.integers(0, 12))
@settings(max_examples=400, deadline=None)
def test_the_most_frequent_are_those_of_a_stable_sort(counts, top):
    expected = sorted(range(len(counts)), key=lambda place: -counts[place])[:top]
    assert most_frequent(np.array(counts, np.int64), top).tolist() == expected
