"""A shop that serves, versions of its model that are really bad, and traffic at a rate."""

import json
import random
import subprocess
import sys
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shop import bring_live, write_shop
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.core.canonical import digest_bytes
from tondo.scoring.package import Sample, open_package, seal
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.rollout_loop import RolloutLoop

LOAD = Path(__file__).parent / "rollout_load.py"
ROLLOUT = """\
deployment: buys
model: buys
rollout: {min_seconds: 3600, steps: %s}
"""


def make_shop(folder, *, steps=(0.01, 0.05, 0.2, 0.5)):
    """Write the shop, train and deploy `buys`; rollouts stay at their first share."""
    write_shop(folder)
    text = (folder / "shop0.yaml").read_text()
    text = text.replace("deployment: buys\nmodel: buys\n", ROLLOUT % list(steps))
    (folder / "shop0.yaml").write_text(text)
    return bring_live(folder)


def rows(count=2_000, seed=3):
    made = random.Random(seed)
    return [
        {
            "pages": float(made.randint(1, 12)),
            "minutes": round(made.uniform(0.5, 30), 1),
            "device": made.choice(["phone", "desktop"]),
        }
        for _ in range(count)
    ]


def worsened(contents, *, fails=0.0, nulls=0.0, shift=0.0, slow_products=0):
    """Return package contents whose model is the same but for what is asked.

    `fails` and `nulls` are shares of the rows, by the visit's minutes; `shift` is added to the
    score; `slow_products` are products of two matrices of 1,000 x 1,000 for each row.
    """
    model = onnx.load_from_string(next(iter(contents.files.values())))
    graph = model.graph
    source, output = graph.input[0].name, graph.output[0].name
    for node in graph.node:
        node.output[:] = ["inner_score" if each == output else each for each in node.output]
    score = "inner_score"
    place = list(contents.features).index("minutes")
    constants, nodes = [], []

    def constant(name, value, kind):
        constants.append(numpy_helper.from_array(np.array(value, dtype=kind), name))
        return name

    def node(kind, inputs, made, **attributes):
        nodes.append(helper.make_node(kind, inputs, [made], **attributes))
        return made

    column = node("Gather", [source, constant("place", [place], np.int64)], "column", axis=1)

    def beyond(share, name):
        """Rows whose minutes are among the highest `share` of them, as truth values."""
        limit = constant(f"{name}_limit", _quantile(contents, place, 1 - share), np.float64)
        return node("Greater", [column, limit], f"{name}_hit")

    if nulls:
        nothing = constant("nothing", np.nan, np.float64)
        score = node("Where", [beyond(nulls, "null"), nothing, score], "nulled")
    if fails:
        hit = node("Cast", [beyond(fails, "fail")], "hit_number", to=TensorProto.INT64)
        far = node("Mul", [hit, constant("far", 9, np.int64)], "index")
        looked = node("Gather", [constant("table", [0.0], np.float64), far], "looked")
        score = node("Add", [score, looked], "failing")
    if shift:
        score = node("Add", [score, constant("shift", shift, np.float64)], "shifted")
    if slow_products:
        side = constant("side", np.full((1_000, 1_000), 1e-3), np.float32)
        first = node("Cast", [column], "column32", to=TensorProto.FLOAT)
        grown = node("Mul", [side, node("ReduceMean", [first], "one", keepdims=0)], "grown0")
        for at in range(slow_products):
            grown = node("MatMul", [grown, side], f"grown{at + 1}")
        idle = node("ReduceMean", [grown], "idle32", keepdims=0)
        idle = node("Cast", [idle], "idle", to=TensorProto.DOUBLE)
        zero = node("Mul", [idle, constant("zero", 0.0, np.float64)], "nought")
        score = node("Add", [score, zero], "slowed")
    node("Identity", [score], output)
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    files = {"model.onnx": model.SerializeToString()}
    return _sealed_again(msgspec.structs.replace(contents, files=files, runtime_options={}))


def _quantile(contents, place, share):
    from tondo.language.rows import compile_vector

    vector = compile_vector(contents.features)
    return float(np.quantile([vector(each)[place] for each in rows()], share))


def _sealed_again(contents):
    from tondo.language.rows import compile_vector

    loaded, vector = OnnxLoader().load(contents.files, {}), compile_vector(contents.features)
    calm = {"pages": 5.0, "minutes": 10.0, "device": "phone"}
    values = vector(calm)
    sample = Sample(row=calm, vector=values, score=loaded.predict_row(values))
    return msgspec.structs.replace(contents, samples=[sample])


def register(workspace, first, **worse):
    """Register another version of the first one's model; the very same package without `worse`."""
    parts = workspace.parts
    data = parts.blobs.get(first.package)
    if worse:
        contents = open_package(data, key=parts.key)
        data = seal(worsened(contents, **worse), key=parts.key)
    parts.blobs.put(data)
    head = parts.ledger.pointer(f"model/{first.name}")
    version = msgspec.structs.replace(
        first, id=parts.ledger.new_id(), number=head.number + 1, package=digest_bytes(data)
    )
    with parts.ledger.transaction():
        parts.ledger.put("model_version", version.id, version, parents=[])
        parts.ledger.move(
            f"model/{first.name}", version.id, expect=head.target, by="test", why="worsened"
        )
    return version


class Site:
    """A running scorer over a shop, with a loop that advances its rollouts."""

    def __init__(self, workspace, first, address):
        self.workspace = workspace
        self.first = first
        self.port = int(address.rpartition(":")[2])

    @contextmanager
    def traffic(self, rate, seconds):
        """Send requests at a rate for so long; ends early with the block."""
        process = subprocess.Popen(
            [sys.executable, str(LOAD), str(self.port), str(rate), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        body = b"\n".join(json.dumps(each).encode() for each in rows())
        threading.Thread(target=lambda: _feed(process, body), daemon=True).start()
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def rollout_ends(self, seconds):
        """Wait until the rollout has ended; return it, or None when it goes on for longer."""
        import time

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.workspace.rollouts.history("buys")[0]
            if found.ended:
                return found
            time.sleep(0.05)
        return None


def _feed(process, body):
    process.stdin.write(body)
    process.stdin.close()


@contextmanager
def running_site(folder, first, *, looks=True):
    """Serve the shop; without `looks` nobody here advances its rollouts."""
    from tondo.workspace.serving import Servers

    with open_workspace(folder) as workspace:
        servers = Servers(workspace.parts)
        try:
            address = servers.start_scorer(port=0)
            with RolloutLoop(workspace) if looks else nullcontext():
                yield Site(workspace, first, address)
        finally:
            servers.stop()
