"""The model and the rows: LightGBM, 200 trees of 31 leaves, 30 columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [f"column_{at:02d}" for at in range(30)]
TREES, LEAVES = 200, 31
ROWS = 64
"""Different rows: one row again and again would teach the processor the way through each tree."""


def make_forest(folder: Path) -> None:
    """Write `forest.tondo`, `model.txt` and `rows.json`: rows with their scores."""
    import lightgbm

    from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
    from tondo.language.tree import Column
    from tondo.scoring.package import PackageContents, Sample, seal

    random = np.random.default_rng(1)
    matrix = random.normal(size=(20_000, len(COLUMNS)))
    label = (matrix[:, :5].sum(1) + random.normal(size=len(matrix)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": LEAVES, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, label), TREES)
    files = {"model.txt": booster.model_to_string().encode()}
    runtime = LightGBMLoader().load(files, {})
    rows = [[round(each, 6) for each in row] for row in matrix[:ROWS].tolist()]
    scores = [runtime.predict_row(row) for row in rows]
    peer = booster.predict(np.array(rows), num_threads=1).tolist()
    assert np.allclose(scores, peer, rtol=0, atol=1e-12)
    contents = PackageContents(
        name="forest",
        task="binary",
        algorithm="lightgbm",
        runtime="lightgbm",
        extra="lightgbm",
        inputs=dict.fromkeys(COLUMNS, "double"),
        features={name: Column(name, "double") for name in COLUMNS},
        threshold=0.5,
        files=files,
        samples=[Sample(row=_named(rows[0]), vector=rows[0], score=scores[0])],
    )
    (folder / "forest.tondo").write_bytes(seal(contents))
    (folder / "model.txt").write_bytes(files["model.txt"])
    (folder / "rows.json").write_text(json.dumps({"rows": rows, "scores": scores}))


def _named(row: list[float]) -> dict[str, float]:
    return dict(zip(COLUMNS, row, strict=True))
