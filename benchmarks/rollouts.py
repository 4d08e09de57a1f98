"""Rollouts: how soon a bad candidate is sent back under real load, and how often a good one.

    python benchmarks/rollouts.py [--rate 3000] [--share 0.01] [--rollouts 200] [--only fails,alike]

A scorer with one worker, a small logistic model, rows over HTTP at a fixed rate by an open loop in
a process of its own, and the control plane's loop. Each candidate is the same model, really made
worse. `touched` is what the candidate answered, of all requests from the start of the rollout to
its end, counted in the log. `stated` is what the guard's power says beforehand (power.py): the
requests of the candidate by which nine in ten are found.

`tests` compares tests of more errors: requests of each arm until they stop, the median and nine in
ten, and how often they stop where there is nothing to find in 4,000.

`alike` are rollouts of a version against itself, drawn at random and decided by the very function
that decides in production, with a look every second through all four steps.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from rollout_site import make_shop, register, running_site, worsened
from table import tell
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.scoring.frames import decode
from tondo.scoring.plan import PlannedVariant
from tondo.stages.deployment.evidence import log_more
from tondo.stages.deployment.guards import Coin, Guards
from tondo.stages.deployment.pace import STEPS
from tondo.stages.deployment.power import requests_for_rate, requests_for_shift
from tondo.stages.deployment.rollout import Rollout, next_step
from tondo.stages.monitoring.arm_tally import ArmRow
from tondo.stages.monitoring.arms import Arms

WARM_S = 2.0
LONGEST_S = 120.0
COIN = Coin(steps=4)
ERRORS = 0.01
MOST_ROWS = 4_000
SPREAD = (2 * 6 / (8**2 * 9)) ** 0.5
"""The standard deviation of the scores, Beta(2, 6)."""

NEEDED = COIN.needed
FLOORS = {
    "fails": NEEDED / (0.2 * math.log(2)),
    "nulls": NEEDED / (0.2 * math.log(2)),
    "slow": NEEDED / math.log(2),
    "shifted": NEEDED / 0.2228,  # twice the Jensen-Shannon divergence of normals 1 sd apart, nats
    "five": NEEDED / (0.05 * math.log(5 / 3) - 0.01 * math.log(3)),
}
"""What Wald's test needs on average that knows both versions: log evidence by its growth a pair."""

