"""Many models: memory beside bare sessions, an isolated neighbour, overload; each beside its floor.

    python benchmarks/many_models.py [--only memory,neighbour,forwarding,overload] [--models 100]
        [--seconds 8] [--disturbances loads,loops,flooded,flooded_from_elsewhere]

*Memory*: a scorer with every model loaded, beside one process that holds the runtimes' own
sessions of the same models and nothing else.

*Neighbour*: model A is asked 200 times a second by an open-loop generator that measures from when
each request was due, while its neighbour B, in a process of its own (`isolate: process`), does
nothing, loads a gigabyte (1,000 MB), loops for ever, or is flooded by 64 callers. Those take as much of
the processors as the scorer does; once as its equals, once as callers from elsewhere, who yield to
it (nice 19). Rounds are interleaved: each disturbance stands beside a quiet round just before it;
the medians of the ratios are told.

*Forwarding*: what a request that is handed on costs the process that takes it, beside one that it
answers itself.

*Overload*: a model of about a millisecond is asked at half of what the scorer can answer, and at
twice that, interleaved. Told is the p99 of what was accepted.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import forwarded_cost
import looping
import scored
from bare_sessions import measured_memory
from load import Load
from scorer_process import ROW, Workspace, running
from table import tell
from tondo.scoring.plan import PlannedDeployment


def memory(options):
    """The growth from two models (one of each runtime) to all of them, and the whole process."""
    with tempfile.TemporaryDirectory() as place:
        ours, bare = measured_memory(Path(place), options.models)
    rows = []
    for what, mine, floor in (
        (f"whole process, {options.models} models", ours[1], bare[1]),
        (f"of which models 3 to {options.models}", ours[1] - ours[0], bare[1] - bare[0]),
    ):
        rows.append([what, f"{mine / 2**20:.1f}", f"{floor / 2**20:.1f}", f"{mine / floor:.2f}"])
    tell(["memory, MB", "scorer", "bare sessions", "ratio"], rows)


def large_package(megabytes):
    """A model with a table of that size, of which each row reads one line."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    from tondo.language.tree import Column
    from tondo.scoring.package import PackageContents, Sample, seal

    lines = megabytes * 2**20 // (8 * 64)
    table = np.random.default_rng(1).normal(size=(lines, 64))
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "flat"], ["line"]),
        helper.make_node("Gather", ["table", "line"], ["found"], axis=0),
        helper.make_node("ReduceMean", ["found"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 1])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, [None, 1])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([-1]), "flat")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    files = {"model.onnx": model.SerializeToString()}
    score = scored.LOADERS["onnx"].load(files, {}).predict_row([3.0])
    return seal(
        PackageContents(
            name="b",
            task="binary",
            algorithm="table",
            runtime="onnx",
            inputs={"x": "double"},
            features={"x": Column("x", "double")},
            files=files,
            samples=[Sample(row={"x": 3.0}, vector=[3.0], score=score)],
        )
    )


class Neighbours:
    """A and B in one scorer, B in a process of its own."""

    def __init__(self, root, options):
        self.workspace = Workspace(root)
        self.options = options
        self.a = self.workspace.variant(
            scored.package("a", runtime="lightgbm", text=scored.forest_text(4, 200, 31))
        )
        self.calm = self.workspace.variant(looping.package("b"), version=1)
        self.large = self.workspace.variant(large_package(options.megabytes), version=2)
        self.publish(self.calm)

    def publish(self, b):
        self.workspace.publish_all(
            PlannedDeployment(name="a", variants=[self.a]),
            PlannedDeployment(name="b", variants=[b], isolate="process"),
        )

    def measure(self, scorer):
        """p99 in ms of A at 200/s in a process of its own, and failures."""
        queue = multiprocessing.Queue()
        asked = (scorer.port, self.options.seconds, queue)
        process = multiprocessing.Process(target=ask_a, args=asked)
        process.start()
        result = queue.get(timeout=60 + self.options.seconds)
        process.join()
        return result

    def quiet(self, scorer):
        return self.measure(scorer)

    def loads(self, scorer):
        self.publish(self.large)
        result = self.measure(scorer)
        self.await_b(scorer, {"x": 3.0}, 2)
        self.publish(self.calm)
        self.await_b(scorer, looping.CALM, 1)
        return result

    def loops(self, scorer):
        connection = scorer.connect()
        connection.request("POST", "/v1/deployments/b/score", b'{"rows": [{"x": 2e6}]}')
        time.sleep(0.2)
        result = self.measure(scorer)
        connection.close()
        os.kill(scorer.get("/v1/status").json["processes"]["isolated"]["b"]["pid"], 9)
        self.await_b(scorer, looping.CALM, 1)
        return result

    def flooded_from_elsewhere(self, scorer):
        return self.flooded(scorer, niceness=19)

    def flooded(self, scorer, niceness=0):
        queue = multiprocessing.Queue()
        stop = multiprocessing.Event()
        flood = multiprocessing.Process(target=flood_b, args=(scorer.port, stop, queue, niceness))
        flood.start()
        time.sleep(0.3)
        result = self.measure(scorer)
        stop.set()
        result["flood"] = queue.get(timeout=30)
        flood.join()
        return result

    def await_b(self, scorer, row, version):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            answer = scorer.score(row, name="b")
            if answer.status == 200 and answer.json["version"] == version:
                return
            time.sleep(0.1)
        raise SystemExit(f"B does not answer by version {version}: {answer.body}")


