"""Library mode: first score from a cold start, one row, tables; beside onnxruntime alone.

Run: python benchmarks/library.py [--rounds 7]
Thirty columns of which four are computed, once as a logistic regression and once as 200 trees.
The floor is given what ours must find out: a float64 matrix, checked and computed. The exported graph is
features and model in onnxruntime, given arrays. Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pyarrow as pa

from table import tell
from tondo.adapters.exports.onnx.exporter import OnnxExporter
from tondo.adapters.exports.onnx.forms import NULL_SUFFIX
from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.adapters.libraries.sklearn.train import SklearnLibrary
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.faces.scorer.bootstrap import load
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_vector
from tondo.ports.exporter import ModelToExport
from tondo.scoring.package import PackageContents, Sample, seal

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 30
ROWS = 20_000
TYPES = {
    **{f"x{place}": "double" for place in range(WIDTH - 3)},
    "carrier": "string",
    "at": "timestamp",
    "late": "bool",
}
TEXTS = {
    **{f"x{place}": f"x{place}" for place in range(WIDTH - 4)},
    "ratio": "x0 / nullif(x26, 0)",
    "who": "position_in(carrier, 'AA', 'UA', 'DL', 'B6')",
    "hour": "hour(at, 'America/New_York')",
    "late": "late",
}
COLD_TONDO = "import json, sys, tondo; tondo.load(sys.argv[1]).predict(json.loads(sys.argv[2]))"
COLD_FLOOR = (
    "import sys, numpy, onnxruntime;"
    "s = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider']);"
    "s.run(None, {'features': numpy.zeros((1, int(sys.argv[2])))})"
)


def made_rows(count: int) -> list[dict[str, Any]]:
    some = random.Random(1)
    return [
        {
            **{f"x{place}": some.gauss(0, 1) for place in range(WIDTH - 3)},
            "carrier": some.choice(["AA", "UA", "DL", "B6", "WN"]),
            "at": 1_364_774_400_000_000 + some.randrange(10**12),
            "late": some.random() < 0.5,
        }
        for _ in range(count)
    ]


def package(rows: list[dict[str, Any]], algorithm: str) -> PackageContents:
    features = {name: check(parse(text), TYPES) for name, text in TEXTS.items()}
    vector = compile_vector(features)
    matrix = np.array([vector(row) for row in rows[:5000]])
    label = (matrix[:, 0] + matrix[:, 1] + np.random.default_rng(2).normal(size=5000) > 0).astype(
        float
    )
    library = LightGBMLibrary() if algorithm == "lightgbm" else SklearnLibrary()
    form = library.fit(
        algorithm, {}, matrix, label, names=list(TEXTS), categorical=[], seed=7, threads=1
    ).forms[0]
    loader = LightGBMLoader() if form.runtime == "lightgbm" else OnnxLoader()
    score = loader.load(form.files, form.options).predict_row(vector(rows[0]))
    return PackageContents(
        name=algorithm,
        task="binary",
        algorithm=algorithm,
        runtime=form.runtime,
        runtime_options=form.options,
        inputs=TYPES,
        features=features,
        files=form.files,
        samples=[Sample(row=rows[0], vector=vector(rows[0]), score=score)],
    )


def session_of(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def given(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """The inputs of the exported graph."""
    kinds = {"double": np.float64, "string": object, "timestamp": np.int64, "bool": np.bool_}
    found = {}
    for name, type_ in TYPES.items():
        found[name] = np.array([[row[name]] for row in rows], dtype=kinds[type_])
        if type_ != "double":
            found[name + NULL_SUFFIX] = np.zeros((len(rows), 1), dtype=np.bool_)
    return found


def micros(call: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times * 1e6


def warm(contents: PackageContents, rows: list[dict[str, Any]]) -> dict[str, Callable[[], object]]:
    """What is measured in this process: name to one call."""
    model = load(seal(contents))
    exported = OnnxExporter().export(
        ModelToExport(
            name=contents.name,
            features=contents.features,
            runtime=contents.runtime,
            files=contents.files,
            threshold=None,
        )
    )
    graph = session_of(exported.data)
    read = {each.name for each in graph.get_inputs()}
    one, all_ = ({k: v for k, v in given(some).items() if k in read} for some in (rows[:1], rows))
    scores = graph.run(["score"], all_)[0].ravel()
    assert np.abs(scores - np.array(model.predict(rows))).max() <= 1e-12
    lent = pa.table({name: [row[name] for row in rows] for name in TYPES})
    columns = {name: lent[name].to_numpy() for name in TYPES}
    assert model.predict(lent) == model.predict(columns) == model.predict(rows)
    calls = {
        "one row: predict": lambda: model.predict(rows[0]),
        "one row: the exported graph": lambda: graph.run(["score"], one),
        f"{ROWS:,} rows: predict(rows)": lambda: model.predict(rows),
        f"{ROWS:,} rows: predict(NumPy columns)": lambda: model.predict(columns),
        f"{ROWS:,} rows: predict(Arrow table)": lambda: model.predict(lent),
        f"{ROWS:,} rows: the exported graph": lambda: graph.run(["score"], all_),
    }
    vector = compile_vector(contents.features)
    matrix = np.array([vector(row) for row in rows])
    floors = floor_of(contents)
    return {
        "one row: the model alone": lambda: floors(matrix[:1]),
        f"{ROWS:,} rows: the model alone": lambda: floors(matrix),
        **calls,
    }


def floor_of(contents: PackageContents) -> Callable[[np.ndarray], object]:
    """The model on a ready matrix: onnxruntime alone, or LightGBM's own Python call."""
    data = next(iter(contents.files.values()))
    if contents.runtime == "onnx":
        session = session_of(data)
        return lambda rows: session.run(None, {"features": rows})
    import lightgbm

    booster = lightgbm.Booster(model_str=data.decode())
    return lambda rows: booster.predict(rows, num_threads=1)


