"""Files of others that the wheel carries: as they were published, each beside its licence."""

from __future__ import annotations

import hashlib

import pytest

from tondo.faces.ui.render import STATIC

# uPlot 1.6.32, from the package `uplot` of the npm registry.
PUBLISHED = {
    "uplot.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uplot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uplot.license.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_is_as_it_was_published(name):
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == PUBLISHED[name]


def test_the_file_says_what_it_is_and_the_licence_allows_it():
    assert b"uPlot (v1.6.32)" in (STATIC / "uplot.js").read_bytes()[:80]
    licence = (STATIC / "uplot.license.txt").read_text()
    assert "The MIT License" in licence
    assert "Permission is hereby granted" in licence
