"""Targets in a deployment's definition: who answers whom, through deployments and rollouts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import ROW, bring_live, write_shop
from tondo.core.errors import DefinitionError
from tondo.workspace.bootstrap import open_workspace

WRITTEN = "deployment: buys\nmodel: buys\n"
TABLETS = "targets:\n  - {column: device, values: [tablet, phablet], version: 1}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("targeting") / "shop")
    first = bring_live(folder)
    with open_workspace(folder) as shop:
        shop.registry.register(first.run)
        shop.registry.register(first.run)
        shop.registry.tag("buys", "trusted", "1")
    return folder


@pytest.fixture
def define(folder):
    """Return what opens the shop with these lines more in the deployment's definition."""
    file, opened = folder / "shop0.yaml", []
    plain = file.read_text()

    def open_with(lines):
        file.write_text(plain.replace(WRITTEN, WRITTEN + lines))
        opened.append(open_workspace(folder))
        return opened[-1]

    yield open_with
    file.write_text(plain)
    for each in opened:
        if each.rollouts.running():
            each.rollouts.abort("buys")
        each.close()


def answers(shop, **row):
    return shop.deployment.predict("buys", {**ROW, **row}).variants[0].version


def test_rows_that_fit_a_defined_target_are_answered_by_its_version_alone(define):
    shop = define(TABLETS)
    shop.deployment.deploy("buys", "2")
    assert [answers(shop, device=each) for each in ("tablet", "phablet", "phone")] == [1, 1, 2]


def test_a_defined_target_goes_on_through_a_rollout_and_after_it(define):
    shop = define(TABLETS)
    shop.deployment.deploy("buys", "1")
    shop.rollouts.start("buys", "2", no_shadow=True, pace="ab")
    assert {answers(shop, device="tablet") for _ in range(8)} == {1}
    shop.rollouts.promote("buys")
    assert [answers(shop, device=each) for each in ("tablet", "phone")] == [1, 2]


def test_live_is_whatever_answers_the_others_too(define):
    shop = define(
        "targets:\n  - {values: [ann], version: live}\n"
        "  - {column: device, values: [tablet], version: trusted}\n"
        "sticky: device\nlog_mode: written\n"
    )
    shop.deployment.deploy("buys", "2")
    assert [answers(shop, device=each) for each in ("ann", "tablet")] == [2, 1]
    shop.rollouts.start("buys", "3", no_shadow=True, pace="blue_green")
    assert [answers(shop, device=each) for each in ("ann", "tablet", "phone")] == [2, 1, 3]
    shop.rollouts.promote("buys")
    assert [answers(shop, device=each) for each in ("ann", "tablet", "phone")] == [3, 1, 3]


def test_a_definition_may_keep_models_in_a_process_of_their_own(define):
    define("").deployment.deploy("buys", "2")
    shop = define("isolate: process\nmemory_mb: 512\n")
    told = {each.setting: (each.now, each.defined) for each in shop.deployment.diff("buys")}
    assert told == {"isolate": ("none", "process"), "memory_mb": ("", "512")}
    desired = shop.deployment.deploy("buys", "2").desired
    assert (desired.isolate, desired.memory_mb) == ("process", 512)
    silent = define("")
    assert silent.deployment.diff("buys") == []
    assert silent.deployment.deploy("buys", "1").desired.isolate == "process"
    with pytest.raises(DefinitionError, match=r"TD-PROJECT-005.*isolate"):
        define("isolate: thread\n").deployment.deploy("buys", "2")


def test_what_is_written_by_hand_comes_first_and_may_name_a_tag(define):
    shop = define(TABLETS)
    shop.deployment.traffic("buys", {"3": 99, "2": 1, "1": 0}, target=["device=tablet:v2"])
    assert [answers(shop, device=each) for each in ("tablet", "phablet")] == [2, 1]
    shop.deployment.traffic("buys", {"3": 1, "1": 0}, target=["device=desktop:trusted"])
    assert answers(shop, device="desktop") == 1


def test_what_is_defined_otherwise_is_told_until_it_is_deployed(define):
    define("").deployment.deploy("buys", "2")
    shop = define("sticky: device\n" + TABLETS)
    told = {each.setting: (each.now, each.defined) for each in shop.deployment.diff("buys")}
    assert told == {
        "sticky": ("", "device"),
        "targets": ("", "device=tablet,phablet:v1"),
    }
    shop.deployment.deploy("buys", "2")
    assert shop.deployment.diff("buys") == []
    facts = shop.live.deployment("buys").facts
    assert facts["targets"] == "device=tablet,phablet:v1"


def test_a_target_reads_the_same_by_hand_as_it_is_shown(define):
    shop = define(TABLETS)
    state = shop.deployment.deploy("buys", "2")
    text = shop.live.deployment("buys").facts["targets"]
    again = define("").deployment.traffic("buys", {"2": 1, "1": 0}, target=[text])
    assert again.desired.targets == state.desired.targets


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{column: divice, values: [tablet], version: 1}", "looks at 'divice'.*'device'"),
        ("{column: device, values: [no], version: 1}", "asks 'device' for False.*quotes"),
        ("{column: pages, values: [many], version: 1}", "asks 'pages' for many.*double"),
        ("{column: device, values: [], version: 1}", "has no values"),
        ("{values: [1.5], version: 1}", "asks 'key' for 1.5"),
        ("{values: [ann], version: 9}", "leads to '9'"),
        ("{values: [ann], version: champion}", "leads to 'champion'"),
    ],
)
def test_a_target_that_fits_nothing_is_refused_with_its_place(define, target, said):
    shop = define(f"targets:\n  - {{values: [bob], version: 1}}\n  - {target}\n")
    with pytest.raises(
        DefinitionError, match=rf"TD-DEPLOY-009: shop0.yaml:\d+: targets\[1\] {said}"
    ):
        shop.deployment.deploy("buys", "2")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("targets: [device=tablet:1]\n", r"targets\[0\].*keys among column, values, version"),
        ("targets: {device: tablet}\n", "targets"),
        (
            "targets:\n  - {values: [ann], versoin: 1}\n",
            r"'versoin' is not a key in targets\[0\].*'version'",
        ),
        ("targets:\n  - {values: [ann]}\n", "version"),
        ("tragets: []\n", "'tragets' is not a key here.*targets"),
        (
            "rollout: {guards: {eror_share: 1}}\n",
            "'eror_share' is not a key in rollout.guards.*'err",
        ),
    ],
)
def test_what_is_no_list_of_targets_is_refused_with_its_place(define, lines, said):
    with pytest.raises(DefinitionError, match=rf"TD-PROJECT-005: shop0.yaml:\d+: .*{said}"):
        define(lines).deployment.deploy("buys", "2")


def test_ids_of_people_are_keys_also_when_they_are_numbers(define):
    shop = define("sticky: device\ntargets:\n  - {values: [17], version: 1}\n")
    state = shop.deployment.deploy("buys", "2")
    assert state.desired.targets[0].values == ["17"]
