import numpy as np
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import PlatformError


def test_work_larger_than_the_memory_limit_spills_and_is_right(tmp_path):
    numbers = np.random.default_rng(1).random(3_000_000)
    engine = DuckDBEngine(threads=1, memory_limit_mb=60, temp_directory=tmp_path / "spill")
    got = engine.query("select n from t order by n", {"t": pa.table({"n": numbers})})
    assert np.array_equal(got["n"].to_numpy(), np.sort(numbers))
    engine.close()


def test_no_room_to_spill_is_told_with_a_code(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    engine = DuckDBEngine(threads=1, memory_limit_mb=30, temp_directory=blocked)
    numbers = pa.table({"n": np.arange(3_000_000.0)})
    with pytest.raises(PlatformError, match="TD-ENGINE-003"):
        engine.query("select n from t order by n desc", {"t": numbers})
    engine.close()


def test_the_engines_own_folder_goes_with_it():
    engine = DuckDBEngine()
    folder = engine._settings.temp_directory
    assert folder.is_dir()
    engine.close()
    del engine
    assert not folder.exists()
