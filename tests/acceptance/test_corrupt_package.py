"""A flipped byte in a package: named by every way in; a running scorer keeps what it serves."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import tondo
from scorer_process import running
from shop import ROW, bring_live, write_shop, write_visits
from tondo.core.errors import PlatformError, TondoError
from tondo.faces.cli.start import main
from tondo.scoring.plan import read_pointer
from tondo.stages.deployment.deploy import deploy
from tondo.workspace.bootstrap import open_workspace


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A live shop with a second version, not live yet."""
    folder = write_shop(tmp_path_factory.mktemp("shop"))
    first = bring_live(folder)
    write_visits(folder / "visits.csv", seed=11)
    with open_workspace(folder) as workspace:
        workspace.data.commit_source("visits")
        second = workspace.registry.register(workspace.training.train("buys").id)
    assert first.package != second.package
    return folder, first, second


def blob(folder, digest):
    return folder / ".tondo" / "blobs" / digest[:2] / digest[2:]


@pytest.fixture
def flipped(shop):
    """Flip a byte of the second version's blob; what is returned puts it right, as the end does."""
    path = blob(shop[0], shop[2].package)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x40
    path.write_bytes(damaged)

    def mend():
        path.write_bytes(whole)

    yield mend
    mend()


def test_a_flipped_byte_anywhere_is_found_and_nothing_is_answered(shop, tmp_path):
    whole = blob(shop[0], shop[1].package).read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 150))
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        with pytest.raises(TondoError, match="TD-PACKAGE-"):
            tondo.load(bytes(damaged)).predict(ROW)


def test_a_package_cut_short_is_found(shop, tmp_path):
    whole = blob(shop[0], shop[1].package).read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.tondo").write_bytes(whole[:length])
        with pytest.raises(TondoError, match="TD-PACKAGE-00[12]"):
            tondo.load(tmp_path / "cut.tondo")


def test_what_is_no_package_at_all_is_told_with_its_path(tmp_path):
    with pytest.raises(TondoError, match=r"TD-PACKAGE-008.*gone\.tondo"):
        tondo.load(tmp_path / "gone.tondo")
    with pytest.raises(TondoError, match="TD-PACKAGE-008"):
        tondo.load(tmp_path)


def desire(workspace, version):
    """Bring a version live as one does who does not look at it first."""
    deploy(
        "buys",
        version,
        ledger=workspace.parts.ledger,
        clock=workspace.parts.clock,
        by="ana",
        why="unseen",
    )
    workspace.deployment.publish(why="unseen")


def test_the_scorer_keeps_the_old_plan_and_follows_once_the_blob_is_whole(shop, flipped):
    folder, first, second = shop
    with open_workspace(folder) as workspace, running("--root", folder / ".tondo") as scorer:
        assert scorer.score(ROW, name="buys").json["version"] == first.number
        desire(workspace, second)
        problem = awaited(lambda: scorer.get("/v1/status").json["problem"])
        assert problem["code"] == "TD-BLOB-002"
        assert second.package in problem["message"]
        answer = scorer.score(ROW, name="buys")
        assert (answer.status, answer.json["version"]) == (200, first.number)
        flipped()
        awaited(lambda: scorer.get("/v1/status").json["problem"] is None)
        assert scorer.score(ROW, name="buys").json["version"] == second.number
        workspace.deployment.deploy("buys", str(first.number))


def awaited(told):
    """What `told` says once it says something; a plan is tried again every 2 s."""
    deadline = time.monotonic() + 30
    while not (found := told()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    "bring",
    [
        lambda workspace, version: workspace.deployment.deploy("buys", version),
        lambda workspace, version: workspace.deployment.traffic("buys", {version: 1.0}),
        lambda workspace, version: workspace.rollouts.start("buys", version, no_shadow=True),
    ],
    ids=["deploy", "traffic", "rollout"],
)
def test_a_damaged_version_is_not_brought_live(bring, shop, flipped):
    folder, first, second = shop
    with open_workspace(folder) as workspace:
        before = [(each.name, each.target) for each in workspace.parts.ledger.pointers("")]
        with pytest.raises(PlatformError, match=f"TD-BLOB-002.*{second.package}"):
            bring(workspace, str(second.number))
        answer = workspace.deployment.predict("buys", ROW)
        after = [(each.name, each.target) for each in workspace.parts.ledger.pointers("")]
    assert answer.variants[0].version == first.number
    assert after == before


def test_what_was_damaged_since_is_refused_and_rolled_back(shop, flipped, capsys, monkeypatch):
    folder, first, second = shop
    monkeypatch.chdir(folder)
    with open_workspace(folder) as workspace:
        desire(workspace, second)
    ask = ["predict", "buys", *(f"{name}={value}" for name, value in ROW.items())]
    assert main(ask) == 3
    out, said = capsys.readouterr()
    assert said.startswith(f"TD-BLOB-002: the object {second.package}")
    assert "restore the file" in said
    assert "Traceback" not in out + said
    assert main(["deployment", "rollback", "buys"]) == 0
    assert main(ask) == 0
    assert f"version {first.number}" in capsys.readouterr().out


def test_a_plan_that_cannot_be_told_is_coded_and_told_later(shop):
    """The pointer file's place is taken by a folder: the ledger commits, the scorers wait."""
    folder, _first, second = shop
    pointer = folder / ".tondo" / "serving" / "pointer.json"
    with open_workspace(folder) as workspace:
        pointer.unlink()
        (pointer / "x").mkdir(parents=True)
        with pytest.raises(PlatformError, match=r"TD-PLAN-006.*tondo deployment reconcile"):
            workspace.deployment.deploy("buys", str(second.number))
        assert [
            each.name for each in pointer.parent.iterdir() if "pointer.json." in each.name
        ] == []
        (pointer / "x").rmdir()
        pointer.rmdir()
        workspace.deployment.reconcile()
        assert read_pointer(pointer).digest == workspace.parts.ledger.pointer("serving/plan").target
        workspace.deployment.rollback("buys")
