from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.scoring.plan import BUCKETS, PlannedDeployment, PlannedVariant, choose
from tondo.stages.deployment.buckets import deal

KEYS = [f"key-{each}" for each in range(10_000)]


def variant(name, weight, version=1):
    return PlannedVariant(
        name=name, weight=weight, model="late", version=version, model_version_id=f"v{version}",
        package="0",
    )  # fmt: skip


def planned(before=None, **weights):
    variants = [
        variant(name, weight, place) for place, (name, weight) in enumerate(weights.items())
    ]
    return PlannedDeployment(name="late", variants=variants, buckets=deal(variants, before))


def names(deployment):
    return [choose(deployment, key).name for key in KEYS]


def owners(deployment):
    found = []
    for end, name in deployment.buckets or [
        (round(sum(e.weight for e in deployment.variants[: at + 1]) * BUCKETS), each.name)
        for at, each in enumerate(deployment.variants)
    ]:
        found += [name] * (end - len(found))
    return found


def test_a_tenth_is_a_tenth_of_ten_thousand_keys_within_half_a_percent():
    assert abs(names(planned(a=0.9, b=0.1)).count("b") / 10_000 - 0.10) < 0.005


def test_a_candidate_keeps_its_keys_at_every_larger_share():
    deployment, met = planned(live=1.0), set()
    for share in (0.01, 0.05, 0.2, 0.5):
        rest = {"live": 1 - 2 * share, "baseline": share} if share < 0.5 else {"live": 0.5}
        deployment = planned(deployment, **rest, candidate=share)
        now = {
            key for key, name in zip(KEYS, names(deployment), strict=True) if name == "candidate"
        }
        assert met < now
        met = now


def test_the_same_weights_move_nobody():
    first = planned(a=0.3, b=0.5, c=0.2)
    assert names(planned(first, a=0.3, b=0.5, c=0.2)) == names(first)


def test_a_renamed_variant_of_the_same_version_keeps_its_keys():
    before = PlannedDeployment(name="late", variants=[variant("live", 1.0, 3)])
    now = [variant("v3", 0.9, 3), variant("v4", 0.1, 4)]
    assert deal(now, before) == []


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any),
    st.lists(st.integers(0, 20), min_size=5, max_size=5),
)
def test_as_few_buckets_move_as_the_weights_demand(first, second):
    second = second[: len(first)]
    if not any(second):
        second[0] = 1
    labels = "abcde"
    before = planned(**{labels[at]: each / sum(first) for at, each in enumerate(first)})
    after = planned(before, **{labels[at]: each / sum(second) for at, each in enumerate(second)})
    old, new = owners(before), owners(after)
    grown = sum(max(new.count(each) - old.count(each), 0) for each in set(labels))
    assert len(new) == BUCKETS
    assert sum(a != b for a, b in zip(old, new, strict=True)) == grown


@pytest.mark.parametrize("share", [1 / 3, 0.0001, 0.9999])
def test_every_bucket_is_somebodys(share):
    assert len(owners(planned(planned(a=1.0), a=1 - share, b=share))) == BUCKETS