FAULTS = {
    "fails": ("20 % of requests fail", {"fails": 0.2}, {}, requests_for_rate(5e-4, 400, COIN)),
    "nulls": ("20 % give no number", {"nulls": 0.2}, {}, requests_for_rate(5e-4, 400, COIN)),
    "slow": ("100 ms slower", {"slow_products": 0}, {}, None),
    "shifted": ("scores move by 1 sd", {"shift": 0.0}, {}, requests_for_shift(1.0, Guards(), COIN)),
    "five": (
        "errors 1 % to 5 %",
        {"fails": 0.05},
        {"fails": 0.01},
        requests_for_rate(0.01, 5, COIN),
    ),
    "same": ("nothing: the same package", {}, {}, None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=3_000)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--only", default=",".join([*FAULTS, "tests", "alike"]))
    options = parser.parse_args()
    wanted = options.only.split(",")
    table = []
    if set(wanted) & set(FAULTS):
        table += under_load([each for each in FAULTS if each in wanted], options)
    if table:
        head = (
            "candidate",
            "sent back after s",
            "its requests",
            "floor",
            "stated",
            "touched",
            "requests/s",
            "why",
        )
        tell(head, table)
    if "tests" in wanted:
        head = ("test", "5 % against 1 %", "20 % against 1 %", "3 % against 1 %", "none")
        tell(head, compare_tests(options.rollouts))
    if "alike" in wanted:
        head = ("drawn at random", "rollouts", "sent back", "share")
        moved = ("scores half a standard deviation higher", 0.5)
        cases = (("a version against itself", 0.0), moved)
        tell(head, [alike(name, shift, options.rollouts) for name, shift in cases])


def under_load(names: list[str], options: argparse.Namespace) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        first = make_shop(shop, steps=[options.share, 0.1, 0.2, 0.5])
        with running_site(shop, first) as site:
            spread, seconds = _nature(site)
            changes = {"slow": {"slow_products": seconds}, "shifted": {"shift": spread}}
            return [_one(site, first, name, changes.get(name), options) for name in names]


def _one(site, first, name, changed, options) -> list[str]:
    what, worse, before, stated = FAULTS[name]
    verbs = site.workspace.rollouts
    if before:
        base = register(site.workspace, first, **before)
        site.workspace.deployment.deploy("buys", str(base.number))
    version = register(site.workspace, first, **(changed or worse))
    longest = 30.0 if name == "same" else LONGEST_S
    with site.traffic(options.rate, WARM_S + longest + 10):
        time.sleep(WARM_S)
        begin = time.monotonic()
        position = site.workspace.parts.eventlog.end("predictions/buys")
        verbs.start("buys", str(version.number), no_shadow=True)
        ended = site.rollout_ends(longest)
        took = time.monotonic() - begin
        time.sleep(0.5)
        touched, asked = _touched(site, position, version.number)
    if ended is None:
        verbs.abort("buys")
    if before:
        site.workspace.deployment.deploy("buys", str(first.number))
    said = "not sent back" if ended is None else ended.why.partition(";")[0].partition(",")[0]
    row = [
        what,
        "-" if ended is None else f"{took:.1f}",
        f"{touched:,}",
        f"{math.ceil(FLOORS[name])}" if name in FLOORS else "-",
        "-" if stated is None else f"{stated:,}",
        f"{touched / max(asked, 1):.2%}",
        f"{asked / took:,.0f}",
        said,
    ]
    print(f"  {row}", file=sys.stderr, flush=True)
    return row


def _touched(site, position, version: int) -> tuple[int, int]:
    """Count in the log what was answered since: by the version, and by the last such in all."""
    touched = asked = 0
    read = site.workspace.parts.eventlog.read("predictions/buys", position)
    for place, (_, payload) in enumerate(read, 1):
        if decode(payload).version == version:
            touched, asked = touched + 1, place
    return touched, asked


def _nature(site) -> tuple[float, int]:
    """Return the standard deviation of the scores, and the products that take 100 ms."""
    from rollout_site import rows
    from tondo.scoring.model import load_model
    from tondo.scoring.package import open_package

    parts = site.workspace.parts
    contents = open_package(parts.blobs.get(site.first.package), key=parts.key)
    model = load_model(contents, parts.runtimes)
    spread = float(np.std([model.score_row(each) for each in rows()]))
    return spread, _products(contents)


def _products(contents) -> int:
    """Return how many products take 100 ms in the runtime that serves."""
    loader = OnnxLoader()
    few = loader.load(worsened(contents, slow_products=5).files, {})
    row = [0.0] * len(contents.features)
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        few.predict_row(row)
        taken.append(time.perf_counter() - begin)
    return max(round(0.1 / (min(taken) / 5)), 1)


def alike(name: str, shift: float, count: int) -> list[object]:
    """Roll a version out that should be let through, `count` times, with a look every second."""
    stopped = sum(_aborted(seed, shift) for seed in range(count))
    return [name, count, stopped, f"{stopped / count:.1%}"]


def compare_tests(count: int) -> list[list[object]]:
    """Tell by how many requests of each arm different tests find more errors, and find none."""
    tests = {
        "a mixture of six ratios (ours)": lambda new, old, rows: log_more(new, old) >= NEEDED,
        "a Beta(1, 1) mixture above a half": lambda new, old, rows: _beta(new, old) >= NEEDED,
        "Fisher's exact test at 1e-4 a look": _fisher,
    }
    table = []
    for name, test in tests.items():
        found = [_stops(test, *rates, count) for rates in ((0.05, 0.01), (0.2, 0.01), (0.03, 0.01))]
        cells = [f"{np.median(each):,.0f}, {np.quantile(each, 0.9):,.0f}" for each in found]
        quiet = np.mean(np.array(_stops(test, 0.05, 0.05, count)) < MOST_ROWS)
        table.append([name, *cells, f"{quiet:.1%}"])
    return table


def _stops(test, new_rate: float, old_rate: float, count: int) -> list[int]:
    """Return the requests at which each of `count` rollouts is stopped, looked at every 30."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        new = np.cumsum(random.random(MOST_ROWS) < new_rate)
        old = np.cumsum(random.random(MOST_ROWS) < old_rate)
        looks = range(30, MOST_ROWS + 1, 30)
        stop = (n for n in looks if test(int(new[n - 1]), int(old[n - 1]), n))
        found.append(next(stop, MOST_ROWS))
    return found


def _beta(new: int, old: int) -> float:
    from scipy.special import betaincc, betaln

    if not new + old:
        return 0.0
    above = max(betaincc(new + 1, old + 1, 0.5), 1e-300)
    return betaln(new + 1, old + 1) + math.log(above) + math.log(2) + (new + old) * math.log(2)


def _fisher(new: int, old: int, rows: int) -> bool:
    from scipy.stats import hypergeom

    return new > old and hypergeom.sf(new - 1, 2 * rows, new + old, rows) < 1e-4


class Drawn(NamedTuple):
    """A request at random: one in a hundred fails, one in fifty takes ten times as long."""

    latency_us: int
    error: str | None


def _aborted(seed: int, shift: float) -> bool:
    """Go through all steps; about 30 requests a second and arm, a hundred seconds a step."""
    random = np.random.default_rng(seed)
    for step in range(len(STEPS["canary"])):
        rollout = _rollout(step)
        arms = Arms(rollout)
        for second in range(1, 101):
            for name in rollout.arms:
                moved = shift * SPREAD if name == "candidate" else 0.0
                for latency, fate, score in _seconds_worth(random, moved):
                    error = "TD-SCORE-001" if fate < ERRORS else None
                    drawn = Drawn(latency_us=int(latency), error=error)
                    arms.take(name, drawn, [ArmRow("", "", None if error else score)])
            measured = arms.measure(at_us=second * 1_000_000)
            if next_step(rollout, measured).action == "abort":
                return True
    return False


def _seconds_worth(random, moved):
    count = random.poisson(30)
    slow = np.where(random.random(count) < 0.02, 10.0, 1.0)
    latencies = random.lognormal(8.5, 0.8, count) * slow
    return zip(latencies, random.random(count), random.beta(2, 6, count) + moved, strict=True)


def _rollout(step: int) -> Rollout:
    def variant(name, version):
        return PlannedVariant(name=name, weight=0.0, model="late", version=version,
                              model_version_id=str(version), package="0")  # fmt: skip

    return Rollout(
        id="r", deployment="late", current=variant("live", 1), candidate=variant("candidate", 2),
        before="s", steps=STEPS["canary"], step=step, min_seconds=1e9, min_answers=0,
        step_started_at_us=0, started_at_us=0, by="", why="",
    )  # fmt: skip


if __name__ == "__main__":
    main()
