"""Versions are swapped under load, packages loaded and unloaded many times: nobody notices."""

import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from load import Load
from scorer_process import ROW, Workspace, running

SCORE = "/v1/deployments/late/score"


def follow(scorer, number):
    deadline = time.monotonic() + 60
    while scorer.get("/v1/status").json["plan"] != number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def swap_under_load(root, *, rate, swaps, trees):
    """Return the load after `swaps` changes of the version, each a package never seen before."""
    workspace = Workspace(root)
    packages = [
        scored.package(runtime="lightgbm", text=scored.forest_text(4, trees, 31, seed=seed))
        for seed in range(swaps + 1)
    ]
    workspace.publish(workspace.variant(packages[0]))
    with running("--root", root) as scorer:
        versions = set()
        load = Load(scorer.port, SCORE, {"rows": [ROW]}, rate=rate, seconds=swaps * 0.5 + 1)
        thread = threading.Thread(target=load.run, daemon=True)
        thread.start()
        for version, data in enumerate(packages[1:], 2):
            number = workspace.publish(workspace.variant(data, version=version))
            follow(scorer, number)
            versions.add(scorer.score().json["version"])
        thread.join()
        assert versions == set(range(2, swaps + 2))
    return load


def test_swaps_under_load_fail_no_request(tmp_path):
    load = swap_under_load(tmp_path, rate=200, swaps=5, trees=50)
    assert load.failures() == 0
    assert len(load.accepted) == load.sent


@pytest.mark.long
def test_twenty_swaps_at_500_a_second_fail_no_request(tmp_path):
    load = swap_under_load(tmp_path, rate=500, swaps=20, trees=200)
    print(f"{load.sent} requests, 20 swaps, p99 {load.p99_ms():.2f} ms")
    assert load.failures() == 0
    assert len(load.accepted) == load.sent


@pytest.mark.long
def test_memory_returns_after_fifty_loads_and_unloads(tmp_path):
    """Each model takes some 8 MB; what is left after fifty is less than one of them."""
    workspace = Workspace(tmp_path)
    packages = [
        scored.package(runtime="lightgbm", text=scored.forest_text(4, 1500, 31, seed=seed))
        for seed in range(2)
    ]
    with running("--root", tmp_path) as scorer:
        memory = []
        for version in range(1, 51):
            data = packages[version % 2]
            number = workspace.publish(workspace.variant(data, version=version))
            follow(scorer, number)
            assert scorer.score().json["version"] == version
            time.sleep(0.8)  # the old one is closed half a second after its last turn
            memory.append(scorer.get("/v1/status").json["memory_bytes"] / 2**20)
    print(f"after 5 loads {memory[4]:.1f} MB, after 50 {memory[-1]:.1f} MB, most {max(memory):.1f}")
    assert memory[-1] - memory[4] < 8
