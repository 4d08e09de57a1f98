"""REST over the table of operations: every route, one error shape, nobody uninvited."""

from __future__ import annotations

import re

import msgspec
import pytest

from tondo.core.errors import ConflictError, DataError, DefinitionError, PlatformError
from tondo.faces.api.app import create_app
from tondo.faces.ui.routes import page_routes
from tondo.workspace.operations import OPERATIONS
from tondo.workspace.pages import Overview

BASE = "http://127.0.0.1:8460"
TOKEN = "a-token-of-sixteen-signs-or-more"


@pytest.fixture(scope="module")
def shared(painted):
    return painted.PaintedWorkspace()


@pytest.fixture
def workspace(shared):
    shared.asked.clear()
    return shared


@pytest.fixture(scope="module")
def client(shared, app_client):
    return app_client(create_app(shared, pages=page_routes()), BASE)


@pytest.fixture(scope="module")
def guarded(shared, app_client):
    return app_client(create_app(shared, token=TOKEN, pages=page_routes()), BASE)


@pytest.fixture
def asked_for_models(painted, app_client):
    def ask(verb):
        workspace = painted.PaintedWorkspace()
        workspace.registry.models = verb
        return app_client(create_app(workspace), BASE).get("/v1/models")

    return ask


def address_of(operation) -> str:
    return re.sub(r"{\w+}", "x", operation.http[1])


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_answers_at_its_address(each, client, workspace):
    body = {} if each.http[0] == "GET" else {"json": {}}
    answer = client.request(each.http[0], address_of(each), **body)
    if each.name == "prediction.show":
        assert answer.json()["error"]["code"] == "TD-MONITOR-001"
    else:
        assert answer.status_code == 200, answer.text
        assert each.name == "project.overview" or workspace.asked[-1][0] == each.name


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_without_the_token_no_operation_answers(each, guarded):
    assert guarded.request(each.http[0], address_of(each)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/predictions/x", "/static/tondo.css", "/schema", "/nowhere"]
)
def test_without_the_token_no_page_answers(path, guarded):
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "TD-WEB-003"


def test_only_the_sign_of_life_needs_no_token(guarded):
    assert guarded.get("/health").json() == {"live": True}


def test_the_token_opens_as_bearer_and_as_a_browsers_password(guarded):
    assert (
        guarded.get("/v1/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    )
    assert guarded.get("/", auth=("anybody", TOKEN)).status_code == 200
    assert guarded.get("/", auth=("anybody", TOKEN + "x")).status_code == 401


def test_a_foreign_host_name_is_refused(client):
    answer = client.get("/v1/models", headers={"Host": "rebound.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "TD-WEB-001")


def test_a_named_host_is_allowed(painted, app_client):
    app = create_app(painted.PaintedWorkspace(), allowed_hosts=["ml.example"])
    assert app_client(app, "http://ml.example:8460").get("/v1/models").status_code == 200


def test_a_page_of_another_site_cannot_write(client, workspace):
    answer = client.post("/v1/definitions", json={}, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "TD-WEB-002")
    assert workspace.asked == []


def test_a_form_cannot_write(client, workspace):
    answer = client.post("/v1/sql", data={"text": "select 1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "TD-API-003")
    assert workspace.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError("TD-SCHEMA-001", "bad"), 422),
        (DefinitionError("TD-LANG-001", "bad"), 422),
        (ConflictError("TD-LEDGER-003", "moved"), 409),
        (PlatformError("TD-LOG-001", "full"), 503),
    ],
)
def test_a_coded_error_keeps_its_shape(error, status, asked_for_models):
    def refuse():
        raise error

    answer = asked_for_models(refuse)
    assert (answer.status_code, answer.json()) == (status, {"error": error.to_json()})


def test_a_fault_of_ours_is_coded_and_tells_nothing_of_the_data(asked_for_models):
    def break_down():
        raise ZeroDivisionError("secret 42")

    answer = asked_for_models(break_down)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "TD-API-009")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/nothing", 404, "TD-WEB-004"), ("DELETE", "/v1/models", 405, "TD-WEB-005")],
)
def test_an_unknown_address_is_coded(method, path, status, code, client):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e%2fapp.py", "..%5cx", "tondo.css%00"])
def test_static_files_are_ours_only(path, client):
    answer = client.get(f"/static/{path}")
    assert answer.status_code in {404, 400}
    assert "root:" not in answer.text


def test_every_answer_forbids_foreign_scripts_and_sniffing(client):
    for path in ("/", "/v1/models", "/nowhere", "/schema"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_openapi_lists_every_operation(client):
    document = client.get("/schema").json()
    listed = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert listed == {each.name for each in OPERATIONS}


def test_a_page_and_its_json_tell_the_same(client, painted):
    overview = client.get("/v1/overview").json()
    assert msgspec.convert(overview, Overview, strict=False) == painted.full_overview()
    page = client.get("/").text
    assert f"version&nbsp;{overview['models'][0]['version']} is live" in page
