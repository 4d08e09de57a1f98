"""What only LMDB can go through: other processes, kills, full disks, lost power."""

import signal
import subprocess
import sys
import time

import pytest

from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.core.errors import PlatformError

WRITER = """
import sys
from pathlib import Path
from tondo.adapters.online.lmdb.store import LmdbStore
store = LmdbStore(Path(sys.argv[1]), relaxed=sys.argv[2] == "relaxed")
number = 0
while True:
    number += 1
    store.put_many([(b"%02d" % key, b"%d" % number) for key in range(20)], durable=False)
    if number == 3:
        print("ready", flush=True)
"""
FULL = """
import resource, sys
from pathlib import Path
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.core.errors import PlatformError
store = LmdbStore(Path(sys.argv[1]), relaxed=sys.argv[2] == "relaxed")
store.put_many([(b"a", b"1")])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    store.put_many([(b"%05d" % key, b"x" * 2000) for key in range(1000)])
except PlatformError as error:
    print(error.code, store.get_many([b"a", b"00000"]), len(store.scan(b"", b"z")))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("mode", ["relaxed", "durable"])
def test_a_killed_writer_leaves_its_last_whole_batch(tmp_path, mode):
    for _ in range(3):
        with start(WRITER, tmp_path, mode) as writer:
            assert writer.stdout.readline() == "ready\n"
            time.sleep(0.05)
            writer.send_signal(signal.SIGKILL)
        store = LmdbStore(tmp_path)
        values = store.get_many([b"%02d" % key for key in range(20)])
        assert len(set(values)) == 1
        assert int(values[0]) >= 3
        store.put_many([(b"00", values[0])])
        store.close()


def test_a_reader_in_another_process_sees_what_a_writer_wrote(tmp_path):
    with start(WRITER, tmp_path, "relaxed") as writer:
        writer.stdout.readline()
        reader = LmdbStore(tmp_path, readonly=True)
        first = int(reader.get_many([b"00"])[0])
        deadline = time.monotonic() + 10
        while int(reader.get_many([b"00"])[0]) <= first:
            assert time.monotonic() < deadline
        writer.kill()
        reader.close()


def test_a_killed_reader_s_slot_is_given_back(tmp_path):
    store = LmdbStore(tmp_path)
    store.put_many([(b"a", b"1")])
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tondo.adapters.online.lmdb.store import LmdbStore\n"
        "LmdbStore(Path(sys.argv[1]), readonly=True).get_many([b'a'])\n"
        "print('read', flush=True); time.sleep(60)"
    )
    with start(program, tmp_path) as reader:
        reader.stdout.readline()
        reader.kill()
    store.close()
    again = LmdbStore(tmp_path)
    assert "(no active readers)" in again._env.readers()
    again.close()


@pytest.mark.parametrize("mode", ["relaxed", "durable"])
def test_a_full_disk_is_a_coded_error_and_writes_nothing(tmp_path, mode):
    with start(FULL, tmp_path, mode) as process:
        assert process.stdout.read() == "TD-ONLINE-005 [b'1', None] 1\n"
    store = LmdbStore(tmp_path)
    assert store.scan(b"", b"z") == [(b"a", b"1")]
    store.close()


def test_the_map_grows_when_it_is_full_also_for_readers(tmp_path):
    store = LmdbStore(tmp_path / "store", map_size=1 << 20)
    program = (
        "import sys; from pathlib import Path\n"
        "from tondo.adapters.online.lmdb.store import LmdbStore\n"
        "store = LmdbStore(Path(sys.argv[1]), readonly=True, map_size=1 << 20)\n"
        "print(len(store.scan(b'', b'z')), flush=True)\n"
        "sys.stdin.readline()\n"
        "print(len(store.scan(b'', b'z')), flush=True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "store")]
    store.put_many([(b"a", b"1")])
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as reader:
        assert reader.stdout.readline() == "1\n"
        store.put_many([(b"%05d" % key, b"x" * 1000) for key in range(5000)])
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "5001\n"
    store.close()


def test_a_folder_is_opened_once_in_a_process(tmp_path):
    store = LmdbStore(tmp_path)
    with pytest.raises(PlatformError, match=r"TD-ONLINE-008.*already open"):
        LmdbStore(tmp_path)
    store.close()


def test_a_folder_that_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(PlatformError, match="TD-ONLINE-008"):
        LmdbStore(tmp_path / "nothing", readonly=True)


def test_a_store_of_another_boot_that_was_not_flushed_is_refused(tmp_path):
    store = LmdbStore(tmp_path, relaxed=True)
    store.put_many([(b"a", b"1")], durable=False)
    assert (tmp_path / "unflushed").exists()
    store._env.close()
    (tmp_path / "unflushed").write_text("another boot", encoding="ascii")
    for readonly in (True, False):
        with pytest.raises(PlatformError, match="TD-ONLINE-007"):
            LmdbStore(tmp_path, readonly=readonly)


def test_a_closed_store_needs_no_mark(tmp_path):
    store = LmdbStore(tmp_path, relaxed=True)
    store.put_many([(b"a", b"1")], durable=False)
    store.close()
    assert not (tmp_path / "unflushed").exists()
    with_mark = LmdbStore(tmp_path, readonly=True)
    assert with_mark.get_many([b"a"]) == [b"1"]
    with_mark.close()