def cold(
    folder: Path, contents: PackageContents, row: dict[str, Any]
) -> dict[str, Callable[[], object]]:
    """What is measured from the start of a process."""
    import json

    packed, graph = folder / "model.tondo", folder / "model.onnx"
    packed.write_bytes(seal(contents))
    graph.write_bytes(contents.files["model.onnx"])

    def run(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", *command], check=True)

    return {
        "cold start: python -c pass": run("pass"),
        "cold start: the model alone": run(COLD_FLOOR, str(graph), str(len(TEXTS))),
        "cold start: load and predict": run(COLD_TONDO, str(packed), json.dumps(row)),
    }


def measured(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median microseconds of each call over interleaved rounds; the first round is left out."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            times = 300 if name.startswith("one row") else 1
            taken[name].append(micros(call, times))
    return {name: statistics.median(values[1:]) for name, values in taken.items()}


def lines(model: str, found: dict[str, float]) -> list[list[str]]:
    """Figures beside the floor of their kind, in microseconds a row or milliseconds a start."""
    rows = []
    for name, us in found.items():
        kind = name.partition(":")[0]
        floor = found[f"{kind}: the model alone"]
        shown = {"one row": f"{us:.1f} us", "cold start": f"{us / 1e3:.0f} ms"}.get(
            kind, f"{us / 1e3:.1f} ms"
        )
        rows.append([f"{model}, {name}", shown, f"{us / floor:.2f}"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    rows = made_rows(ROWS)
    logistic, trees = (package(rows, name) for name in ("logistic", "lightgbm"))
    told = []
    with tempfile.TemporaryDirectory() as place:
        told += lines("logistic", measured(cold(Path(place), logistic, rows[0]), rounds))
    told += lines("logistic", measured(warm(logistic, rows), rounds))
    told += lines("200 trees", measured(warm(trees, rows), rounds))
    tell(["what", "median", "to the model alone"], told)


if __name__ == "__main__":
    main()
