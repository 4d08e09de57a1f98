"""The workspace painted by hand, for the faces' tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

PAINTED = Path(__file__).parents[2] / "tests" / "unit" / "ui" / "painted_workspace.py"


@pytest.fixture(scope="session")
def painted():
    name = "painted_workspace"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PAINTED)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
