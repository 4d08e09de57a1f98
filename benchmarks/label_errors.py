"""Planted label errors on real data: how many of them out-of-fold scores find, beside cleanlab.

2 % of the labels are flipped by a seed, scores are made as `tondo labels judge` makes them (5 folds
of time), and the suspected labels are compared with the flipped ones. Where labels are a matter of
chance, suspects that were not flipped are many, and not wrong to look at.

cleanlab judges the same scores when TONDO_CLEANLAB names a Python that has it (prune by noise rate,
ranked by margin). Shown are its own precision and recall, how many of its suspects are ours too,
and Spearman's correlation of the two rankings of these.

Run: python benchmarks/label_errors.py
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flights import flights
from table import tell
from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.adapters.libraries.sklearn.train import SklearnLibrary
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.ledger.ledger import Ledger
from tondo.stages.data.suspects import suspected_labels
from tondo.stages.features.resolve import ResolvedFeatures
from tondo.stages.training.job import Tools
from tondo.stages.training.out_of_fold import out_of_fold_scores
from tondo.stages.training.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = (1, 2, 3)
SHARE = 0.02
FOLDS = 5
CLEANLAB = """
import sys, numpy as np
from cleanlab.filter import find_label_issues
given = np.load(sys.argv[1])
scores = np.column_stack([1 - given["scores"], given["scores"]])
found = find_label_issues(given["labels"], scores, filter_by="prune_by_noise_rate",
    return_indices_ranked_by="normalized_margin", n_jobs=1, min_examples_per_class=0)
np.save(sys.argv[2], found)
"""


class Case(NamedTuple):
    """A table with a true label, and how it is learnt."""

    name: str
    columns: dict[str, np.ndarray]
    truth: np.ndarray
    algorithm: str


def main() -> None:
    rows = []
    for case in cases():
        found = [measure(case, seed) for seed in SEEDS]
        means = [float(np.mean(column)) for column in zip(*found, strict=True)]
        shown = ["" if np.isnan(each) else f"{each:.2f}" for each in means[1:]]
        rows.append([case.name, len(case.truth), f"{means[0]:.0f}", *shown])
    tell(
        [
            f"{SHARE:.0%} of the labels flipped, mean of seeds {SEEDS}",
            "rows",
            "suspected",
            "precision",
            "recall",
            "AUC",
            "cleanlab: precision",
            "recall",
            "of its suspects ours",
            "ranks, Spearman",
        ],
        rows,
    )


def cases() -> Iterator[Case]:
    from sklearn.datasets import load_breast_cancer, load_digits

    for algorithm in ("logistic", "lightgbm"):
        for name, data, truth in (
            ("breast cancer, malignant", load_breast_cancer(), lambda target: target == 0),
            ("digits, 5 or more", load_digits(), lambda target: target >= 5),
        ):
            order = np.random.default_rng(0).permutation(len(data.target))
            columns = {f"c{at}": data.data[order, at] for at in range(data.data.shape[1])}
            yield Case(f"{name}: {algorithm}", columns, truth(data.target[order]), algorithm)
    table = flights()
    table = table.filter(pc.and_(table["arr_delay"].is_valid(), pc.less_equal(table["month"], 2)))
    names = ("dep_delay", "dep_time", "sched_arr_time", "distance", "day", "month")
    columns = {name: table[name].cast(pa.float64()).to_numpy() for name in names}
    late = table["arr_delay"].to_numpy() > 15
    yield Case("flights in the air, over 15 minutes late: lightgbm", columns, late, "lightgbm")


def measure(case: Case, seed: int) -> list[float]:
    """Return suspects, precision, recall and AUC, then cleanlab's figures or NaN."""
    from sklearn.metrics import roc_auc_score

    flipped = np.random.default_rng(seed).random(len(case.truth)) < SHARE
    labels = case.truth ^ flipped
    scores = scored(case, labels)
    suspects = [each.row for each in suspected_labels(labels.tolist(), scores).suspects]
    return [
        len(suspects),
        *hits(suspects, flipped),
        float(roc_auc_score(labels, scores)),
        *beside(suspects, labels, scores, flipped),
    ]


def scored(case: Case, labels: np.ndarray) -> np.ndarray:
    """Return the out-of-fold scores, the rows' order standing for time."""
    count = len(labels)
    at = pa.array(np.arange(count) * 1_000_000, pa.timestamp("us", tz="UTC"))
    table = pa.table({"row": np.arange(count), "at": at, "label": labels, **case.columns})
    types = dict.fromkeys(case.columns, "double")
    features = {name: check(parse(name), types) for name in case.columns}
    spec = ModelSpec(
        model="planted",
        source="table",
        label="label",
        time="at",
        row_id="row",
        features={name: name for name in case.columns},
        algorithm=case.algorithm,
    )
    clock = ManualClock(0)
    return out_of_fold_scores(
        spec,
        table,
        label="label",
        resolved=ResolvedFeatures(features=features, inputs=types, view_features=[]),
        tools=Tools(
            engine=DuckDBEngine(threads=2),
            blobs=MemoryBlobs(),
            ledger=Ledger.open("sqlite://", clock=clock),
            libraries={"sklearn": SklearnLibrary(), "lightgbm": LightGBMLibrary()},
            runtimes={},
            clock=clock,
        ),
        folds=FOLDS,
    ).scores


def hits(suspects: list[int], flipped: np.ndarray) -> list[float]:
    """Return precision and recall."""
    true = int(flipped[suspects].sum())
    return [true / max(len(suspects), 1), true / int(flipped.sum())]


def beside(
    suspects: list[int], labels: np.ndarray, scores: np.ndarray, flipped: np.ndarray
) -> list[float]:
    """Return cleanlab's precision, recall, share of its suspects that are ours, and rank relation."""
    from scipy.stats import spearmanr

    python = os.environ.get("TONDO_CLEANLAB")
    if python is None:
        return [float("nan")] * 4
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "found.npy"
        np.savez(given, labels=labels.astype(int), scores=scores)
        subprocess.run([python, "-c", CLEANLAB, str(given), str(answer)], check=True)
        theirs = np.load(answer).tolist()
    ours = {row: place for place, row in enumerate(suspects)}
    both = [row for row in theirs if row in ours]
    ranks = spearmanr(range(len(both)), [ours[row] for row in both]).statistic
    return [*hits(theirs, flipped), len(both) / max(len(theirs), 1), float(ranks)]


if __name__ == "__main__":
    main()
