"""One row over HTTP: the scorer beside a bare protocol and FastAPI, with the same model.

    python benchmarks/scorer.py [--seconds 3] [--rounds 7] [--connections 64] [--only ours-rows,bare]

The model: LightGBM, 200 trees of 31 leaves, 30 columns, one row a request, keep-alive, loopback.
`bare` is an asyncio.Protocol with httptools on uvloop, our typed decoder and our runtime, and
nothing else: no ids, no log, no checks. `ours-*` runs as shipped, log mode `written`. Rounds are
interleaved; the median and the spread (lowest to highest) are printed. Server on one core, client
on the other. The client is a uvloop protocol in a process of its own.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import msgspec
import numpy as np

from table import tell

COLUMNS = [f"column_{at:02d}" for at in range(30)]
TREES, LEAVES = 200, 31


def make_package(folder):
    import lightgbm

    from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
    from tondo.language.tree import Column
    from tondo.scoring.package import PackageContents, Sample, seal

    random = np.random.default_rng(1)
    matrix = random.normal(size=(20_000, len(COLUMNS)))
    label = (matrix[:, :5].sum(1) + random.normal(size=len(matrix)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": LEAVES, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, label), TREES)
    files = {"model.txt": booster.model_to_string().encode()}
    row = [round(each, 6) for each in matrix[0].tolist()]
    score = LightGBMLoader().load(files, {}).predict_row(row)
    contents = PackageContents(
        name="forest",
        task="binary",
        algorithm="lightgbm",
        runtime="lightgbm",
        extra="lightgbm",
        inputs=dict.fromkeys(COLUMNS, "double"),
        features={name: Column(name, "double") for name in COLUMNS},
        threshold=0.5,
        files=files,
        samples=[Sample(row=dict(zip(COLUMNS, row, strict=True)), vector=row, score=score)],
    )
    (folder / "forest.tondo").write_bytes(seal(contents))
    return dict(zip(COLUMNS, row, strict=True)), score


def load_parts(folder):
    """The decoder and the runtime that every server here uses."""
    from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.package import open_package

    contents = open_package((folder / "forest.tondo").read_bytes())
    inputs = RowInputs(contents.inputs)
    request = msgspec.defstruct("Request", [("rows", list[inputs.struct])])
    decode = msgspec.json.Decoder(request).decode
    return decode, LightGBMLoader().load(contents.files, {})


def serve_bare(folder, port):
    import httptools
    import uvloop

    decode, runtime = load_parts(folder)
    encode = msgspec.json.Encoder().encode
    predict, values = runtime.predict_row, msgspec.structs.astuple

    class Bare(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            self.parser = httptools.HttpRequestParser(self)

        def data_received(self, data):
            self.parser.feed_data(data)

        def on_url(self, url):
            self.url = url
            self.body = b""

        def on_body(self, body):
            self.body += body

        def on_message_complete(self):
            score = predict(values(decode(self.body).rows[0]))
            payload = encode({"predictions": [{"score": score}]})
            head = (
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            )
            self.transport.write(head % len(payload) + payload)

    async def main():
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
        await server.serve_forever()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def serve_fastapi(folder, port):
    import fastapi
    import pydantic
    import uvicorn

    _, runtime = load_parts(folder)
    row_type = pydantic.create_model("Row", **dict.fromkeys(COLUMNS, (float | None, ...)))
    request_type = pydantic.create_model("Request", rows=(list[row_type], ...))
    app = fastapi.FastAPI()

    @app.post("/score")
    def score(request: request_type):
        row = request.rows[0]
        values = [getattr(row, name) for name in COLUMNS]
        return {"predictions": [{"score": runtime.predict_row(values)}]}

    # An async endpoint spares the thread pool; it is the quicker of the two for so small a model.
    async def score_here(request: request_type):
        return score(request)

    app.post("/score-async")(score_here)
    uvicorn.run(app, port=port, log_level="error", access_log=False)


class Load(asyncio.Protocol):
    """One keep-alive connection: the next request follows the answer."""

    def __init__(self, request, latencies, stop_at):
        self.request, self.latencies, self.stop_at = request, latencies, stop_at
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        self.sent = time.perf_counter_ns()
        self.transport.write(self.request)

    def data_received(self, data):
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.find(b"content-length: ") + 16
        length = int(self.buffer[at : self.buffer.index(b"\r", at)])
        if len(self.buffer) < head + 4 + length:
            return
        assert self.buffer.startswith(b"HTTP/1.1 200"), self.buffer
        self.buffer = b""
        now = time.perf_counter_ns()
        self.latencies.append(now - self.sent)
        if now < self.stop_at:
            self.send()
        else:
            self.done.set_result(None)
            self.transport.close()


def generate(port, request, connections, seconds, core, results):
    import uvloop

    if core is not None:
        os.sched_setaffinity(0, {core})

    async def main():
        latencies = []
        loop = asyncio.get_running_loop()
        start = time.perf_counter_ns()
        stop_at = start + int(seconds * 1e9)
        made = [
            await loop.create_connection(
                lambda: Load(request, latencies, stop_at), "127.0.0.1", port
            )
            for _ in range(connections)
        ]
        await asyncio.gather(*(protocol.done for _, protocol in made))
        return latencies, (time.perf_counter_ns() - start) / 1e9

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        latencies, elapsed = runner.run(main())
    latencies.sort()
    share = {
        name: latencies[int(len(latencies) * at)] / 1e6
        for name, at in (("p50", 0.5), ("p99", 0.99))
    }
    results.put({"rate": len(latencies) / elapsed, **share})


def http_request(path, body):
    data = json.dumps(body).encode()
    return (
        b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        % (
            path.encode(),
            len(data),
            data,
        )
    )


def contenders(row):
    rows = {"rows": [row]}
    tensors = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [each]}
        for name, each in row.items()
    ]
    ours = "/v1/deployments/forest/score"
    return {
        "bare": ("bare", http_request("/", rows)),
        "ours-rows": ("ours", http_request(ours, rows)),
        "ours-v2": ("ours", http_request("/v2/models/forest/infer", {"inputs": tensors})),
        "ours-starlette": ("ours-starlette", http_request(ours, rows)),
        "fastapi": ("fastapi", http_request("/score-async", rows)),
    }


def start_server(name, folder, core):
    port = 18_461 + ["bare", "ours", "ours-starlette", "fastapi"].index(name)
    if name.startswith("ours"):
        command = [
            "-m",
            "tondo.faces.scorer",
            "--packages",
            folder,
            "--log",
            folder / f"log-{name}",
        ]
        command += ["--no-fast-path"] if name == "ours-starlette" else []
    else:
        command = [__file__, "--serve", name, "--folder", folder]
    process = subprocess.Popen(
        [sys.executable, *map(str, command), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process, port


def wait_answer(port, request, score):
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split()[1].decode()
    for _ in range(200):
        try:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json"}
            )
            answer = json.loads(urllib.request.urlopen(asked, timeout=5).read())
        except OSError:
            time.sleep(0.1)
            continue
        found = (
            answer["outputs"][0]["data"][0]
            if "outputs" in answer
            else answer["predictions"][0]["score"]
        )
        assert found == score, (path, found, score)
        return
    raise SystemExit(f"no answer on {port}")


def cpu_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(options):
    cores = sorted(os.sched_getaffinity(0))
    server_core, client_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        row, score = make_package(folder)
        chosen = {name: each for name, each in contenders(row).items() if name in options.only}
        servers = {
            kind: start_server(kind, folder, server_core)
            for kind in {kind for kind, _ in chosen.values()}
        }
        results = {name: [] for name in chosen}
        try:
            for kind, request in chosen.values():
                wait_answer(servers[kind][1], request, score)
            for _ in range(options.rounds):
                for name, (kind, request) in chosen.items():
                    process, port = servers[kind]
                    queue = multiprocessing.Queue()
                    before = cpu_seconds(process)
                    client = multiprocessing.Process(
                        target=generate,
                        args=(
                            port,
                            request,
                            options.connections,
                            options.seconds,
                            client_core,
                            queue,
                        ),
                    )
                    client.start()
                    result = queue.get(timeout=60 + options.seconds)
                    client.join()
                    result["cpu_us"] = (
                        (cpu_seconds(process) - before) / (result["rate"] * options.seconds) * 1e6
                    )
                    results[name].append(result)
        finally:
            for process, _ in servers.values():
                process.terminate()
                process.wait()
    report(results, options)


def report(results, options):
    print(
        f"{options.connections} connections, {options.rounds} interleaved rounds of {options.seconds} s\n"
    )
    rows = []
    for name, rounds in results.items():
        rates = [each["rate"] for each in rounds]
        middle = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        ratios = [
            a["rate"] / b["rate"] for a, b in zip(rounds, results.get("bare", rounds), strict=True)
        ]
        rows.append(
            [
                name,
                f"{middle['rate']:.0f}",
                f"{min(rates):.0f} to {max(rates):.0f}",
                f"{middle['p50']:.2f}",
                f"{middle['p99']:.2f}",
                f"{middle['cpu_us']:.1f}",
                f"{statistics.median(ratios):.2f}",
            ]
        )
    head = ["server", "requests/s", "spread", "p50 ms", "p99 ms", "CPU us/request", "to bare"]
    tell(head, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(contenders({})))
    parser.add_argument("--serve", choices=["bare", "fastapi"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        {"bare": serve_bare, "fastapi": serve_fastapi}[options.serve](options.folder, options.port)
    else:
        measure(options)


if __name__ == "__main__":
    main()
