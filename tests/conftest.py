"""For all tests: one Spark a process, whose start takes longer than most files of tests; no clocks.

Hypothesis fails an example that takes 0.2 s, and a test whose first ten are not drawn within 1 s.
A process that waits for a processor takes that long with sound code: no deadline, and with it
half a minute for the ten, is what every property is held to. Timings are in `benchmarks/`.
"""

import pytest
from hypothesis import settings

from tondo.adapters.engines.spark.engine import SparkEngine

settings.register_profile("tondo", deadline=None)
settings.load_profile("tondo")

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
