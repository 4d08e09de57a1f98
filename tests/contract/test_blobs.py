"""Every blob store keeps the port's promises."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tondo.adapters.blobs
from tondo.core.canonical import digest_bytes
from tondo.core.errors import CallerError, NotFoundError, PlatformError

FOLDERS = sorted(
    path.parent.name for path in Path(tondo.adapters.blobs.__path__[0]).glob("*/blobs.py")
)


def make(folder, root):
    module = importlib.import_module(f"tondo.adapters.blobs.{folder}.blobs")
    (kind,) = (
        each
        for name, each in vars(module).items()
        if name.endswith("Blobs") and inspect.isclass(each)
    )
    return kind(root) if "root" in inspect.signature(kind).parameters else kind()


@pytest.fixture(params=FOLDERS)
def blobs(request, tmp_path):
    opened = make(request.param, tmp_path / "blobs")
    yield opened
    if hasattr(opened, "close"):
        opened.close()


@pytest.fixture
def stored(tmp_path):
    return make("obstore", tmp_path / "blobs")


def test_there_is_a_store_that_keeps_and_its_twin():
    assert FOLDERS == ["memory", "obstore"]


@pytest.mark.parametrize("data", [b"", b"x", b"\x00\xff" * 3_000_000], ids=len)
def test_bytes_come_back_as_they_were_put(blobs, data):
    name = blobs.put(data)
    assert name == digest_bytes(data)
    assert blobs.get(name) == data
    assert blobs.has(name)


def test_putting_twice_is_one_object(blobs):
    assert blobs.put(b"same") == blobs.put(b"same")
    assert list(blobs.digests()) == [digest_bytes(b"same")]


def test_what_is_written_in_pieces_is_kept_like_its_bytes(blobs):
    def fill(file):
        for piece in (b"rows" * 100_000, b"", memoryview(b"more"), bytearray(b"!")):
            assert file.write(piece) == len(piece)

    whole = b"rows" * 100_000 + b"more!"
    assert blobs.write(fill) == digest_bytes(whole)
    assert blobs.get(digest_bytes(whole)) == whole
    assert blobs.put(whole) == blobs.write(fill)


def test_an_empty_object_may_be_written(blobs):
    assert blobs.get(blobs.write(lambda file: None)) == b""


def test_nothing_is_kept_of_what_could_not_be_written_to_its_end(blobs):
    def fill(file):
        file.write(b"half")
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        blobs.write(fill)
    assert list(blobs.digests()) == []


def test_every_digest_is_walked(blobs):
    names = {blobs.put(bytes([number])) for number in range(100)}
    assert sorted(blobs.digests()) == sorted(names)


def test_an_object_that_is_not_there_is_a_coded_error(blobs):
    name = digest_bytes(b"never put")
    assert not blobs.has(name)
    for ask in (blobs.get, blobs.local_path):
        with pytest.raises(NotFoundError, match=rf"TD-BLOB-001.*{name}"):
            ask(name)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "/" * 64])
def test_a_text_that_is_no_digest_never_becomes_a_path(blobs, text):
    for ask in (blobs.get, blobs.has, blobs.local_path):
        with pytest.raises(CallerError, match="TD-BLOB-004"):
            ask(text)


def test_a_local_path_holds_the_bytes(blobs):
    name = blobs.put(b"for an engine")
    assert blobs.local_path(name).read_bytes() == b"for an engine"
    assert blobs.local_path(name) == blobs.local_path(name)


def test_threads_may_put_the_same_object(blobs):
    data = os.urandom(300_000)
    threads = [threading.Thread(target=blobs.put, args=(data,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.get(digest_bytes(data)) == data


def test_kept_objects_are_there_after_opening_again(stored, tmp_path):
    name = stored.put(b"kept")
    assert make("obstore", tmp_path / "blobs").get(name) == b"kept"


def test_objects_lie_in_folders_of_two_characters(stored):
    name = stored.put(b"kept")
    assert stored.local_path(name) == stored.root / name[:2] / name[2:]


@pytest.mark.parametrize("position", [0, 500, 999])
def test_a_flipped_bit_is_never_handed_out(stored, position):
    name = stored.put(b"y" * 1000)
    path = stored.local_path(name)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(PlatformError, match="TD-BLOB-002") as caught:
        stored.get(name)
    assert caught.value.fields["path"] == str(path)


@pytest.mark.parametrize("damaged", [b"", b"short", b"z" * 1000])
def test_putting_the_true_bytes_heals_a_damaged_object(stored, damaged):
    name = stored.put(b"y" * 1000)
    stored.local_path(name).write_bytes(damaged)
    stored.put(b"y" * 1000)
    assert stored.get(name) == b"y" * 1000
    stored.local_path(name).write_bytes(damaged)
    assert stored.get(stored.write(lambda file: file.write(b"y" * 1000))) == b"y" * 1000


def test_nothing_is_left_behind_in_the_staging_folder(stored):
    for _ in range(2):
        stored.put(b"bytes")
        stored.write(lambda file: file.write(b"others"))
        with pytest.raises(ZeroDivisionError):
            stored.write(lambda file: 1 // file.tell())
    assert list((stored.root / "staging").iterdir()) == []


def test_a_killed_writer_s_file_goes_with_a_later_write_and_a_living_one_s_stays(tmp_path):
    code = f"""
