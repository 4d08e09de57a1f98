"""What the compiled request path spares: processor time a request, beside the path that specifies it.

Run: python benchmarks/compiled_path.py
Requests of one row with the forest of `serving` (200 trees, 30 columns), from the body to its reply,
their frames encoded, no socket. A turn is what the event loop answers together. The floor is the
model alone. Both ways answer the same requests in interleaved rounds; the least of all is shown.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import views
from benchmarks.serving.forest import COLUMNS, make_forest

from table import tell
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.core.ids import IdSource
from tondo.faces.scorer.metrics import RouteMetrics
from tondo.faces.scorer.protocols.rows import RowsHandler
from tondo.faces.scorer.protocols.v2 import V2Handler
from tondo.faces.scorer.route import Route
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import PlannedDeployment, PlannedVariant, decode_plan, read_pointer
from tondo.scoring.serving import Serving, shared_inputs

TURNS = (1, 16)
ROUNDS, REQUESTS = 40, 192
CANARY = {"live": 0.95, "new": 0.05}


class Dropped:
    """An appender that keeps nothing: frames are encoded, and written by nobody."""

    def append(self, payload):
        """Take a frame."""

    def append_many(self, payloads):
        """Take frames, all of them."""
        for _ in payloads:
            pass


def make_route(handler, model, shares, *, compiled, sticky=None, online=None):
    variants = [
        PlannedVariant(
            name=name,
            weight=share,
            model="forest",
            version=at,
            model_version_id=f"forest-{at}",
            package="0",
        )
        for at, (name, share) in enumerate(shares.items())
    ]
    servings = [Serving(each, model, online=online) for each in variants]
    path = ScoringPath(
        PlannedDeployment(name="forest", variants=variants, sticky=sticky),
        servings,
        inputs=shared_inputs(servings, "forest"),
        clock=SystemClock(),
        ids=IdSource(),
        appender=Dropped(),
    )
    route = Route(handler(path), RouteMetrics())
    if not compiled:
        route._quick = None  # noqa: SLF001 - the path alone
    return route


def rows_body(row):
    return json.dumps({"rows": [row]}).encode()


def v2_body(row):
    """Tensors in an order that is not the model's."""
    tensors = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
        for name, value in reversed(row.items())
    ]
    return json.dumps({"inputs": tensors}).encode()


def make_cases(folder):
    """Yield name, both routes and bodies of each case, and how the model alone is asked."""
    make_forest(folder)
    views.make_root(folder)
    plain = load(folder / "forest.tondo", None)
    root = folder / "views"
    blobs = ObstoreBlobs(root / "blobs")
    pointer = read_pointer(root / "serving" / "pointer.json")
    (variant,) = decode_plan(blobs.get(pointer.digest)).deployments["forest"].variants
    viewing = load(None, blobs.get(variant.package))
    store = LmdbStore(root / "online", readonly=True)
    rows = json.loads((folder / "rows.json").read_text())["rows"]
    told = [rows[at % len(rows)] for at in range(REQUESTS)]
    own = [dict(zip(COLUMNS, row, strict=True)) for row in told]
    keyed = [views.body(37 * at, rows[37 * at % len(rows)])["rows"][0] for at in range(REQUESTS)]
    one, read = {"live": 1.0}, {"online": store}
    cases = {
        "native rows, one variant": (RowsHandler, plain, one, {}, map(rows_body, own)),
        "two variants, dealt by id": (RowsHandler, plain, CANARY, {}, map(rows_body, own)),
        "two variants, dealt by a column": (
            *(RowsHandler, plain, CANARY, {"sticky": COLUMNS[0]}),
            map(rows_body, own),
        ),
        "V2, JSON in the caller's order": (V2Handler, plain, one, {}, map(v2_body, own)),
        "V2, two variants": (V2Handler, plain, CANARY, {}, map(v2_body, own)),
        "half of the values read online": (RowsHandler, viewing, one, read, map(rows_body, keyed)),
        "the same, two variants": (RowsHandler, viewing, CANARY, read, map(rows_body, keyed)),
    }
    for name, (handler, model, shares, more, bodies) in cases.items():
        routes = [
            make_route(handler, model, shares, compiled=each, **more) for each in (True, False)
        ]
        yield name, routes, list(bodies)


def load(path, data):
    contents = open_package(path.read_bytes() if data is None else data)
    return load_model(contents, {"lightgbm": LightGBMLoader()})


def spent_us(route, bodies, turn):
    """Return the processor time of a request in microseconds, answered in turns of so many."""
    turns = [bodies[at : at + turn] for at in range(0, len(bodies), turn)]
    start = time.thread_time_ns()
    for each in turns:
        route.answer_all(each)
    return (time.thread_time_ns() - start) / len(bodies) / 1_000


def main() -> None:
    """Measure all cases in interleaved rounds and print the least."""
    with tempfile.TemporaryDirectory() as folder:
        cases = list(make_cases(Path(folder)))
        least = defaultdict(lambda: float("inf"))
        for name, (compiled, _), bodies in cases:
            assert all(status == 200 for status, _ in compiled.answer_all(bodies)), name
            assert all(map(compiled.takes, bodies)), name
        model = cases[0][1][0].path.only
        vector = b"".join([bytes(8)] * len(COLUMNS))
        for _ in range(ROUNDS):
            start = time.thread_time_ns()
            for _ in range(REQUESTS):
                model.score([vector])
            spent = (time.thread_time_ns() - start) / REQUESTS / 1_000
            least["model"] = min(least["model"], spent)
            for name, routes, bodies in cases:
                routes[1].answer_all(bodies)  # nobody is the first to meet this case's model
                for way, route in zip(("compiled", "path"), routes, strict=True):
                    for turn in TURNS:
                        key = (name, way, turn)
                        least[key] = min(least[key], spent_us(route, bodies, turn))
    shown = [(way, turn) for turn in TURNS for way in ("compiled", "path")]
    tell(
        ["request", *(f"{way}, {turn} a turn, us" for way, turn in shown)],
        [
            ["the model alone", f"{least['model']:.1f}", "", "", ""],
            *([name, *(f"{least[(name, *each)]:.1f}" for each in shown)] for name, _, _ in cases),
        ],
    )


if __name__ == "__main__":
    main()
