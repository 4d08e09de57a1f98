from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance

from tondo.scoring.baseline import (
    Baseline,
    Distribution,
    count_values,
    jensen_shannon,
    learn_distribution,
    psi,
    psi_noise_floor,
    read_baseline,
    write_baseline,
)
from tondo.stages.monitoring.drift import (
    SCORE,
    compare,
    drift_report,
)


def normal(count, *, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1.0, count)


def counted(values, reference):
    return count_values(reference, np.asarray(values, dtype=np.float64))


@pytest.mark.parametrize("seed", range(5))
def test_the_jensen_shannon_distance_is_scipys(seed):
    reference = learn_distribution(normal(2_000, seed=seed))
    window = counted(normal(700, shift=0.4, seed=seed + 9), reference)
    expected = distance.jensenshannon(reference.cells, window.cells, base=2)
    assert jensen_shannon(reference, window) == pytest.approx(expected, abs=1e-12)


def test_no_column_at_all_is_no_report():
    assert compare({}, {}).columns == ()


def test_the_noise_floor_is_the_mean_psi_of_quiet_windows():
    reference = learn_distribution(normal(20_000))
    windows = [counted(normal(500, seed=seed), reference) for seed in range(1, 400)]
    mean = np.mean([psi(reference, each) for each in windows])
    assert mean == pytest.approx(psi_noise_floor(reference, windows[0]), rel=0.1)


def test_a_shift_of_a_fifth_of_a_standard_deviation_is_found_in_five_thousand_rows():
    reference = learn_distribution(normal(50_000))
    references = {str(n): reference for n in range(20)}
    found = 0
    for seed in range(1, 61):
        windows = {
            str(n): counted(normal(5_000, shift=0.2 * (n == 0), seed=100 * seed + n), reference)
            for n in range(20)
        }
        found += "0" in {each.name for each in compare(references, windows).drifted}
    assert found >= 57


@pytest.mark.parametrize("rows", [200, 5_000])
def test_quiet_columns_alarm_less_than_once_a_year(rows):
    reference = learn_distribution(normal(50_000))
    references = {str(n): reference for n in range(20)}
    alarms = 0
    for day in range(100):
        windows = {
            name: counted(normal(rows, seed=1_000 * day + int(name)), reference)
            for name in references
        }
        alarms += len(compare(references, windows).drifted)
    assert alarms / (100 * 20) * 365 <= 1


def test_a_tiny_shift_is_significant_in_many_rows_and_yet_no_drift():
    reference = learn_distribution(normal(200_000))
    window = counted(normal(200_000, shift=0.03, seed=1), reference)
    (column,) = compare({"wind": reference}, {"wind": window}).columns
    assert column.adjusted_p < 1e-6
    assert not column.drifted


@pytest.mark.parametrize(("shift", "level"), [(0.2, "small"), (0.4, "moderate"), (0.8, "large")])
def test_levels_grow_with_the_shift(shift, level):
    reference = learn_distribution(normal(50_000))
    window = counted(normal(5_000, shift=shift, seed=1), reference)
    assert compare({"wind": reference}, {"wind": window}).columns[0].level == level


def test_a_burst_of_nulls_is_told_from_a_slow_change():
    reference = learn_distribution(normal(50_000))
    holes = normal(5_000, seed=1)
    holes[:1_000] = np.nan
    windows = {"holes": counted(holes, reference), "slow": counted(holes[1_000:] + 0.5, reference)}
    columns = {
        each.name: each for each in compare(dict.fromkeys(windows, reference), windows).columns
    }
    assert (columns["holes"].null_burst, columns["slow"].null_burst) == (True, False)


def test_a_report_reads_vectors_by_name_and_the_score():
    baseline = Baseline(
        features={"a": learn_distribution(normal(5_000)), "b": learn_distribution(normal(5_000))},
        score=learn_distribution(normal(5_000)),
    )
    matrix = np.column_stack([normal(2_000, seed=1), normal(2_000, shift=1.0, seed=2)])
    report = drift_report(baseline, matrix, names=["a", "b"], scores=normal(2_000, seed=3))
    assert {each.name for each in report.columns} == {"a", "b", SCORE}
    assert [each.name for each in report.drifted] == ["b"]


def test_categories_have_a_bin_each_and_one_for_the_new():
    values = np.repeat([1.0, 2.0, 3.0], [5, 3, 1])
    learned = learn_distribution(values, categorical=True)
    assert learned.cells == (5, 3, 1, 0, 0)
    assert counted([2.0, 9.0, 9.5, np.nan], learned).cells == (0, 1, 0, 2, 1)


def test_bins_stay_frozen_and_open_to_infinity():
    learned = learn_distribution(normal(1_000))
    window = counted([-np.inf, -1e9, 1e9, np.inf], learned)
    assert (window.edges, window.counts[0], window.counts[-1]) == (learned.edges, 2, 2)


def test_a_constant_column_is_one_bin_and_never_drifts_against_itself():
    learned = learn_distribution(np.zeros(100))
    (column,) = compare({"c": learned}, {"c": counted(np.zeros(50), learned)}).columns
    assert (column.p_value, column.drifted) == (1.0, False)


def test_an_empty_window_is_no_drift():
    learned = learn_distribution(normal(100))
    (column,) = compare({"c": learned}, {"c": counted([], learned)}).columns
    assert not column.drifted


def test_counts_merge_over_parts():
    values = normal(1_000)
    learned = learn_distribution(values)
    assert counted(values[:300], learned) + counted(values[300:], learned) == learned


def test_a_baseline_survives_a_package():
    baseline = Baseline(
        features={"a": learn_distribution(normal(50))}, score=Distribution(edges=(), counts=(3,))
    )
    assert read_baseline(write_baseline(baseline)) == baseline
    assert read_baseline({}) == Baseline()
