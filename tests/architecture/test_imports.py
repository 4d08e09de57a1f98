"""Who may import what, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "tondo"

HOMES = {
    "duckdb": ["adapters/engines/duckdb"],
    "pyspark": ["adapters/engines/spark"],
    "datasketches": ["adapters/sketches/datasketches"],
    "tensorflow_metadata": ["adapters/messages/tensorflow_metadata"],
    "grpc": ["faces/scorer/grpc"],
    "redis": ["adapters/online/redis"],
    "lmdb": ["adapters/online/lmdb"],
    # What is kept and what is read are rooms of their own: blobs, sources' stores, packages.
    "obstore": ["adapters/blobs/obstore", "adapters/sources/obstore", "adapters/packages/obstore"],
    "lightgbm": ["adapters/libraries/lightgbm"],
    "sklearn": ["adapters/libraries/sklearn"],
    "onnx": ["adapters/libraries/sklearn", "adapters/exports/onnx"],
    "onnxruntime": ["adapters/runtimes/onnx", "adapters/exports/onnx"],
    # The ledger is ours and migrated by us; a source's database is another's and only read.
    "sqlalchemy": ["ledger", "adapters/sources/sqlalchemy"],
    "alembic": ["ledger"],
    "litestar": ["faces/api", "faces/ui"],
    "uvicorn": ["faces/scorer", "faces/api"],
    "starlette": ["faces/scorer", "faces/web"],
    "typer": ["faces/cli"],
    "rich": ["faces/cli"],
    "jinja2": ["faces/ui"],
}


def modules():
    return sorted(SOURCE.rglob("*.py"))


@cache
def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("library", sorted(HOMES))
def test_each_outside_library_is_imported_in_its_own_rooms_only(library):
    strangers = [
        str(path.relative_to(SOURCE))
        for path in modules()
        if library in imported(path)
        and not any(str(path.relative_to(SOURCE)).startswith(home) for home in HOMES[library])
    ]
    assert strangers == []


def test_adapters_are_constructed_in_two_places_only():
    allowed = ("workspace/bootstrap/", "faces/scorer/bootstrap.py", "adapters/")
    strangers = []
    for path in modules():
        name = str(path.relative_to(SOURCE))
        if name.startswith(allowed):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "tondo.adapters"
            ):
                strangers.append(name)
    assert strangers == []


def test_time_is_read_from_the_clock_port_only():
    strangers = []
    for path in modules():
        name = str(path.relative_to(SOURCE))
        if name == "adapters/clocks/system.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                called = f"{node.value.id}.{node.attr}"
                if called in {
                    "time.time",
                    "time.time_ns",
                    "datetime.now",
                    "datetime.utcnow",
                    "date.today",
                }:
                    strangers.append(f"{name}:{node.lineno} {called}")
    assert strangers == []


def test_no_module_is_named_after_nothing():
    vague = {"utils.py", "helpers.py", "common.py", "misc.py", "base.py"}
    assert [str(path) for path in modules() if path.name in vague] == []


def test_no_module_keeps_state_that_changes():
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Global):
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert found == []


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_importing_tondo_loads_no_heavy_library():
    heavy = [
        "duckdb",
        "pyarrow",
        "sklearn",
        "lightgbm",
        "sqlalchemy",
        "litestar",
        "numpy",
        "onnxruntime",
    ]
    code = f"import sys, tondo; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_the_public_surface_is_what_was_agreed():
    import tondo

    assert sorted(tondo.__all__) == tondo.__all__ or set(tondo.__all__) == set(dir(tondo))
    for name in tondo.__all__:
        assert getattr(tondo, name) is not None
