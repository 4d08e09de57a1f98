"""A small shop: a project with a table of visits, for tests that go the whole way."""

import math
import random
from datetime import UTC, datetime, timedelta

from tondo.workspace.bootstrap import open_workspace

FEBRUARY = datetime(2026, 2, 26, tzinfo=UTC)
PROJECT = """\
project: shop
owner: ana
description: Does a visit to the shop end with something bought?
---
source: visits
owner: ana
description: One row a visit.
path: visits.csv
columns: {visit: string, customer: string, at: timestamp, ended_at: timestamp, bought: bool}
event_time: at
known_at: {bought: ended_at, ended_at: ended_at}
key: [visit]
---
model: buys
owner: ana
description: Probability that a visit ends with something bought.
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: time, validation: 0.25}
threshold: 0.5
features:
  pages: zscore(fill_mean(pages))
  minutes: zscore(fill_mean(minutes))
  phone: "case when device = 'phone' then 1.0 else 0.0 end"
gate:
  thresholds: {auc: {min: 0.6}}
---
deployment: buys
model: buys
"""
TREES = """\
model: buys_trees
owner: ana
description: The same question asked of trees.
source: visits
row_id: visit
time: at
label: bought
algorithm: lightgbm
parameters: {trees: 20, leaves: 7}
split: {by: time, validation: 0.25}
features: {pages: pages, minutes: minutes, device: "vocab(device, 5)"}
"""
HABITS = """\
entity: customer
key: customer
owner: ana
description: Who visits.
---
view: habits
entity: customer
source: visits
owner: ana
description: What the customer did before.
freshness: 1d
arrival: pushed
features: {visits_7d: count(*) over 7d}
"""
ROW = {"pages": 7.0, "minutes": 12.5, "device": "phone"}


def write_visits(path, *, rows=1200, seed=7, until=FEBRUARY):
    """Write visits of the eight weeks before `until`; more pages and minutes sell more."""
    made = random.Random(seed)
    lines = ["visit,customer,at,pages,minutes,device,ended_at,bought"]
    for place in range(rows):
        pages, minutes = made.randint(1, 12), made.uniform(0.5, 30)
        device = made.choice(["phone", "desktop"])
        leaning = 0.35 * (pages - 6) + 0.08 * (minutes - 15) - 0.5 * (device == "phone")
        bought = made.random() < 1 / (1 + math.exp(-leaning))
        at = until - timedelta(days=56) * (rows - place) / rows
        customer, ended_at = f"c{made.randint(0, 99):02d}", at + timedelta(minutes=minutes)
        lines.append(
            f"v{place:04d},{customer},{at:%Y-%m-%dT%H:%M:%SZ},{pages},{minutes:.1f},{device},"
            f"{ended_at:%Y-%m-%dT%H:%M:%SZ},{str(bought).lower()}"
        )
    path.write_text("\n".join(lines) + "\n")


def write_shop(folder, *more, **visits):
    """Write the project's folder; `more` are further definition files' texts."""
    folder.mkdir(parents=True, exist_ok=True)
    write_visits(folder / "visits.csv", **visits)
    for place, text in enumerate((PROJECT, *more)):
        (folder / f"shop{place}.yaml").write_text(text)
    return folder


def bring_live(folder):
    """Commit, train, register and deploy `buys`; return its version."""
    with open_workspace(folder) as shop:
        shop.data.commit_source("visits")
        run = shop.training.train("buys")
        version = shop.registry.register(run.id)
        shop.deployment.deploy("buys", str(version.number))
    return version


def write_customers(path, *, rows=600, seed=5):
    """Write customers of 2025: those of the basic plan with few seats leave more often."""
    made = random.Random(seed)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    lines = ["customer,signed_up_at,plan,seats,churned"]
    for place in range(rows):
        plan, seats = made.choice(["basic", "team", "pro"]), made.randint(1, 20)
        leaves = made.random() < 1 / (1 + math.exp(0.2 * (seats - 8) - 1.5 * (plan == "basic")))
        at = begin + timedelta(days=360) * place / rows
        lines.append(
            f"c{place:05d},{at:%Y-%m-%dT%H:%M:%SZ},{plan},{seats},{'yes' if leaves else 'no'}"
        )
    path.write_text("\n".join(lines) + "\n")
