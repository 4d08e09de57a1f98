"""Packages from files, addresses and object stores; what is wrong with them is coded."""

import http.server
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import scored
from tondo.adapters.packages import faults
from tondo.adapters.packages.http.source import HttpPackages
from tondo.core.errors import DataError, TondoError
from tondo.faces.scorer import fetching
from tondo.faces.scorer.bootstrap import load
from tondo.scoring.package import package_digest, seal

PACKAGE = scored.package()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one package, well and badly; remembers what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        answer = getattr(self, "_" + self.path[1:].partition("?")[0].partition(".")[0], None)
        if answer is None:
            self.send_error(404)
            return
        answer()

    def _late(self):
        self._send(PACKAGE)

    def _chunked(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PACKAGE)

    def _page(self):
        self._send(b"<html>sign in</html>")

    def _short(self):
        self._send(PACKAGE[:-100], told=len(PACKAGE))

    def _huge(self):
        self._send(b"", told=2 << 30)

    def _endless(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(64):
            self.wfile.write(b"x" * 65536)

    def _moved(self):
        self.send_response(302)
        self.send_header("Location", self.server.elsewhere)
        self.end_headers()

    def _send(self, data, told=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) if told is None else told))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def score(model):
    return model.predict(scored.ROW)


@pytest.fixture(scope="module")
def expected():
    return score(load(PACKAGE))


def test_a_path_and_a_file_address_are_read(tmp_path, expected):
    path = tmp_path / "a late model.tondo"
    path.write_bytes(PACKAGE)
    for place in (path, str(path), path.as_uri()):
        assert score(load(place)) == expected


@pytest.mark.parametrize("name", ["late.tondo", "late.tondo?version=1", "chunked"])
def test_any_web_server_gives_packages(name, server, expected):
    assert score(load(f"{server.address}/{name}")) == expected


def test_a_digest_names_one_package(server, expected):
    address, digest = f"{server.address}/late", package_digest(PACKAGE)
    assert score(load(address, digest=digest.upper())) == expected
    with pytest.raises(DataError, match=f"TD-PACKAGE-009.*{digest}"):
        load(address, digest="0" * 64)


def test_a_key_says_who_sealed_it(tmp_path):
    sealed = seal(scored.contents(), key=b"ours")
    load(sealed, key=b"ours")
    with pytest.raises(DataError, match="TD-PACKAGE-004"):
        load(sealed, key=b"theirs")
    with pytest.raises(DataError, match="TD-PACKAGE-004"):
        load(PACKAGE, key=b"ours")


def test_a_token_goes_to_the_named_host_alone(server, expected):
    server.elsewhere = f"http://localhost:{server.server_address[1]}/late"
    assert score(load(f"{server.address}/moved", token="secret")) == expected
    assert server.asked == [("/moved", "Bearer secret"), ("/late", None)]


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/late", "/moved"])
def test_a_server_leads_nowhere_else(target, server):
    server.elsewhere = target
    with pytest.raises(TondoError, match="TD-PACKAGE-011"):
        load(f"{server.address}/moved")


BAD = {
    "/nothing": "TD-PACKAGE-011.*status 404",
    "/short": "TD-PACKAGE-0(11|01)",
    "/huge": "TD-PACKAGE-012",
    "/page": "TD-PACKAGE-002.*not a ZIP",
}


@pytest.mark.parametrize("path", BAD)
def test_what_a_server_does_wrong_is_told(path, server):
    with pytest.raises(TondoError, match=BAD[path]):
        load(server.address + path)


def test_an_answer_without_an_end_is_left(server):
    with pytest.raises(DataError, match="TD-PACKAGE-012"):
        HttpPackages().fetch(f"{server.address}/endless", most_bytes=1 << 20)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("http://127.0.0.1:1/late", "TD-PACKAGE-011"),
        ("http://", "TD-PACKAGE-011"),
        ("http://bad host/x", "TD-PACKAGE-011"),
        ("https://127.0.0.1:99999/x", "TD-PACKAGE-011"),
        ("ftp://host/late", "TD-PACKAGE-010.*'ftp://'"),
        ("s4://bucket/late", "TD-PACKAGE-010.*There is: .*'s3'"),
        ("s3://bucket", "TD-PACKAGE-011.*names no object"),
        ("file:///no/such/file", "TD-PACKAGE-008"),
        ("no/such/file", "TD-PACKAGE-008"),
    ],
)
def test_places_that_hold_nothing_are_told(place, code):
    with pytest.raises(TondoError, match=code):
        load(place)


def test_secrets_of_an_address_are_not_shown():
    shown = str(faults.not_given("https://ana:pw@models.example/late?sig=abc", "it says no"))
    assert "models.example/late" in shown
    assert not {"ana", "pw", "abc"} & set(shown.replace("/", " ").replace("?", " ").split())


def test_an_object_store_gives_packages(tmp_path, expected, monkeypatch):
    import obstore
    from obstore.store import MemoryStore

    from tondo.adapters.packages.obstore import source

    store = MemoryStore()
    obstore.put(store, "models/late.tondo", PACKAGE)
    opened = []
    monkeypatch.setattr(source, "from_url", lambda url: opened.append(url) or store)
    assert score(load("s3://bucket/models/late.tondo")) == expected
    assert opened == ["s3://bucket"]
    with pytest.raises(TondoError, match="TD-PACKAGE-011"):
        load("s3://bucket/models/other.tondo")
    monkeypatch.setattr(fetching, "MAX_PACKAGE_BYTES", 100)
    with pytest.raises(DataError, match="TD-PACKAGE-012"):
        load("s3://bucket/models/late.tondo")
