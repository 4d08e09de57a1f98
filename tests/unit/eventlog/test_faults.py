"""A full disk, a short write, a torn tail: refused with a code, and nothing half is left."""

import errno
import os
import resource
import subprocess
import sys

import pytest

from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.core.errors import CallerError, PlatformError

STREAM = "predictions/late"


def payloads(log):
    return [payload for _, payload in log.read(STREAM)]


def appender(log, writer="w", durability="written"):
    return log.appender(STREAM, writer, durability=durability)


class Disk:
    """os.write of a disk that has room for `room` more bytes."""

    def __init__(self, monkeypatch, room):
        self.room = room
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, fd, data):
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = min(self.room, len(data))
        self.room -= count
        return self._write(fd, data[:count])


@pytest.mark.parametrize("room", [0, 1, 15, 40])
def test_a_full_disk_refuses_and_leaves_nothing_half(tmp_path, monkeypatch, room):
    log = FilesEventLog(tmp_path)
    writer = appender(log)
    writer.append(b"kept")
    disk = Disk(monkeypatch, room)
    with pytest.raises(PlatformError, match="TD-LOG-001.*No space|TD-LOG-001.*cut short"):
        writer.append_many([b"x" * 20, b"y" * 20])
    assert payloads(log) == [b"kept"]
    disk.room = 10_000
    writer.append(b"later")
    assert payloads(log) == [b"kept", b"later"]


def test_a_full_disk_at_the_first_frame_leaves_no_segment(tmp_path, monkeypatch):
    log = FilesEventLog(tmp_path)
    writer = appender(log)
    disk = Disk(monkeypatch, 3)
    with pytest.raises(PlatformError, match="TD-LOG-001"):
        writer.append(b"x")
    assert log.segments(STREAM) == []
    disk.room = 10_000
    writer.append(b"x")
    assert payloads(log) == [b"x"]


def test_when_even_cutting_back_fails_the_segment_is_given_up(tmp_path, monkeypatch):
    log = FilesEventLog(tmp_path)
    writer = appender(log)
    writer.append(b"kept")
    disk = Disk(monkeypatch, 5)

    def no_truncate(fd, length):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", no_truncate)
        with pytest.raises(PlatformError, match="TD-LOG-001"):
            writer.append(b"lost")
    disk.room = 10_000
    writer.append(b"later")
    assert payloads(log) == [b"kept", b"later"]
    assert len(log.segments(STREAM)) == 2


def test_a_sync_that_fails_takes_the_frame_back(tmp_path, monkeypatch):
    log = FilesEventLog(tmp_path)
    writer = appender(log, durability="synced")
    writer.append(b"kept")

    def broken(fd):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(PlatformError, match="TD-LOG-001"):
            writer.append(b"not acknowledged")
    assert payloads(log) == [b"kept"]


FILL = """
import resource, sys
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.core.errors import PlatformError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
writer = FilesEventLog(sys.argv[1]).appender("predictions/late", "w", durability="written")
kept = 0
try:
    while True:
        writer.append(b"%04d" % kept * 30)
        kept += 1
except PlatformError as error:
    print(kept, error.code)
"""


def test_the_systems_own_file_limit_is_a_full_disk(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kept, code = done.stdout.split()
    assert code == "TD-LOG-001"
    assert payloads(FilesEventLog(tmp_path)) == [b"%04d" % each * 30 for each in range(int(kept))]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_torn_tail_is_cut_off_when_its_writer_comes_back(tmp_path):
    log = FilesEventLog(tmp_path)
    writer = appender(log)
    writer.append(b"kept")
    name = writer.roll()
    path = tmp_path / STREAM / name
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"torn")
    assert payloads(log) == [b"kept"]
    appender(log)
    assert path.stat().st_size == whole


def test_the_torn_tail_of_another_writer_is_left_alone(tmp_path):
    log = FilesEventLog(tmp_path)
    live = appender(log, "live")
    live.append(b"kept")
    appender(log, "other")
    live.append(b"also")
    assert payloads(log) == [b"kept", b"also"]


def test_segments_roll_by_size(tmp_path):
    log = FilesEventLog(tmp_path, segment_bytes=100)
    writer = appender(log)
    for number in range(10):
        writer.append(b"%040d" % number)
    assert len(log.segments(STREAM)) == 5
    assert payloads(log) == [b"%040d" % number for number in range(10)]


def test_deleted_segments_give_no_name_away_again(tmp_path):
    log = FilesEventLog(tmp_path)
    writer = appender(log)
    writer.append(b"a")
    first = writer.roll()
    (tmp_path / STREAM / first).unlink()
    writer.append(b"b")
    assert writer.roll() > first


@pytest.mark.parametrize("stream", ["../out", "/etc", "a//b", "", ".hidden", "a/../b"])
def test_streams_cannot_leave_the_folder(tmp_path, stream):
    with pytest.raises(CallerError, match="TD-LOG-005"):
        appender_of = FilesEventLog(tmp_path).appender
        appender_of(stream, "w", durability="written")


def test_a_writer_that_was_killed_leaves_its_segment_closed(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from tondo.adapters.eventlog.files.log import FilesEventLog\n"
        "log = FilesEventLog(sys.argv[1])\n"
        "log.appender('predictions/late', 'w', durability='written').append(b'kept')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    log = FilesEventLog(tmp_path)
    assert payloads(log) == [b"kept"]
    assert [each.closed for each in log.segments(STREAM)] == [True]
