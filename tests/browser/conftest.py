"""The workspace painted by hand, and a browser, for the faces' tests."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium import CHROMIUM, Browser

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


@pytest.fixture(scope="session")
def _chromium_there():
    if CHROMIUM is None:
        reason = "no Chromium is installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(_chromium_there, tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()
