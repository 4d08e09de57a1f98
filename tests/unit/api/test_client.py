"""The client over a real socket: the same operations, the same errors."""

from __future__ import annotations

import threading

import pytest

from tondo.core.errors import CallerError, NotFoundError, OutsideError
from tondo.faces.api.app import create_app
from tondo.faces.client import Client
from tondo.faces.server.binding import address_of, bind
from tondo.workspace.operations import OPERATIONS

TOKEN = "a-token-of-sixteen-signs-or-more"


@pytest.fixture(scope="module")
def served(painted):
    import uvicorn

    workspace = painted.PaintedWorkspace()
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(create_app(workspace, token=TOKEN), log_config=None, ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield address_of("127.0.0.1", listener), workspace
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(served):
    return Client(served[0], token=TOKEN)


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_can_be_called_by_name(each, client, served):
    names = [part[1:-1] for part in each.http[1].split("/") if part.startswith("{")]
    if each.name in {"prediction.show", "project.overview"}:
        return
    client.call(each.name, **dict.fromkeys(names, "a b@main"), limit=3)
    assert served[1].asked[-1] == (each.name, {**dict.fromkeys(names, "a b@main"), "limit": 3})


def test_a_noun_and_a_verb_read_as_one_says_them(client):
    assert client.dataset.commits(dataset="flights")["operation"] == "dataset.commits"
    assert "commits" in dir(client.dataset)


def test_lists_and_objects_go_over(client, served):
    client.view.read(view="weather", keys=["JFK", "LGA"])
    assert served[1].asked[-1][1]["keys"] == ["JFK", "LGA"]
    client.deployment.predict(deployment="late", row={"distance": 1400.0})
    assert served[1].asked[-1][1]["row"] == {"distance": 1400.0}


def test_errors_arrive_as_they_were_raised(client):
    with pytest.raises(NotFoundError, match="TD-MONITOR-001"):
        client.prediction.show(prediction_id="nothing")
    with pytest.raises(CallerError, match=r"TD-API-002.*'limit'"):
        client.model.list(lmit=3)


def test_without_the_token_it_is_told_so(served):
    with pytest.raises(CallerError, match="TD-WEB-003"):
        Client(served[0]).model.list()


def test_nobody_there_is_an_outside_error():
    with pytest.raises(OutsideError, match=r"TD-API-012.*tondo serve"):
        Client("http://127.0.0.1:9").model.list()


@pytest.mark.parametrize("address", ["file:///etc/passwd", "127.0.0.1:8460"])
def test_only_http_is_spoken(address):
    with pytest.raises(CallerError, match="TD-API-011"):
        Client(address)


def test_an_unknown_noun_suggests_near_ones(client):
    with pytest.raises(AttributeError, match="dataset"):
        _ = client.datset
