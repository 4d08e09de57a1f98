"""A port that somebody else has: exit code, code, the port and the cure, and nothing is left."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import bring_live, write_shop


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("shop"))
    bring_live(folder)
    return folder


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def run(module, *arguments):
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def scorer(folder, port):
    return run("tondo.faces.scorer", "--root", folder / ".tondo", "--port", port)


def server(folder, port):
    return run("tondo.faces.server", "--project", folder, "--port", port)


@pytest.mark.parametrize(("start", "code"), [(scorer, "TD-SCORER-001"), (server, "TD-API-006")])
def test_a_server_that_cannot_listen_ends_with_2_and_says_what_to_do(start, code, folder, taken):
    done = start(folder, taken)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{code}: cannot listen on 127.0.0.1:{taken}")
    assert "choose another --port" in done.stderr


@pytest.mark.parametrize("port", [-1, 65_536])
@pytest.mark.parametrize(("start", "code"), [(scorer, "TD-SCORER-001"), (server, "TD-API-006")])
def test_a_port_that_cannot_be_is_told(start, code, port, folder):
    done = start(folder, port)
    assert done.returncode == 2
    assert done.stderr.startswith(code)
    assert "a port is 0 to 65535" in done.stderr


@pytest.mark.parametrize(
    ("option", "code"), [("--port", "TD-API-006"), ("--scorer-port", "TD-SCORER-001")]
)
def test_serving_on_a_taken_port_ends_both_processes(option, code, folder, taken):
    other = "--scorer-port" if option == "--port" else "--port"
    done = run("tondo.faces.cli", "serve", "--project", folder, option, taken, other, 0)
    assert done.returncode == 3
    assert done.stderr.startswith("TD-LAUNCH-001")
    assert code in done.stderr
    assert taken in done.stderr
    assert children_of(folder) == []


def children_of(folder):
    """Command lines of the processes that still serve the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(str(folder).encode() in each for each in words):
            found.append(words)
    return found


def test_two_scorers_may_serve_one_folder_on_ports_of_their_own(folder):
    command = [sys.executable, "-m", "tondo.faces.scorer", "--root", str(folder / ".tondo")]
    command += ["--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE) as two,
    ):
        first, second = (json.loads(each.stdout.readline())["ready"] for each in (one, two))
        assert first != second
        one.terminate()
        two.terminate()