from pathlib import Path
import sys
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
def fill(file):
    file.write(b"half")
    print("begun", flush=True)
    sys.stdin.readline()
print(ObstoreBlobs(Path({str(tmp_path)!r})).write(fill), flush=True)
"""
    killed, living = (
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    )
    for process in (killed, living):
        assert process.stdout.readline() == "begun\n"
    killed.kill()
    killed.communicate()
    blobs = make("obstore", tmp_path)
    staging = blobs.root / "staging"
    blobs.write(lambda file: file.write(b"soon after"))
    assert len(list(staging.iterdir())) == 2
    for path in staging.iterdir():
        os.utime(path, (1, 1))
    blobs.write(lambda file: file.write(b"later"))
    assert len(list(staging.iterdir())) == 1
    assert living.communicate("\n")[0].strip() == digest_bytes(b"half")
    assert blobs.get(digest_bytes(b"half")) == b"half"


def test_a_folder_that_is_a_file_is_a_coded_error(tmp_path):
    (tmp_path / "blobs").write_text("a file")
    with pytest.raises(PlatformError, match="TD-BLOB-003") as caught:
        make("obstore", tmp_path / "blobs").put(b"x")
    assert str(tmp_path / "blobs") in caught.value.fields["path"]


def test_a_full_disk_is_a_coded_error_and_leaves_nothing(tmp_path):
    code = f"""
import resource
from pathlib import Path
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.core.errors import PlatformError
blobs = ObstoreBlobs(Path({str(tmp_path)!r}))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
many = lambda file: [file.write(b"x" * 9_000) for _ in range(100)]
for keep in (lambda: blobs.put(b"x" * 1_000_000), lambda: blobs.write(many)):
    try:
        keep()
    except PlatformError as error:
        print(error.code)
print(list(blobs.digests()), [str(p) for p in blobs.root.rglob("*") if p.is_file()])
print(len(blobs.get(blobs.put(b"small"))))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["TD-BLOB-003", "TD-BLOB-003", "[] []", "5"], done.stderr


def test_a_process_killed_while_putting_leaves_no_half_object(tmp_path):
    code = f"""
import os
from pathlib import Path
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
blobs = ObstoreBlobs(Path({str(tmp_path)!r}))
print("ready", flush=True)
while True:
    print(blobs.put(os.urandom(2_000_000)), flush=True)
"""
    blobs = make("obstore", tmp_path)
    for round_ in range(5):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        said = [process.stdout.readline().strip() for _ in range(round_)]
        process.kill()
        said += [
            line.strip()
            for line in process.communicate()[0].splitlines(keepends=True)
            if line.endswith("\n")
        ]
        assert set(said) <= set(blobs.digests())
    for name in blobs.digests():
        assert len(blobs.get(name)) == 2_000_000
