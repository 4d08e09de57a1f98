"""How many workers are asked for."""

import pytest

from tondo.core.errors import CallerError
from tondo.faces.scorer.options import read


@pytest.mark.parametrize(
    ("given", "bounds"), [("1", None), ("2", (2, 2)), ("1..1", (1, 1)), ("1..256", (1, 256))]
)
def test_a_number_or_bounds_are_read(given, bounds):
    assert read(["--root", "x", "--workers", given]).workers == bounds


@pytest.mark.parametrize(
    "given",
    [
        "two",
        "4..1",
        "0",
        "0..2",
        "1..257",
        "-1",
        "",
        "..",
        "1..",
        "..2",
        "1...2",
        "1 ..2",
        "\u0662",
    ],
)
def test_another_is_told(given):
    with pytest.raises(CallerError, match="TD-SCORER-017"):
        read(["--root", "x", f"--workers={given}"])


def test_only_the_supervisor_of_isolated_models_has_none():
    assert read(["--root", "x", "--workers", "0", "--role", "supervisor"]).workers == (0, 0)
