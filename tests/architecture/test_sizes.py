"""Sizes: a file stops at 500 lines, a class at 20 public methods."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "tondo"
FILE_STOP = 500
FUNCTION_AIM = 40
FUNCTION_SHARE = 0.95
MANY_METHODS = {"Workspace"}  # the facade: one method a verb of the whole product


def test_no_file_is_longer_than_500_lines(capsys):
    sizes = {
        str(path.relative_to(SOURCE)): len(path.read_text().splitlines())
        for path in SOURCE.rglob("*.py")
    }
    with capsys.disabled():
        longest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
        print(f"\n{len(sizes)} files, {sum(sizes.values())} lines; longest: {longest}")
    assert {name: size for name, size in sizes.items() if size > FILE_STOP} == {}


def test_functions_are_short():
    lengths = [
        node.end_lineno - node.lineno + 1
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert sum(length <= FUNCTION_AIM for length in lengths) / len(lengths) >= FUNCTION_SHARE


def test_classes_have_at_most_20_public_methods():
    large = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name not in MANY_METHODS:
                public = [
                    each.name
                    for each in node.body
                    if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
                ]
                if len(public) > 20:
                    large[f"{path.relative_to(SOURCE)}:{node.name}"] = len(public)
    assert large == {}
