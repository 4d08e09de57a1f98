"""TFDV's statistics by weight of a small table, kept for tests: run by the peer's own Python.

python benchmarks/tfdv_agreement/weighted.py tests/unit/data/tfdv_weighted.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
from google.protobuf import json_format
from peer import array_of
from tensorflow_data_validation.statistics import stats_impl, stats_options


def main(path: str) -> None:
    """Read `table` and `weight` of the file, and put the message beside them."""
    kept = json.loads(Path(path).read_text(encoding="utf-8"))
    arrays = {name: array_of(column) for name, column in kept["table"].items()}
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
    options = stats_options.StatsOptions(weight_feature=kept["weight"])
    found = stats_impl.generate_statistics_in_memory(batch, options)
    kept["message"] = json_format.MessageToDict(found, preserving_proto_field_name=True)
    text = json.dumps(kept, ensure_ascii=False) + "\n"
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
