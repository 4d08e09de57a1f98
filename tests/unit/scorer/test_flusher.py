import threading

from tondo.core.errors import PlatformError
from tondo.faces.scorer.flusher import Flusher


def test_it_flushes_again_and_again():
    thrice = threading.Barrier(2)
    flusher = Flusher(lambda: thrice.wait(10), every_s=0.001)
    flusher.start()
    for _ in range(3):
        thrice.wait(10)
    thrice.abort()
    flusher.stop()


def test_the_last_flush_is_after_the_stop():
    calls = []
    flusher = Flusher(lambda: calls.append(1), every_s=60)
    flusher.start()
    assert calls == []
    flusher.stop()
    assert calls == [1]


def test_a_failed_flush_is_told_and_tried_again(caplog):
    failures = [PlatformError("TD-LOG-001", "full"), OSError("no descriptor")]
    done = threading.Event()

    def sync():
        if failures:
            raise failures.pop(0)
        done.set()

    flusher = Flusher(sync, every_s=0.001)
    flusher.start()
    assert done.wait(10)
    flusher.stop()
    assert "TD-LOG-001" in caplog.text
    assert "no descriptor" in caplog.text


def test_one_that_never_began_can_be_stopped():
    Flusher(lambda: None).stop()
