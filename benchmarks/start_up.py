"""Start-up times, beside `python -c pass`: import, help, the scorer and the server until they answer.

Run: python benchmarks/start_up.py [--rounds 9]
Rounds are interleaved; the first of each, with cold caches, is left out. The scorer serves one
logistic package, the server a project without state: a package of another size starts later by
the time it takes to load it, which is what `tondo-scorer` logs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import tell
from tondo.adapters.launchers.processes import ProcessLauncher
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.scoring.package import PackageContents, Sample, seal

PYTHON = (sys.executable, "-c")
HELP = (sys.executable, "-m", "tondo.faces.cli", "--help")
COLUMNS = {"pages": "double", "minutes": "double"}
AIMS_MS = {"import tondo": "< 300", "tondo --help": "< 300"}


def run(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def until_ready(launcher: ProcessLauncher, *arguments: str) -> float:
    began = time.perf_counter()
    process = launcher.start([*arguments, "--port", "0"])
    process.wait_ready(60)
    took = time.perf_counter() - began
    process.stop()
    return took


def write_package(folder: Path) -> None:
    """One logistic regression, in the form that the base install scores."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    from tondo.adapters.runtimes.onnx.runtime import OnnxLoader

    weights = numpy_helper.from_array(np.array([[0.2], [0.05]]), "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["linear"]),
        helper.make_node("Sigmoid", ["linear"], ["score"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])
        for name, width in (("x", 2), ("score", 1))
    ]
    graph = helper.make_graph(nodes, "logistic", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    files = {"model.onnx": model.SerializeToString()}
    row = {"pages": 7.0, "minutes": 12.5}
    score = OnnxLoader().load(files, {}).predict_row(list(row.values()))
    contents = PackageContents(
        name="buys",
        task="binary",
        algorithm="logistic",
        runtime="onnx",
        extra="",
        inputs=COLUMNS,
        features={name: check(parse(name), COLUMNS) for name in COLUMNS},
        threshold=0.5,
        files=files,
        samples=[Sample(row=row, vector=list(row.values()), score=score)],
    )
    (folder / "buys.tondo").write_bytes(seal(contents))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        packages, project = Path(place) / "packages", Path(place) / "project"
        packages.mkdir()
        project.mkdir()
        (project / "project.yaml").write_text("project: empty\nowner: nobody\n")
        write_package(packages)
        scorer, server = ProcessLauncher(), ProcessLauncher("tondo.faces.server")
        calls = {
            "python -c pass": lambda: run(*PYTHON, "pass"),
            "import tondo": lambda: run(*PYTHON, "import tondo"),
            "tondo --help": lambda: run(*HELP),
            "scorer, until it answers": lambda: until_ready(scorer, "--packages", str(packages)),
            "server, until it answers": lambda: until_ready(server, "--project", str(project)),
        }
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds + 1):
            for name, call in calls.items():
                taken[name].append(call() * 1000)
    middle = {name: statistics.median(values[1:]) for name, values in taken.items()}
    floor = middle["python -c pass"]
    rows = [
        [
            name,
            f"{ms:.0f}",
            f"{min(taken[name][1:]):.0f} to {max(taken[name][1:]):.0f}",
            f"{ms / floor:.1f}",
            AIMS_MS.get(name, ""),
        ]
        for name, ms in middle.items()
    ]
    tell(["what", "ms", "spread", "to the floor", "aim, ms"], rows)


if __name__ == "__main__":
    main()
