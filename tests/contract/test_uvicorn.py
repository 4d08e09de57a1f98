"""The parts of uvicorn that the fast path leans on: when one moves, this says so."""

import inspect

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
)


@pytest.mark.parametrize("name", METHODS)
def test_the_protocol_has_the_methods_we_extend(name):
    assert inspect.isfunction(getattr(HttpToolsProtocol, name))


@pytest.mark.parametrize(
    "name",
    ["cycle", "parser", "transport", "flow", "server_state", "headers", "scope", "url", "loop"],
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
