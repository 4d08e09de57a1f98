import pytest

from tondo.core.errors import ConflictError, DataError, NotFoundError, PlatformError
from tondo.faces.web.guard import Guard, is_loopback
from tondo.faces.web.status import error_body, status_of


def code(guard, **headers):
    found = guard.refusal([(name.encode(), each.encode()) for name, each in headers.items()])
    return found and found.code


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8461", "LOCALHOST:1", "[::1]:80", "[::1]"]
)
def test_this_machines_own_names_pass(host):
    assert code(Guard(), host=host) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.", "[::2]"]
)
def test_other_names_are_refused(host):
    assert code(Guard(), host=host) == "TD-WEB-001"


def test_a_name_can_be_allowed():
    assert code(Guard(["models.internal"]), host="Models.internal:80") is None


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_pages_of_other_origins_are_refused(origin):
    assert code(Guard(), host="localhost:8461", origin=origin) == "TD-WEB-002"


def test_our_own_pages_pass():
    assert code(Guard(), host="localhost:8461", origin="http://localhost:8461") is None


def test_a_token_is_demanded_and_then_any_host_will_do():
    guard = Guard(token="0123456789abcdef")
    assert code(guard, host="models.internal") == "TD-WEB-003"
    assert code(guard, host="x", authorization="Bearer wrong") == "TD-WEB-003"
    assert code(guard, host="x", authorization="Bearer 0123456789abcdef") is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_what_is_reachable_from_elsewhere(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("TD-PLAN-004", "x"), 404),
        (ConflictError("TD-LEDGER-003", "x"), 409),
        (DataError("TD-PACKAGE-001", "x"), 422),
        (PlatformError("TD-LOG-001", "full"), 503),
        (PlatformError("TD-SCORER-003", "x"), 500),
    ],
)
def test_every_error_has_a_status(error, status):
    assert status_of(error) == status


def test_the_body_of_an_error_has_its_code():
    assert error_body(NotFoundError("TD-PLAN-004", "x"))["error"]["code"] == "TD-PLAN-004"
