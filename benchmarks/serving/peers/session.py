"""The model session that every peer is given but MLflow, which has its own."""

from pathlib import Path

from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader

COLUMNS = [f"column_{at:02d}" for at in range(30)]


def load(folder):
    """Return the function from 30 values to a score: LightGBM's single-row fast call."""
    files = {"model.txt": (Path(folder) / "model.txt").read_bytes()}
    return LightGBMLoader().load(files, {}).predict_row
