"""One row over HTTP: the scorer beside a bare protocol, FastAPI, MLServer, BentoML, LitServe and MLflow.

    python -m benchmarks.serving [--quick] [--peers] [--resume] [--only rows,mlserver] [--write FILE]

Peers whose environments are there are measured; `--peers` makes those that are not, under the
user's cache folder. What was measured is kept there too: `--resume` goes on after the last pair.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.__main__ import replaced, surroundings
from benchmarks.serving import environments, report
from benchmarks.serving.forest import make_forest
from benchmarks.serving.pairs import PAIRS, PEERS, ROWS, Pair, Setup, measure
from benchmarks.serving.servers import NoAnswer
from benchmarks.serving.views import make_root
from benchmarks.table import TABLE_FILE, tell


def main() -> int:
    options = _parser().parse_args()
    if shutil.which("wrk") is None:
        print("the load generator wrk is not installed: apt-get install wrk", file=sys.stderr)
        return 1
    kept = environments.cache() / "serving.json"
    results = json.loads(kept.read_text()) if options.resume and kept.exists() else {}
    kept.parent.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    seconds = (1, 2) if options.quick else (3, 10)
    with tempfile.TemporaryDirectory() as place:
        setup = Setup(Path(place), *seconds, server_core=cores[0], client_core=cores[-1])
        make_forest(setup.folder)
        make_root(setup.folder)
        for pair in _chosen(options):
            if pair.name in results:
                continue
            try:
                results[pair.name] = measure(pair, setup)
            except NoAnswer as error:
                print(f"{pair.name}: left out, {error}", file=sys.stderr, flush=True)
            kept.write_text(json.dumps(results))
    if options.write is None:
        _tell(results)
    else:
        _write(results, options.write)
    return 0


def _chosen(options: argparse.Namespace) -> list[Pair]:
    peers = [
        Pair(name, ROWS, side)
        for name, side in PEERS.items()
        if not options.only or name in options.only
        if environments.python_of(name) or (options.peers and environments.make(name))
    ]
    return [each for each in PAIRS if not options.only or each.name in options.only] + peers


def _tell(results: dict[str, Any]) -> None:
    versions = {name: environments.version_of(name) for name in PEERS if name in results}
    tell(report.CLOSED_HEAD, report.closed_rows(results, versions))
    print()
    tell(report.OPEN_HEAD, report.open_rows(results))


def _write(results: dict[str, Any], page: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        kept = Path(place) / "table.md"
        os.environ[TABLE_FILE] = str(kept)
        _tell(results)
        del os.environ[TABLE_FILE]
        tables = kept.read_text() + f"\n{surroundings()}\n"
    page.write_text(replaced(page.read_text(), "serving", tables))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second a measurement, not three")
    parser.add_argument(
        "--peers", action="store_true", help="make the environments that are not there"
    )
    parser.add_argument("--resume", action="store_true", help="keep what was measured before")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these pairs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into a document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
