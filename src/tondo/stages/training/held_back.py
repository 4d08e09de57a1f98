"""Which part of a split a row belongs to: a pure function of the row, the split and its seed.

A row that is hashed stays in its part when rows are added, taken away or shuffled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.canonical import digest_bytes
from tondo.core.durations import parse_duration_us
from tondo.core.errors import DataError, near
from tondo.stages.training.columns import column_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    import pyarrow as pa

    from tondo.stages.training.spec import Split

TRAINING, VALIDATION, TEST = range(3)
NAMES = {"train": TRAINING, "training": TRAINING, "validation": VALIDATION, "test": TEST}
"""What a column may call a part."""
_HEX = 13
"""52 bits of a digest: as many as a double between 0 and 1 tells apart."""


def time_boundaries(ordered: np.ndarray, split: Split) -> tuple[int, int | None]:
    """Return the first instants of validation and of test, from instants in order.

    A duration reaches back from the newest row, or from where the test part begins; a share is of
    all rows. Rows of one instant are never torn apart.
    """
    test = None
    before = ordered
    if split.test is not None:
        test = _boundary(ordered, split.test, rows=len(ordered))
        before = ordered[ordered < test]
    if not len(before):
        raise nothing_held_back("validation", split)
    if test is None or isinstance(split.validation, float):
        return _boundary(before, split.validation, rows=len(ordered)), test
    return test - parse_duration_us(split.validation), test


def _boundary(ordered: np.ndarray, part: str | float, *, rows: int) -> int:
    if isinstance(part, str):
        return int(ordered[-1]) - parse_duration_us(part) + 1
    # As many rows as the share of all of them, counted back from the last of these.
    at = min(int(rows * (1 - part)) - (rows - len(ordered)), len(ordered) - 1)
    return int(ordered[max(at, 0)])


def parts_of(table: pa.Table, split: Split, *, row_id: str) -> np.ndarray:
    """Return each row's part by the split's hash or column: TRAINING, VALIDATION or TEST.

    TD-TRAIN-001 when the table lacks the column, TD-TRAIN-010 when it names another part.
    """
    if split.by == "column":
        return _named(column_of(table, str(split.column)), str(split.column))
    column = column_of(table, row_id if split.by == "random" else str(split.column))
    return _hashed(column, split)


def place_of(value: Any, seed: int) -> float:
    """Return where a value lies between 0 and 1, evenly for distinct values.

    >>> place_of("N14228", 7) == place_of("N14228", 7) != place_of("N14228", 8)
    True
    """
    text = f"{seed}\x1f{value}".encode("utf-8", "surrogatepass")
    return int(digest_bytes(text)[:_HEX], 16) / 16.0**_HEX


def _hashed(column: pa.ChunkedArray, split: Split) -> np.ndarray:
    import numpy as np

    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    places = np.array([place_of(each, split.seed) for each in encoded.dictionary.to_pylist()])
    test = 0.0 if split.test is None else float(split.test)
    part = np.full(len(places), TRAINING, dtype=np.int8)
    part[places < test + float(split.validation)] = VALIDATION
    # Below the other: a test part asked for later is taken from validation, never from training.
    part[places < test] = TEST
    found: np.ndarray = part[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def _named(column: pa.ChunkedArray, name: str) -> np.ndarray:
    import numpy as np

    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    values: Sequence[Any] = encoded.dictionary.to_pylist()
    for value in values:
        if value not in NAMES:
            raise DataError(
                "TD-TRAIN-010",
                f"the column '{name}' says {value!r}, which is no part of a split",
                expected="training, validation or test in every row",
                fix=near(str(value), list(NAMES)),
                column=name,
            )
    part = np.array([NAMES[each] for each in values], dtype=np.int8)
    found: np.ndarray = part[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def nothing_held_back(part: str, split: Split) -> DataError:
    """Return the error of a part without rows, TD-TRAIN-011."""
    of = f" of '{split.column}'" if split.column else ""
    return DataError(
        "TD-TRAIN-011",
        f"the split by {split.by}{of} leaves no labelled row for {part}",
        expected="rows in every part that the split asks for",
        fix="Hold back a larger share, choose another seed or column, or wait for more rows.",
        part=part,
    )
