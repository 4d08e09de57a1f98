"""A scorer in its own process, and a plain HTTP client for it."""

import contextlib
import http.client
import json
import socket
import urllib.parse

import scored
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.launchers.processes import ProcessLauncher
from tondo.core.canonical import digest_bytes
from tondo.scoring.plan import (
    PlannedDeployment,
    PlannedVariant,
    PlanPointer,
    ServingPlan,
    encode_plan,
    write_pointer,
)

ROW = {**scored.ROW, "scheduled_at": "2013-04-01T10:00:00Z"}
WAYS = ("fast", "starlette")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error's code, in either shape."""
        error = self.json["error"]
        return error["code"] if isinstance(error, dict) else error.partition(":")[0]

    @property
    def message(self):
        error = self.json["error"]
        return error["message"] if isinstance(error, dict) else error


class Scorer:
    def __init__(self, *arguments, way="fast", **limits):
        slow = () if way == "fast" else ("--no-fast-path",)
        self.process = ProcessLauncher().start(
            [*map(str, arguments), "--port", "0", *slow], **limits
        )
        self.process.wait_ready(60)
        self.connections = []
        self.port = urllib.parse.urlsplit(self.process.address).port

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connections.append(connection)
        return connection

    def ask(self, method, path, body=None, headers=None):
        with contextlib.closing(self.connect()) as connection:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, data, headers or {})
            return Answer(connection.getresponse())

    def get(self, path, **named):
        return self.ask("GET", path, **named)

    def post(self, path, body, **named):
        return self.ask("POST", path, body, **named)

    def score(self, *rows, name="late", **fields):
        return self.post(f"/v1/deployments/{name}/score", {"rows": rows or [ROW], **fields})

    def stop(self):
        for connection in self.connections:
            connection.close()
        return self.process.stop()


def free_port():
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def running(*arguments, **named):
    scorer = Scorer(*arguments, **named)
    try:
        yield scorer
    finally:
        scorer.stop()


def tensors(*rows):
    kinds = {
        "carrier": "BYTES",
        "distance": "FP64",
        "rush": "BOOL",
        "scheduled_at": "BYTES",
        "tail": "INT64",
    }
    return [
        {"name": name, "shape": [len(rows)], "datatype": kind, "data": [row[name] for row in rows]}
        for name, kind in kinds.items()
    ]


class Workspace:
    """What a control plane leaves in a folder for scorers, made by hand."""

    def __init__(self, root):
        self.root = root
        self.blobs = ObstoreBlobs(root / "blobs")
        self.number = 0

    def variant(self, data, *, name="live", version=1, weight=1.0, tags=("live",)):
        self.blobs.put(data)
        return PlannedVariant(
            name=name,
            weight=weight,
            model="late",
            version=version,
            model_version_id=f"id-{version}",
            tags=list(tags),
            package=digest_bytes(data),
        )

    def publish(self, *variants, number=None, **changes):
        late = PlannedDeployment(name="late", variants=list(variants), **changes)
        return self.publish_all(late, number=number)

    def publish_all(self, *deployments, number=None):
        self.number = self.number + 1 if number is None else number
        named = {each.name: each for each in deployments}
        plan = ServingPlan(number=self.number, published_at_us=0, deployments=named)
        digest = self.blobs.put(encode_plan(plan))
        self.point(PlanPointer(number=self.number, digest=digest))
        return self.number

    def point(self, pointer):
        write_pointer(self.root / "serving" / "pointer.json", pointer)
