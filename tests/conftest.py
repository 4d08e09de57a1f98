"""One Spark for all tests of a process: its start takes longer than most files of tests."""

import pytest

from tondo.adapters.engines.spark.engine import SparkEngine

collect_ignore = ["official_clients.py"]
"""A program of the clients' environment, whose packages are not among ours."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items):
    """Keep what needs Spark in one worker (`pytest -n 2 --dist loadgroup`)."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "spark" in item.fixturenames or "spark" in parameters.values():
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def spark():
    # A compiler of one stage starts sooner; what is compiled here runs for seconds only.
    patched = pytest.MonkeyPatch()
    patched.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    opened = SparkEngine(url="local[2]")
    assert opened.session is not None
    patched.undo()
    yield opened
    opened.close()
