"""Our tables of offsets agree with zoneinfo on the same package, in every zone."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from tondo.language.functions.zones import FIRST_YEAR, LAST_YEAR, zone, zone_names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPAN = [
    int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    for year in (FIRST_YEAR, LAST_YEAR)
]


def rule(name):
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def offset_us(judge, second):
    return (
        int((EPOCH + timedelta(seconds=second)).astimezone(judge).utcoffset().total_seconds())
        * 10**6
    )


@pytest.mark.parametrize(
    "name",
    [*random.Random(0).sample(sorted(zone_names()), 40), "America/New_York", "Africa/Casablanca"],
)
def test_offsets_agree_with_zoneinfo_at_random_and_at_every_change(name):
    judge, table = rule(name), zone(name)
    picked = [random.Random(n).randrange(*SPAN) for n in range(200)]
    changes = [start // 10**6 + step for start in table.starts_us[1:] for step in (-1, 0, 1)]
    for second in picked + changes:
        assert table.offset_us(second * 10**6) == offset_us(judge, second)


def test_the_nearest_offset_holds_outside_the_table():
    table = zone("Europe/Berlin")
    assert table.offset_us(-(2**62)) == table.offsets_us[0]
    assert table.offset_us(2**62) == table.offsets_us[-1]


def test_no_name_leads_out_of_the_package():
    for name in ("../../etc/passwd", "/etc/localtime", "America", "", "america/new_york"):
        assert name not in zone_names()
        with pytest.raises(KeyError):
            zone(name)
