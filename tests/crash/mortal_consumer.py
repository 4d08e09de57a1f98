"""Consumes a log of requests, and kills itself at a named point.

Run: mortal_consumer.py FOLDER POINT LIVES. `before` kills before the LIVESth frame is written,
`after` it, `torn` in the middle of it, `random` at some time while it works.
"""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.files import appender as files
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.core.ids import IdSource
from tondo.scoring.model import load_model
from tondo.scoring.plan import PlannedVariant
from tondo.stages.serving import consumer as consuming
from tondo.stages.serving.answers import answers_of
from tondo.stages.serving.candidate import CandidateAnswerer
from tondo.stages.serving.consumer import Consumer
from tondo.stages.serving.logged import LoggedRequests

STREAM = answers_of("shadow", "late", "v2")
CANDIDATE = PlannedVariant(
    name="candidate", weight=1.0, model="late", version=2, model_version_id="id-2", package="0"
)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(write, point, lives):
    """Return an append that is the last thing its process does."""
    left = [lives]

    def append(self, payload):
        left[0] -= 1
        if left[0] == 0 and point == "before":
            kill()
        if left[0] == 0 and point == "torn":
            data = files.framed([payload])
            if self._fd < 0:
                self._open()
            os.write(self._fd, data[: len(data) // 2])
            kill()
        write(self, payload)
        if left[0] == 0:
            kill()

    return append


def make_consumer(log):
    contents = scored.contents(bias=0.25)
    answerer = CandidateAnswerer(
        "late",
        CANDIDATE,
        load_model(contents, scored.LOADERS),
        purpose="shadow",
        online=lambda: None,
        package_of=lambda _: contents,
        clock=ManualClock(0),
        ids=IdSource(),
    )
    source = LoggedRequests("late", eventlog=log)
    return Consumer(source, [answerer], eventlog=log, stream=STREAM)


def main():
    folder, point, lives = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    consuming.FRAME_REQUESTS = 7
    log = FilesEventLog(folder)
    consumer = make_consumer(log)
    if point == "random":
        delay_s = random.Random(lives).uniform(0, 0.05)
        threading.Thread(target=lambda: (time.sleep(delay_s), kill()), daemon=True).start()
    else:
        files.FilesAppender.append = mortal(files.FilesAppender.append, point, lives)
    print("ready", flush=True)
    while True:
        consumer.step()


if __name__ == "__main__":
    main()
