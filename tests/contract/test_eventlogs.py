"""Every event log keeps the same promises."""

import pytest

from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.core.errors import ConflictError, NotFoundError
from tondo.ports.eventlog import Position

STREAM = "predictions/late"


@pytest.fixture(params=["files", "memory"])
def log(request, tmp_path):
    return FilesEventLog(tmp_path) if request.param == "files" else MemoryEventLog()


def appender(log, writer="w", durability="written"):
    return log.appender(STREAM, writer, durability=durability)


def payloads(log, after=None):
    return [payload for _, payload in log.read(STREAM, after)]


def last_position(log):
    return [position for position, _ in log.read(STREAM)][-1]


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_frames_are_read_in_the_order_they_were_appended(log, durability):
    writer = appender(log, durability=durability)
    writer.append(b"a")
    writer.append_many([b"b", b"", b"c"])
    assert payloads(log) == [b"a", b"b", b"", b"c"]


def test_an_unknown_stream_is_empty(log):
    assert payloads(log) == []
    assert log.segments(STREAM) == []


def test_nothing_appended_begins_no_segment(log):
    writer = appender(log)
    writer.append_many([])
    assert writer.roll() is None
    assert log.segments(STREAM) == []


def test_reading_goes_on_after_any_position(log):
    writer = appender(log)
    for each in (b"a", b"b", b"c"):
        writer.append(each)
    positions = [position for position, _ in log.read(STREAM)]
    assert [payloads(log, each) for each in positions] == [[b"b", b"c"], [b"c"], []]


def test_what_is_appended_later_is_read_later(log):
    writer = appender(log)
    writer.append(b"a")
    position = last_position(log)
    writer.append(b"b")
    writer.roll()
    writer.append(b"c")
    assert payloads(log, position) == [b"b", b"c"]


def test_an_older_segment_that_is_still_open_is_not_passed_by(log):
    first, second = appender(log, "one"), appender(log, "two")
    first.append(b"a")
    second.append(b"b")
    position = last_position(log)
    first.append(b"c")
    assert payloads(log, position) == [b"c"]
    after = [each for each, _ in log.read(STREAM, position)][-1]
    second.append(b"d")
    first.append(b"e")
    assert sorted(payloads(log, after)) == [b"d", b"e"]


def test_a_position_survives_being_written_down(log):
    first, second = appender(log, "one"), appender(log, "two")
    first.append(b"a")
    second.append(b"b")
    position = last_position(log)
    first.append(b"c")
    first.close()
    assert payloads(log, Position(str(position.segment), int(position.offset))) == [b"c"]


def test_the_end_is_after_all_that_is_there_and_before_all_that_comes(log):
    assert log.end(STREAM) is None
    first, second = appender(log, "one"), appender(log, "two")
    first.append(b"a")
    second.append(b"b")
    third = appender(log, "three")
    third.append(b"c")
    third.close()
    position = log.end(STREAM)
    assert payloads(log, position) == []
    first.append(b"d")
    second.append(b"e")
    appender(log, "four").append(b"f")
    assert sorted(payloads(log, position)) == [b"d", b"e", b"f"]


def test_a_rolled_segment_is_closed_and_the_next_is_new(log):
    writer = appender(log)
    writer.append(b"a")
    name = writer.roll()
    writer.append(b"b")
    segments = log.segments(STREAM)
    assert [each.closed for each in segments] == [True, False]
    assert segments[0].name == name
    assert [payload for _, payload in log.read_segment(STREAM, name)] == [b"a"]


def test_closing_closes_for_good(log):
    writer = appender(log)
    writer.append(b"a")
    writer.close()
    assert [each.closed for each in log.segments(STREAM)] == [True]


def test_segments_stand_in_the_order_they_were_begun(log):
    writers = [appender(log, name) for name in ("z", "a", "m")]
    for number in range(6):
        writers[number % 3].append(b"%d" % number)
        writers[number % 3].roll()
    assert payloads(log) == [b"%d" % number for number in range(6)]


def test_a_segment_is_read_from_an_offset(log):
    writer = appender(log)
    writer.append_many([b"a", b"b"])
    name = writer.roll()
    (first, _), _ = log.read_segment(STREAM, name)
    assert [each for _, each in log.read_segment(STREAM, name, first.offset)] == [b"b"]


def test_an_unknown_segment_is_named(log):
    with pytest.raises(NotFoundError, match="TD-LOG-003"):
        list(log.read_segment(STREAM, "nope"))


def test_streams_do_not_mix(log):
    appender(log).append(b"a")
    log.appender("outcomes/late", "w", durability="written").append(b"b")
    assert payloads(log) == [b"a"]


def test_a_removed_segment_is_gone_and_readers_go_on_with_the_others(log):
    writer = appender(log)
    writer.append(b"a")
    first = writer.roll()
    writer.append(b"b")
    position = last_position(log)
    second = writer.roll()
    log.remove(STREAM, first)
    assert payloads(log) == [b"b"]
    writer.append(b"c")
    assert payloads(log, position) == [b"c"]
    log.remove(STREAM, second)
    assert payloads(log, position) == [b"c"]
    with pytest.raises(NotFoundError, match="TD-LOG-003"):
        log.remove(STREAM, first)


def test_no_name_is_given_again_after_all_segments_were_removed(log):
    writer = appender(log)
    writer.append(b"a")
    position = last_position(log)
    removed = writer.roll()
    log.remove(STREAM, removed)
    appender(log).append(b"b")
    (left,) = log.segments(STREAM)
    assert left.name > removed
    assert payloads(log, position) == [b"b"]


def test_a_segment_that_is_written_cannot_be_removed(log):
    writer = appender(log)
    writer.append(b"a")
    (segment,) = log.segments(STREAM)
    with pytest.raises(ConflictError, match="TD-LOG-006"):
        log.remove(STREAM, segment.name)
    assert payloads(log) == [b"a"]


def test_a_segment_is_read_when_a_reader_has_passed_all_of_it(log):
    one, two = appender(log, "one"), appender(log, "two")
    one.append(b"a")
    two.append(b"b")
    middle = last_position(log)
    one.append(b"c")
    first, second = one.roll(), two.roll()
    end = log.end(STREAM)
    assert [log.has_read(STREAM, None, each) for each in (first, second)] == [False, False]
    assert [log.has_read(STREAM, middle, each) for each in (first, second)] == [False, True]
    assert [log.has_read(STREAM, end, each) for each in (first, second)] == [True, True]
