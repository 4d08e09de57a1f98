"""The parts of uvicorn that the fast path leans on: when one moves, this says so."""

import inspect
from types import SimpleNamespace

import httptools
import pytest
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

METHODS = (
    "on_message_begin",
    "on_url",
    "on_header",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
    "shutdown",
    "data_received",
    "_unset_keepalive_if_required",
)


@pytest.mark.parametrize("name", METHODS)
def test_the_protocol_has_the_methods_we_extend(name):
    assert inspect.isfunction(getattr(HttpToolsProtocol, name))


@pytest.mark.parametrize(
    "name",
    [
        "cycle",
        "parser",
        "transport",
        "flow",
        "server_state",
        "headers",
        "scope",
        "url",
        "loop",
        "connections",
        "timeout_keep_alive_task",
    ],
)
def test_the_protocol_has_the_state_we_read(name):
    source = inspect.getsource(HttpToolsProtocol)
    assert f"self.{name}" in source


def test_a_cycle_tells_whether_its_response_is_complete():
    assert "self.response_complete" in inspect.getsource(RequestResponseCycle)


def test_headers_are_collected_in_the_list_that_the_scope_holds():
    source = inspect.getsource(HttpToolsProtocol.on_message_begin)
    assert '"headers": self.headers' in source


@pytest.mark.parametrize("name", ["startup", "shutdown", "capture_signals", "run"])
def test_the_server_has_the_methods_we_extend(name):
    assert callable(getattr(Server, name))


def test_the_server_has_the_state_we_read():
    server = Server(Config("x:y"))
    assert server.should_exit is False
    assert server.server_state.connections == set()
    assert server._captured_signals == []


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\nhost: a\n\n",
        b"POST / HTTP/1.1\r\nhost: a\n\n",
        b"POST / HTTP/1.1\r\nhost: a\r\n\n",
    ],
)
def test_the_parser_takes_no_line_feed_alone_for_the_end_of_a_head(head):
    with pytest.raises(httptools.HttpParserError):
        httptools.HttpRequestParser(object()).feed_data(head)


def test_the_parser_tells_a_request_with_its_first_byte():
    seen = SimpleNamespace(begun=0)
    seen.on_message_begin = lambda: setattr(seen, "begun", 1)
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(b"\r\n")
    assert seen.begun == 0
    parser.feed_data(b"P")
    assert seen.begun == 1
