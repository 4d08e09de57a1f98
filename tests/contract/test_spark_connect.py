"""Spark Connect, on a real server of this machine: the answers of the other engines."""

import json
import math
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.language.functions import FUNCTIONS
from tondo.ports.engine import FileTable

pytestmark = pytest.mark.long

# In a process of its own: one process cannot hold Spark itself and a client of Spark Connect.
CLIENT = """
import json, sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet as pq
from tondo.adapters.engines.spark.engine import SparkEngine
from tondo.language.check import check
from tondo.language.functions import FUNCTIONS
from tondo.language.parse import parse
from tondo.ports.engine import FileTable, LookupJoin

engine = SparkEngine(url=sys.argv[1])
path = Path(sys.argv[2])
table = FileTable(paths=(path,), columns={"x": "double", "s": "string", "at": "timestamp"})
trees = {row.name: check(parse(row.example[0]), {}) for row in FUNCTIONS.values()}
lookup = LookupJoin(
    view="v", table=table, key="s", spine_key="s", event_time="at", recorded_at=None, ttl_us=None,
    cadence_us=None, features={"twice": check(parse("x * 2"), {"x": "double"})}, prefix="v.",
)
spine = pa.table({"s": ["b", "a", None], "t": pa.array([9, 0, 9], pa.timestamp("us", tz="UTC"))})
print(json.dumps({
    "examples": engine.evaluate(trees, pa.table({"x": [1.0]})).to_pylist()[0],
    "profile": engine.profile(table, table.columns),
    "joined": engine.point_in_time(spine, time="t", lookups=[lookup], windows=[])["v.twice"].to_pylist(),
}))
engine.close()
"""  # fmt: skip


@pytest.fixture
def server(tmp_path):
    """The address of a Spark Connect server on a free port of loopback."""
    home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
    }
    command = [home / "bin" / "spark-submit", "--master", "local[2]"]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    with (tmp_path / "server.log").open("wb") as log:
        started = subprocess.Popen(
            [*command, "spark-internal"],
            cwd=tmp_path,
            env=os.environ | {"SPARK_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(port, started, tmp_path / "server.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(timeout=60)


def wait_for(port, started, log):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and started.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise TimeoutError(log.read_text()[-2000:])


def test_a_connect_server_gives_the_answers_of_the_other_engines(server, tmp_path):
    at = pa.array([5, 7, None], pa.timestamp("us", tz="UTC"))
    table = pa.table({"x": [1.5, -0.0, None], "s": ["a", "b", "é"], "at": at})
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, server, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    for name, value in found["examples"].items():
        wanted = FUNCTIONS[name].example[1]
        if FUNCTIONS[name].ulp and wanted is not None:
            assert math.isclose(value, wanted, rel_tol=1e-15), name
        else:
            assert value == wanted, name
    duckdb = DuckDBEngine(threads=1)
    columns = {"x": "double", "s": "string", "at": "timestamp"}
    told = duckdb.profile(FileTable(paths=(path,), columns=columns), columns)
    duckdb.close()
    assert found["profile"] == json.loads(json.dumps(told))
    assert found["joined"] == [-0.0, None, None]
