"""Processor time of the process that takes requests: one that it hands on, one that it answers.

One model is deployed twice in one scorer, once in a process of its own. Callers who each ask again
when they are answered ask the two in turns.
"""

import json
import multiprocessing
import selectors
import socket
import statistics
from pathlib import Path

import looping
from tondo.scoring.plan import PlannedDeployment

CALLERS = (1, 8, 24)


def publish(workspace):
    """One model as `here`, and as `away`, which has a process of its own."""
    variant = workspace.variant(looping.package("b"))
    workspace.publish_all(
        PlannedDeployment(name="here", variants=[variant]),
        PlannedDeployment(name="away", variants=[variant], isolate="process"),
    )


def measure(scorer, options):
    """Return a row for each number of callers: microseconds handed on, answered here, ratio."""
    pid = scorer.get("/v1/status").json["pid"]
    rows = []
    for callers in CALLERS:
        found = [
            [microseconds(scorer, pid, name, callers, options.seconds) for name in ("away", "here")]
            for _ in range(options.rounds)
        ]
        away, here = (statistics.median(each) for each in zip(*found, strict=True))
        ratio = statistics.median(a / h for a, h in found)
        rows.append([f"{callers} at once", f"{away:.0f}", f"{here:.0f}", f"{ratio:.2f}"])
    return rows


def microseconds(scorer, pid, name, callers, seconds):
    """The process's own time a request, of all its threads."""
    queue = multiprocessing.Queue()
    arguments = (scorer.port, name, callers, seconds, queue)
    before = spent_ns(pid)
    asking = multiprocessing.Process(target=ask, args=arguments)
    asking.start()
    number = queue.get(timeout=60 + seconds)
    asking.join()
    return (spent_ns(pid) - before) / number / 1e3


def spent_ns(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in tasks)


def ask(port, name, callers, seconds, queue):
    """Each caller asks again when it was answered; put how many were."""
    import time

    body = json.dumps({"rows": [looping.CALM]})
    head = f"POST /v1/deployments/{name}/score HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()
    waiting = selectors.DefaultSelector()
    for _ in range(callers):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(connection, selectors.EVENT_READ)
        connection.sendall(request)
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in waiting.select(1):
            assert key.fileobj.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
            key.fileobj.sendall(request)
            number += 1
    queue.put(number)
