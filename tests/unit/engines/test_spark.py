"""What Spark is asked for before it runs; its numbers are in tests/contract."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.spark.engine import SparkEngine
from tondo.core.errors import CallerError, DefinitionError, MissingExtraError, PlatformError
from tondo.core.settings import read_settings
from tondo.workspace import bare
from tondo.workspace.bootstrap import Parts

TABLE = pa.table({"x": [1.0]})


def test_without_java_the_error_names_java_17(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(PlatformError, match=r"TD-SPARK-001.*Java 17"):
        SparkEngine().profile(TABLE, {"x": "double"})


def test_without_pyspark_the_error_names_the_extra(monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(MissingExtraError, match=r"TD-INSTALL-001.*tondo\[spark\]"):
        SparkEngine().profile(TABLE, {"x": "double"})


def test_an_engine_that_is_only_made_loads_nothing_of_spark():
    code = (
        "import sys; from tondo.adapters.engines.spark.engine import SparkEngine;"
        "SparkEngine().close(); print('pyspark' in sys.modules, 'duckdb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_another_engine_is_refused_with_near_names():
    with pytest.raises(CallerError, match=r"TD-SPARK-004.*'spark'"):
        bare.statistics(TABLE, engine="sprak")


def test_the_setting_knows_its_two_engines():
    with pytest.raises(DefinitionError, match=r"TD-SETTING-001.*duckdb or spark"):
        read_settings({"statistics_engine": "sprak"}, {})


def test_a_workspace_describes_with_the_embedded_engine_unless_told(tmp_path):
    parts = Parts(tmp_path, ManualClock(0))
    assert parts.profiler is parts.engine
    parts.close()


def test_a_parquet_file_has_the_types_that_reading_it_gives(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"i": [1, 2], "s": ["a", None], "b": [True, False]}), path)
    read = {name: column.type for name, column in bare.statistics(path).columns.items()}
    assert bare._parquet_files(path).columns == read
