import pytest

from tondo.core.errors import DataError, NotFoundError
from tondo.scoring.plan import (
    PlannedDeployment,
    PlannedVariant,
    PlanPointer,
    ServingPlan,
    Target,
    addressed,
    choose,
    decode_plan,
    deployment_of,
    encode_plan,
    read_pointer,
    write_pointer,
)


def variant(name, weight, version=1, tags=()):
    return PlannedVariant(
        name=name,
        weight=weight,
        model="late",
        version=version,
        model_version_id=f"id-{version}",
        tags=list(tags),
        package="00",
    )


def canary(weight=0.5, **changes):
    return PlannedDeployment(
        name="late",
        variants=[variant("live", 1 - weight, 1, ["live"]), variant("canary", weight, 2)],
        **changes,
    )


def test_a_plan_survives_its_blob():
    plan = ServingPlan(number=3, published_at_us=1, deployments={"late": canary()})
    assert decode_plan(encode_plan(plan)) == plan


def test_a_damaged_plan_is_refused():
    with pytest.raises(DataError, match="TD-PLAN-001"):
        decode_plan(b"{}")


@pytest.mark.parametrize("weight", [0.01, 0.3, 0.5])
def test_shares_are_what_the_weights_say(weight):
    deployment = canary(weight)
    chosen = sum(choose(deployment, str(key)).name == "canary" for key in range(20_000))
    assert abs(chosen / 20_000 - weight) < 4 * (weight * (1 - weight) / 20_000) ** 0.5


def test_a_key_always_meets_the_same_variant():
    assert len({choose(canary(), "N14228").name for _ in range(10)}) == 1


def test_a_new_salt_deals_the_keys_anew():
    keys = [str(each) for each in range(200)]
    first = [choose(canary(salt="a"), key).name for key in keys]
    assert first != [choose(canary(salt="b"), key).name for key in keys]


def test_more_weight_takes_no_key_away_from_a_growing_last_variant():
    keys = [str(each) for each in range(500)]
    before = {key for key in keys if choose(canary(0.1), key).name == "canary"}
    after = {key for key in keys if choose(canary(0.5), key).name == "canary"}
    assert before < after


def test_weights_a_hair_below_one_still_answer_everybody():
    deployment = PlannedDeployment(
        name="x", variants=[variant("a", 1 / 3), variant("b", 1 / 3), variant("c", 1 / 3)]
    )
    assert {choose(deployment, str(key)).name for key in range(500)} == {"a", "b", "c"}


def test_buckets_that_are_written_down_beat_the_order_of_the_variants():
    turned = canary(0.3, buckets=[(3_000, "canary"), (10_000, "live")])
    keys = [str(each) for each in range(2_000)]
    names = [choose(turned, key).name for key in keys]
    assert abs(names.count("canary") / 2_000 - 0.3) < 0.05
    assert names != [choose(canary(0.3), key).name for key in keys]


@pytest.mark.parametrize(
    ("key", "row", "name"),
    [
        ("ann", {"carrier": "AA"}, "canary"),
        ("bob", {"carrier": "UA"}, "live"),
        ("vip", {"carrier": "UA"}, "canary"),
        ("vip", None, "canary"),
        ("bob", {}, "live"),
    ],
)
def test_a_target_beats_the_weights(key, row, name):
    targets = [
        Target(column="carrier", values=["AA", "DL"], variant="canary"),
        Target(values=["vip"], variant="canary"),
    ]
    assert choose(canary(0.0, targets=targets), key, row).name == name


def test_the_first_target_that_fits_decides():
    targets = [Target(values=["vip"], variant=name) for name in ("live", "canary")]
    assert choose(canary(1.0, targets=targets), "vip").name == "live"


@pytest.mark.parametrize("reference", ["2", "id-2", "canary"])
def test_a_version_is_reached_by_number_id_and_name(reference):
    assert addressed(canary(), reference).version == 2


def test_a_tag_reaches_its_version():
    assert addressed(canary(), "live").version == 1


def test_an_unknown_version_lists_the_choices():
    with pytest.raises(NotFoundError, match="TD-PLAN-003.*'1'.*'2'"):
        addressed(canary(), "9")


def test_an_unknown_deployment_lists_the_choices():
    plan = ServingPlan(number=1, published_at_us=0, deployments={"late": canary()})
    with pytest.raises(NotFoundError, match="TD-PLAN-004.*'late'"):
        deployment_of(plan, "lat")


def test_the_pointer_is_replaced_whole(tmp_path):
    path = tmp_path / "serving" / "pointer.json"
    assert read_pointer(path) is None
    for number in (1, 2):
        write_pointer(path, PlanPointer(number=number, digest="00"))
    assert read_pointer(path).number == 2
    assert [each.name for each in path.parent.iterdir()] == ["pointer.json"]


def test_a_damaged_pointer_is_refused(tmp_path):
    path = tmp_path / "pointer.json"
    path.write_bytes(b"{")
    with pytest.raises(DataError, match="TD-PLAN-002"):
        read_pointer(path)