def ask_a(port, seconds, queue):
    load = Load(port, "/v1/deployments/a/score", {"rows": [ROW]}, rate=200, seconds=seconds)
    load.run()
    queue.put({"p99": load.p99_ms(), "p50": load.quantile(0.5) * 1e3, "failures": load.failures()})


def flood_b(port, stop, queue, niceness):
    """64 callers who ask again at once, whatever was answered."""
    import http.client

    os.nice(niceness)
    body = json.dumps({"rows": [looping.CALM]})
    counts = {}

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not stop.is_set():
            connection.request("POST", "/v1/deployments/b/score", body)
            response = connection.getresponse()
            response.read()
            counts[response.status] = counts.get(response.status, 0) + 1

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(64)]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(5)
    queue.put(counts)


def neighbour(options):
    found = {name: [] for name in options.disturbances}
    with tempfile.TemporaryDirectory() as place:
        neighbours = Neighbours(Path(place), options)
        with running("--root", place) as scorer:
            neighbours.await_b(scorer, looping.CALM, 1)
            for _ in range(options.rounds):
                for name, rounds in found.items():
                    rounds.append((neighbours.quiet(scorer), getattr(neighbours, name)(scorer)))
    what = {
        "loads": f"B loads {options.megabytes} MB",
        "loops": "B loops for ever",
        "flooded": "B is flooded by 64 callers",
        "flooded_from_elsewhere": "B is flooded by 64 callers who yield",
    }
    rows = []
    for name, rounds in found.items():
        ratios = [disturbed["p99"] / quiet["p99"] for quiet, disturbed in rounds]
        floods = [each["flood"] for _, each in rounds if "flood" in each]
        rows.append(
            [
                what[name],
                f"{statistics.median(quiet['p99'] for quiet, _ in rounds):.2f}",
                f"{statistics.median(each['p99'] for _, each in rounds):.2f}",
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                sum(each["failures"] for _, each in rounds),
            ]
        )
        if floods:
            print("the flood was answered", floods)
    tell(["A at 200/s while", "quiet p99 ms", "p99 ms", "ratio (spread)", "A's failures"], rows)


def forwarding(options):
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place))
        forwarded_cost.publish(workspace)
        with running("--root", place) as scorer:
            deadline = time.monotonic() + 120
            while scorer.score(looping.CALM, name="away").status != 200:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            rows = forwarded_cost.measure(scorer, options)
    tell(["us of processor time", "handed on", "answered itself", "ratio"], rows)


def overload(options):
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text = scored.forest_text(4, options.trees, 31)
        (folder / "late.tondo").write_bytes(scored.package(runtime="lightgbm", text=text))
        with running("--packages", folder, "--log", folder / "log") as scorer:
            capacity = capacity_of(scorer)
            for _ in range(options.rounds):
                idle = ask_late(scorer, 0.5 * capacity, options.seconds)
                over = ask_late(scorer, 2 * capacity, options.seconds)
                found.append((idle, over))
            shed = scorer.get("/v1/status").json["counters"]["late/rows"]["shed"]
    ratios = [over["p99"] / idle["p99"] for idle, over in found]
    rows = [
        [
            f"{capacity:.0f}/s",
            f"{statistics.median(idle['p99'] for idle, _ in found):.2f}",
            f"{statistics.median(over['p99'] for _, over in found):.2f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            f"{statistics.median(over['accepted'] for _, over in found) / capacity:.2f}",
            f"{statistics.median(over['shed'] for _, over in found):.0f}/s",
            sum(idle["other"] + over["other"] for idle, over in found),
        ]
    ]
    assert shed > 0
    head = ["capacity", "p99 ms at half of it", "p99 ms of accepted at twice"]
    tell([*head, "ratio (spread)", "accepted / capacity", "shed", "other failures"], rows)


def capacity_of(scorer):
    """About what one worker can answer a second: the model's own time, and what is around it."""
    models = scorer.get("/v1/status").json["models"]["each"]
    return 1e6 / (max(each["row_us"] for each in models.values()) + 60)


def ask_late(scorer, rate, seconds):
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=_ask_late, args=(scorer.port, rate, seconds, queue))
    process.start()
    result = queue.get(timeout=60 + seconds)
    process.join()
    return result


def _ask_late(port, rate, seconds, queue):
    path = "/v1/deployments/late/score"
    load = Load(port, path, {"rows": [ROW]}, rate=rate, seconds=seconds, connections=64)
    load.run()
    shed = load.statuses.get(503, 0)
    queue.put(
        {
            "p99": load.p99_ms(),
            "accepted": len(load.accepted) / seconds,
            "shed": shed / seconds,
            "other": load.failures() - shed,
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = {
        "memory": memory,
        "neighbour": neighbour,
        "forwarding": forwarding,
        "overload": overload,
    }
    names = {"type": lambda text: text.split(",")}
    parser.add_argument("--only", default=list(parts), **names)
    parser.add_argument(
        "--disturbances", default=["loads", "loops", "flooded", "flooded_from_elsewhere"], **names
    )
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trees", type=int, default=4000, help="of the model that is overloaded")
    options = parser.parse_args()
    for name in options.only:
        parts[name](options)
        print()


if __name__ == "__main__":
    main()
