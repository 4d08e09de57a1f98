"""Runs the benchmarks, each in a process of its own: `python -m benchmarks [NAME ...]`.

    python -m benchmarks --list
    python -m benchmarks                     every one
    python -m benchmarks serving start_up    these
    python -m benchmarks --write docs/benchmarks.md [NAME ...]

`--write` puts each table between the markers of its name, and the rest of the file stays.
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.table import TABLE_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
PACKAGES = ("feature_store", "serving")
"""Folders that are a benchmark with tables of this page; others keep their figures elsewhere."""
SHARED = {"__init__", "__main__", "table", "flights"}
OPENING = "<!-- figures of {name}: python -m benchmarks --write docs/benchmarks.md {name} -->"
CLOSING = "<!-- end of figures -->"


def main(arguments: Sequence[str] | None = None) -> int:
    known = benchmarks()
    options = _parser().parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    if options.list:
        width = max(map(len, known))
        for name, about in known.items():
            print(f"{name.ljust(width)}  {about}")
        return 0
    failed = []
    for name in options.names or known:
        print(f"\n{name}: {known[name]}\n", flush=True)
        table = run(name)
        if not table:
            failed.append(name)
        elif options.write is not None:
            text = options.write.read_text(encoding="utf-8")
            options.write.write_text(replaced(text, name, table + f"\n{surroundings()}\n"))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def benchmarks() -> dict[str, str]:
    """Return the benchmarks that are there, by name, with the first line of what they say."""
    found = {}
    places = {each.stem: each for each in HERE.glob("*.py") if each.stem not in SHARED}
    places |= {name: HERE / name / "__main__.py" for name in PACKAGES}
    for name, path in sorted(places.items()):
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[name] = about.partition("\n")[0]
    return found


def run(name: str) -> str:
    """Run a benchmark, let it print, and return its table; nothing when it failed."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "table.md"
        what = ["-m", f"benchmarks.{name}"] if name in PACKAGES else [str(HERE / f"{name}.py")]
        told = {**os.environ, TABLE_FILE: str(kept)}
        done = subprocess.run([sys.executable, *what], env=told, cwd=HERE.parent, check=False)
        return kept.read_text(encoding="utf-8") if done.returncode == 0 and kept.exists() else ""


def replaced(text: str, name: str, table: str) -> str:
    """Return a document with the text between the markers of a benchmark replaced."""
    opening = OPENING.format(name=name)
    pattern = re.compile(re.escape(opening) + ".*?" + re.escape(CLOSING), re.DOTALL)
    if not pattern.search(text):
        message = f"the document has no place for '{name}': {opening} ... {CLOSING}"
        raise SystemExit(message)
    return pattern.sub(lambda _: f"{opening}\n\n{table}\n{CLOSING}", text, count=1)


def surroundings() -> str:
    """Say on what was measured: processor, cores, Python."""
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    return f"Measured on {cores} cores of {_processor()}, {platform.system()}, Python {python}."


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all when left out")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into a document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
