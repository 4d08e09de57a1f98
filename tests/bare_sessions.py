"""The memory of many models: in a scorer, and as the runtimes' own sessions in a bare process."""

import json
import subprocess
import sys
import time
from pathlib import Path

import scored
from scorer_process import running

BARE = """
import json, pathlib, sys
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
loaders = {".txt": LightGBMLoader(), ".onnx": OnnxLoader()}
held = []
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    held.append(loaders[path.suffix].load({path.name: path.read_bytes()}, {}))
    if len(held) <= 2:
        before = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
import ctypes
ctypes.CDLL(None).malloc_trim(0)
after = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
print(json.dumps([before * 4096, after * 4096]))
"""


def measured_memory(folder, models):
    """Return (with the first two models, with all) in bytes, of the scorer and of the floor."""
    packages, sessions, two = (folder / name for name in ("packages", "sessions", "two"))
    for each in (packages, sessions, two):
        each.mkdir()
    for number in range(models):
        name = f"m{number:03d}"
        contents = scored.contents(name, bias=number / 100, **_kind(number))
        data = scored.seal(contents)
        (packages / f"{name}.tondo").write_bytes(data)
        if number < 2:
            (two / f"{name}.tondo").write_bytes(data)
        for file, model in contents.files.items():
            (sessions / f"{name}{Path(file).suffix}").write_bytes(model)
    command = [sys.executable, "-c", BARE, str(sessions)]
    bare = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return (_memory_with(two), _memory_with(packages)), tuple(bare)


def _kind(number):
    if number % 2:
        return {"runtime": "onnx"}
    return {"runtime": "lightgbm", "text": scored.forest_text(4, 200, 31, seed=number % 10)}


def _memory_with(folder):
    with running("--packages", folder) as scorer:
        time.sleep(1.5)
        status = scorer.get("/v1/status").json
        assert len(status["models"]["resident"]) == len(list(folder.iterdir()))
        return status["memory_bytes"]
