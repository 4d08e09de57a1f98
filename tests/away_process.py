"""What stands for an isolated model's process in a test's own event loop, and a caller."""

import asyncio
import re
from types import SimpleNamespace

from uvicorn import Config
from uvicorn.server import ServerState

from tondo.faces.scorer.batch import Batch
from tondo.faces.scorer.fastpath import FastPath, ScorerProtocol
from tondo.faces.scorer.forwarding import Forwarder
from tondo.faces.scorer.handing import AwayRoute
from tondo.faces.scorer.metrics import RouteMetrics
from tondo.faces.web.guard import Guard
from transport import Transport

AWAY, HERE = "/v1/deployments/away/score", "/v1/deployments/here/score"
_LENGTH = re.compile(rb"content-length: (\d+)")


def reply(body, status=b"200 OK", more=b""):
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(body), body)


class Process:
    """Listens on a Unix socket; `answer(request) -> bytes` may be a coroutine, None ends it."""

    def __init__(self, path, answer):
        self.path = path
        self.answer = answer
        self.requests = []
        self.most_at_once = 0
        self._now = 0
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = head + await reader.readexactly(int(_LENGTH.search(head)[1]))
                self.requests.append(request)
                self._now += 1
                self.most_at_once = max(self.most_at_once, self._now)
                answer = self.answer(request)
                answer = await answer if asyncio.iscoroutine(answer) else answer
                self._now -= 1
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


def body_of(request):
    return request.partition(b"\r\n\r\n")[2]


def echo(request):
    return reply(body_of(request))


class Echo:
    """A route of this process that answers a body with itself."""

    appender = None
    most_bytes = 1000
    away = False

    def __init__(self):
        self.metrics = RouteMetrics()

    def answer_all(self, bodies):
        return [(200, body) for body in bodies]


class Site:
    """A scorer's protocol over one route here and one away."""

    def __init__(self, path):
        self.forwarder = Forwarder("away", path, RouteMetrics())
        fast = {HERE.encode(): Echo(), AWAY.encode(): AwayRoute(AWAY, self.forwarder)}
        batch = SimpleNamespace(batch=Batch())
        service = SimpleNamespace(appenders=batch, fast_answers=0, fast=fast)
        self.shared = FastPath(service, Guard())
        self._protocol = type("Bound", (ScorerProtocol,), {"shared": self.shared})

    def connect(self):
        config = Config(
            self._slow, http=self._protocol, lifespan="off", log_config=None, interface="asgi3"
        )
        config.load()
        connection = self._protocol(config, ServerState(), {})
        connection.connection_made(Transport())
        return connection

    async def _slow(self, scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status = 200
        if scope["path"] == AWAY:
            answer = await self.forwarder.forward(b"POST", scope["raw_path"], [], body)
            status, body = answer.status, answer.body
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def request(body, url=AWAY, more=b""):
    return b"POST %b HTTP/1.1\r\nhost: localhost\r\n%bcontent-length: %d\r\n\r\n%b" % (
        *(url.encode(), more),
        *(len(body), body),
    )


async def until(condition, within_s=20):
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


def bodies(written):
    """The bodies of answers that stand one behind the other."""
    found = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        length = int(_LENGTH.search(head)[1])
        found.append(rest[:length])
        written = rest[length:]
    return found
