"""Whatever is sent to a scorer's socket: a coded 4xx or a closed connection, and order kept.

A second connection has half a request under way meanwhile: it must get its own answer.
The scorers here wait long enough for everything: each 5xx is a fault, none is an overload.
"""

import contextlib
import errno
import json
import re
import socket
import struct
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, Answer, Workspace, running, tensors
from tondo.faces.scorer.forwarding import AT_ONCE

SCORE = "/v1/deployments/late/score"
BODIES = {
    SCORE: {"rows": [ROW]},
    "/v2/models/late/infer": {"inputs": tensors(ROW)},
    "/v1/models/late:predict": {"instances": [ROW]},
    "/v1/models/late:classify": {"examples": [ROW]},
    "/invocations": {"dataframe_records": [ROW]},
    "/endpoints/late/invocations": {"instances": [[ROW[name] for name in scored.INPUTS]]},
}
PLACES = [*WAYS, "isolated fast", pytest.param("isolated starlette", marks=pytest.mark.long)]
"""Ways of a model in the process that is asked, and of one in a process of its own."""
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
EXAMPLES = [60, pytest.param(3_000, marks=pytest.mark.long)]
PATIENT_S = 600
"""Far beyond what a busy machine may take: what hangs is found, what waits for a processor passes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace in which the model runs in a process of its own."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    workspace.publish(workspace.variant(scored.package()), isolate="process")
    return workspace.root


@pytest.fixture(scope="module", params=PLACES)
def scorer(request, folder, root):
    # A machine that stands still must look neither like too many requests nor like a slow caller.
    patient = ("--queue-ms", 1_000 * PATIENT_S, "--request-timeout", PATIENT_S)
    isolated, _, way = request.param.rpartition(" ")
    place = ("--root", root) if isolated else ("--packages", folder)
    with running(*place, *patient, way=way) as scorer:
        wait_until(lambda: scorer.score().status == 200)
        # Connections to the model's process are kept for the next request.
        kept = AT_ONCE if isolated else 0
        before, told = descriptors(scorer) + kept, scorer.process.log_tail()
        yield scorer
        assert scorer.score().status == 200
        wait_until(lambda: descriptors(scorer) <= before)
        assert scorer.process.log_tail() == told


def descriptors(scorer):
    return len(list(Path(f"/proc/{scorer.process.pid}/fd").iterdir()))


def wait_until(condition, within_s=PATIENT_S):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fuzz(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def connect(scorer):
    connection = socket.create_connection(("127.0.0.1", scorer.port), timeout=PATIENT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def request_of(url, body, *headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"POST {url} HTTP/1.1",
        "host: localhost",
        "content-type: application/json",
        f"content-length: {len(data)}",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def read_answer(stream):
    """Status and body of the next answer."""
    status = stream.readline()
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        headers[name.lower()] = value
    body = stream.read(int(headers[b"content-length"]))
    return int(status.split()[1]), body


def received(scorer, connection):
    """All that comes until the server closes, or waits for more and we have said that we are done.

    It waits for more when others have asked and been answered meanwhile, time after time.
    """
    found, silent = b"", 0
    with contextlib.suppress(ConnectionError):
        with connect(scorer) as third, third.makefile("rb") as stream:
            while silent < 4:
                third.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
                assert read_answer(stream) == (200, b'{"live":true}')
                connection.setblocking(False)
                try:
                    part = connection.recv(1 << 16)
                except BlockingIOError:
                    silent += 1
                    continue
                if not part:
                    return found
                found, silent = found + part, 0
        end_sending(connection)
        return found + all_of(connection)
    return found


def all_of(connection):
    """All that comes until the server closes."""
    found = b""
    connection.settimeout(PATIENT_S)
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(1 << 16):
            found += part
    return found


def end_sending(connection):
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:  # the server has closed already
            raise


@contextlib.contextmanager
def a_bystander(scorer):
    """Half a request before, the other half after: it gets its own answer."""
    whole = request_of(SCORE, {"rows": [ROW], "ids": ["bystander"]})
    with connect(scorer) as connection, connection.makefile("rb") as stream:
        connection.sendall(whole[:150])
        yield
        connection.sendall(whole[150:])
        status, body = read_answer(stream)
    assert b'"id":"bystander"' in body
    assert status == 200


def answers_to(scorer, *pieces, closes=False):
    """Statuses of all answers, and their bytes; `closes` is whether the server must end it."""
    with a_bystander(scorer), connect(scorer) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except ConnectionError:
            pass  # refused before all was sent
        found = all_of(connection) if closes else received(scorer, connection)
    statuses = [int(each) for each in STATUS.findall(found)]
    assert not [each for each in statuses if each >= 500], found
    assert b"bystander" not in found
    for answer in re.split(rb"(?=HTTP/1\.1 \d{3} )", found)[1:]:
        status, body = int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]
        assert not 400 <= status < 500 or b"TD-" in body or not body, answer
    return statuses, found


bad_bytes = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\xff", b"%", b"{", b"[", b'"', b"0", b"-"]
)
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), bad_bytes | st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


def edited(data, changes):
    for place, cut, more in changes:
        at = int(place * len(data))
        data = data[:at] + more + data[at + cut :]
    return data


@pytest.mark.parametrize("examples", EXAMPLES)
def test_spoilt_requests(scorer, examples):
    @fuzz(examples)
    @given(st.sampled_from(list(BODIES)), edits, st.integers(1, 400))
    def check(url, changes, at):
        data = edited(request_of(url, BODIES[url]), changes)
        answers_to(scorer, data[:at], data[at:])

    check()


targets = st.sampled_from(
    [
        *BODIES,
        *(
            "/",
            "*",
            "/v2",
            "/v2/",
            "/v2/models/late%2fx/infer",
            "/v2/models/%00/infer",
            "http://x/",
        ),
        *("/v1/models/late/versions/\xb2:predict", "/endpoints/../invocations", "/v1/status?%zz"),
        *("/v2/models//infer", "/v1/models/:predict", "//invocations", "/v2/models/late/infer?x=1"),
    ]
)
names = st.sampled_from(
    [
        *("content-length", "transfer-encoding", "host", "connection", "expect", "upgrade"),
        *("content-type", "accept", "origin", "authorization", "content-encoding", "x-request-id"),
        *("traceparent", "inference-header-content-length", "x-amzn-sagemaker-target-variant"),
        *("x-amzn-sagemaker-inference-id", "x-amzn-sagemaker-custom-attributes", "http2-settings"),
        "x-tondo-deployment",
    ]
)
header_values = st.sampled_from(
    [
        *("", "0", "-1", "+5", "1e3", "0x10", "99999999999999999999", "chunked", "gzip, chunked"),
        *("close", "keep-alive, upgrade", "h2c", "websocket", "100-continue", "text/csv", "*/*"),
        *("late", "live", "\xe9\xff", "a" * 300, "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "null"),
    ]
)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_strange_heads(scorer, examples):
    @fuzz(examples)
    @given(
        st.sampled_from(
            ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "Ω"]
        ),
        targets,
        st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTQ/1.1", ""]),
        st.lists(st.tuples(names, header_values), max_size=5),
        st.binary(max_size=40) | st.just(json.dumps(BODIES[SCORE]).encode()),
    )
    def check(method, target, version, headers, body):
        lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers)]
        if len(headers) % 2:
            lines += ["host: localhost", f"content-length: {len(body)}"]
        answers_to(scorer, "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body)

    check()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([*ROW, *ROW.values(), "late", "score", "FP64", [1], {"b64": "="}]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *ROW,
                    *("rows", "inputs", "instances", "examples", "context", "dataframe_split"),
                    *("dataframe_records", "columns", "data", "ids", "as_of", "purpose", "id"),
                    *("name", "shape", "datatype", "parameters", "outputs", "features", "b64"),
                    *("signature_name", "params", "index", "binary_data_size", "prediction_ids"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@st.composite
def near_bodies(draw, url):
    """A good body in which one value somewhere is another one."""
    body = json.loads(json.dumps(BODIES[url]))
    at, steps = body, draw(st.integers(0, 4))
    for _ in range(steps):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or draw(st.booleans()):
            at[key] = draw(json_values)
            break
        at = at[key]
    return body


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("url", list(BODIES))
def test_wrong_bodies(scorer, url, examples):
    @fuzz(max(30, examples // 3))
    @given(json_values | near_bodies(url))
    def check(body):
        answer = scorer.post(url, body, headers={"content-type": "application/json"})
        assert answer.status < 500, (body, answer.body)
        assert answer.status == 200 or b"TD-" in answer.body

    check()


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"features":', "}"), ('{"b64":', "}")])
@pytest.mark.parametrize("url", list(BODIES))
def test_bodies_nested_about_as_deeply_as_can_be_read(scorer, url, begin, end):
    whole = json.dumps(BODIES[url])
    values = [each for each in (str(ROW["distance"]), json.dumps(ROW)) if each in whole]
    assert values
    with contextlib.closing(scorer.connect()) as connection:
        for depth in [*range(900, 1_000), 10_000, 100_000]:
            nested = f"{begin * depth}1{end * depth}"
            for value in values:
                connection.request("POST", url, whole.replace(value, nested))
                answer = Answer(connection.getresponse())
                assert (answer.status, b"TD-" in answer.body) == (400, True), (depth, answer.body)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_wrong_tensors_in_bytes(scorer, examples):
    @fuzz(examples)
    @given(
        st.sampled_from(["FP64", "FP32", "INT64", "INT8", "UINT16", "BOOL", "BYTES", "BF16", "x"]),
        st.lists(st.integers(-2, 2**63), max_size=3) | st.just([1]),
        st.none() | st.integers(-3, 40) | st.booleans() | st.floats(),
        st.binary(max_size=24) | st.builds(struct.pack, st.just("<d"), st.floats()),
        st.integers(-2, 3),
    )
    def check(datatype, shape, size, data, off):
        inputs = tensors(ROW)
        inputs[1] = {"name": "distance", "shape": shape, "datatype": datatype}
        if size is not None:
            inputs[1]["parameters"] = {"binary_data_size": len(data) if size == 1.0 else size}
        head = json.dumps({"inputs": inputs}).encode()
        length = {"inference-header-content-length": str(len(head) + off if off > 1 else len(head))}
        answer = scorer.post("/v2/models/late/infer", head + data, headers=length)
        assert answer.status in {200, 400}, answer.body
        assert answer.status == 200 or answer.code.startswith("TD-")

    check()


@st.composite
def pipelines(draw, caller="p"):
    """Good requests with an id each, and how they are cut into pieces."""
    whole, wanted = b"", []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["rows", "v2", "get", "chunked", "refused", "traced"]))
        own = f"{caller}{number}"
        if kind == "get":
            whole += b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
            own = '"live":true'
        elif kind == "v2":
            whole += request_of("/v2/models/late/infer", {"id": own, "inputs": tensors(ROW)})
        elif kind == "refused":
            whole += request_of(SCORE, {"rows": [{"distance": own}]})
            own = "TD-SCORE-001"
        elif kind == "chunked":
            body = json.dumps({"rows": [ROW], "ids": [own]}).encode()
            whole += (
                f"POST {SCORE} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
            ).encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            more = ["x-request-id: r"] if kind == "traced" else []
            whole += request_of(SCORE, {"rows": [ROW], "ids": [own]}, *more)
        wanted.append(own)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    return pieces, wanted


@pytest.mark.parametrize("examples", EXAMPLES)
def test_pipelined_requests_are_answered_in_their_order(scorer, examples):
    @fuzz(examples)
    @given(pipelines())
    def check(pipeline):
        pieces, wanted = pipeline
        with (
            a_bystander(scorer),
            connect(scorer) as connection,
            connection.makefile("rb") as stream,
        ):
            for piece in pieces:
                connection.sendall(piece)
            for own in wanted:
                status, body = read_answer(stream)
                assert own.encode() in body, (own, body)
                assert [status] == answered([own])

    check()


def answered(wanted):
    """The statuses that requests of `pipelines` get."""
    return [400 if own.startswith("TD") else 200 for own in wanted]


@st.composite
def crowds(draw):
    """Pipelines of several callers, and whose piece is sent when."""
    callers = [draw(pipelines(caller)) for caller in "wxyz"[: draw(st.integers(2, 4))]]
    turns = [at for at, (pieces, _) in enumerate(callers) for _ in pieces]
    return callers, draw(st.permutations(turns))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_callers_at_once_get_their_own_answers_in_their_order(scorer, examples):
    @fuzz(examples)
    @given(crowds())
    def check(crowd):
        callers, turns = crowd
        with contextlib.ExitStack() as opened:
            connections = [opened.enter_context(connect(scorer)) for _ in callers]
            streams = [opened.enter_context(each.makefile("rb")) for each in connections]
            left = [iter(pieces) for pieces, _ in callers]
            for at in turns:
                connections[at].sendall(next(left[at]))
            for stream, (_, wanted) in zip(streams, callers, strict=True):
                for own in wanted:
                    status, body = read_answer(stream)
                    assert own.encode() in body, (own, body)
                    assert [status] == answered([own])

    check()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_good_requests_before_garbage_are_answered_before_it(scorer, examples):
    @fuzz(examples)
    @given(pipelines(), st.binary(min_size=1, max_size=30))
    def check(pipeline, garbage):
        pieces, wanted = pipeline
        statuses, found = answers_to(scorer, b"".join(pieces) + b"\0" + garbage, closes=True)
        # Where an answer was still owed, the connection ends with it; else with a refusal.
        assert statuses in (answered(wanted), [*answered(wanted), 400])
        place = 0
        for own in wanted:
            place = found.index(own.encode(), place) + 1

    check()


SMUGGLED = request_of(SCORE, {"rows": [ROW], "ids": ["smuggled"]})


@pytest.mark.parametrize(
    "headers",
    [
        ["content-length: 5", "transfer-encoding: chunked"],
        ["transfer-encoding: chunked", "content-length: 5"],
        ["content-length: 0", "content-length: 5"],
        ["content-length: 0, 5"],
        ["content-length: +0"],
        ["content-length: 0x0"],
        ["content-length : 0"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: chunked, identity"],
        ["transfer-encoding: identity", "content-length: 0", "transfer-encoding: chunked"],
        ["transfer-encoding\t: chunked"],
        [" transfer-encoding: chunked"],
        ["x: y\nTransfer-Encoding: chunked"],
        ["transfer-encoding: \x0bchunked"],
    ],
)
@pytest.mark.parametrize("url", [SCORE, "/v2/models/late/infer", "/invocations"])
def test_a_request_hidden_in_a_body_is_not_answered(scorer, url, headers):
    lines = [f"POST {url} HTTP/1.1", "host: localhost", *headers]
    data = "\r\n".join(lines).encode() + b"\r\n\r\n0\r\n\r\n" + SMUGGLED
    statuses, found = answers_to(scorer, data)
    assert b"smuggled" not in found
    assert not [each for each in statuses if each < 400]


@pytest.mark.parametrize(
    ("head", "refused"),
    [
        (["x: " + "a" * 70_000], "TD-WEB-006"),
        ([f"x{each}: y" for each in range(200)], "TD-WEB-006"),
        (["a" * 70_000 + ": y"], "TD-WEB-006"),
    ],
)
def test_a_huge_head_is_refused(scorer, head, refused):
    lines = [f"POST {SCORE} HTTP/1.1", "host: localhost", "content-length: 0", *head]
    statuses, found = answers_to(scorer, "\r\n".join(lines).encode() + b"\r\n\r\n")
    assert (statuses, refused.encode() in found) == ([431], True)


def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(scorer):
    with a_bystander(scorer), connect(scorer) as connection:
        sent = 0
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\nx: ")
            for _ in range(1_000):
                sent += connection.send(b"a" * 65_536)
        assert sent < 20 << 20


@pytest.mark.parametrize("ending", [b"5\r\nab", b"5\r\nabcde\r\n", b"x\r\n", b"-5\r\n", b"5;" * 50])
def test_truncated_chunks_get_no_score(scorer, ending):
    head = f"POST {SCORE} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    statuses, _ = answers_to(scorer, head.encode() + ending)
    assert not [each for each in statuses if each < 400]


@pytest.fixture(scope="module", params=WAYS)
def impatient(request, folder):
    with running("--packages", folder, "--request-timeout", 1, way=request.param) as scorer:
        yield scorer


@pytest.mark.parametrize(("url", "sent"), [(SCORE, 30), (SCORE, 150), ("/invocations", 150)])
def test_a_request_that_trickles_is_given_up(impatient, url, sent):
    whole = request_of(url, BODIES[url])
    with connect(impatient) as connection:
        connection.sendall(whole[:sent])
        found = all_of(connection)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"TD-WEB-008" in found
