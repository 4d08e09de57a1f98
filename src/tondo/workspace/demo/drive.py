"""Driving the year: landings, weather, scores and outcomes in order of event time."""

from __future__ import annotations

import bisect
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import msgspec

from tondo.core.errors import OutsideError
from tondo.workspace.demo.world import DAY_US, REQUEST_COLUMNS, TRAFFIC_FROM, prediction_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

    from tondo.stages.features.push import PushWriter
    from tondo.workspace.demo.wire import Wire
    from tondo.workspace.demo.world import World
    from tondo.workspace.facade import Workspace

DEPLOYMENT = "late_arrival"
_ROWS_PATH = f"/v1/deployments/{DEPLOYMENT}/score"
_V2_PATH = f"/v2/models/{DEPLOYMENT}/infer"
_HOUR_US = 3_600_000_000
CONTROL_AT_US = 6 * _HOUR_US
"""Time of day, UTC, of the daily control: before the first flight of the day is scored."""
_OVERLAP_US = 2 * DAY_US
"""What is pushed and recorded again after a kill; both are harmless when repeated."""
_V2_EVERY = 12
"""One single-row V2 request in so many: about 5,000 over the year."""

_BUSY, _OVERLOADED = 503, b"TD-SCORER-010"
_AGAIN_S = 1.0
"""When the scorer asks to be asked again."""
_TRIES = 30
"""A machine that is too busy for half a minute has other worries than a demo."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class HandClock(Protocol):
    """A clock that is moved by hand, and never backwards."""

    def now_us(self) -> int:
        """Return microseconds since 1970 UTC."""
        ...

    def set_us(self, instant_us: int) -> int:
        """Move to an instant and return it."""
        ...


class DriveCounts(msgspec.Struct):
    """What was sent and pushed."""

    requests: int = 0
    rows: int = 0
    v2_requests: int = 0
    pushed: int = 0
    """Events that the online store did not have."""
    outcomes: int = 0


class Drive:
    """Sends a stretch of the year to the running scorer, on the workspace's manual clock.

    `daily` is called with each control instant that is passed, before the traffic after it.
    """

    def __init__(
        self,
        workspace: Workspace,
        world: World,
        wire: Wire,
        *,
        clock: HandClock,
        daily: Callable[[int], None],
    ) -> None:
        self._workspace = workspace
        self._world = world
        self._wire = wire
        self._clock = clock
        self._daily = daily
        self._next_control_us = 0
        self._asked = 0
        self._unanswered: deque[list[bytes]] = deque()
        """Requests of each quarter that was sent and not answered: one waits while one is asked."""
        self.counts = DriveCounts()

    def run(self, start_us: int, end_us: int) -> DriveCounts:
        """Drive [start, end); what was acknowledged before a kill is not asked again."""
        last_us = self._last_acknowledged(start_us, end_us)
        from_us = start_us if last_us is None else last_us
        # A control instant at which the process was killed is met again; each decides once.
        self._next_control_us = -(-(from_us - CONTROL_AT_US) // DAY_US) * DAY_US + CONTROL_AT_US
        if last_us is not None:
            self._next_control_us -= DAY_US
        replayed_us = start_us if last_us is None else max(start_us, last_us - _OVERLAP_US)
        with _Arrivals(self._workspace, self._world, replayed_us, end_us) as arrivals:
            self._asking(arrivals, from_us, end_us)
            self._control(end_us)
            self._clock.set_us(end_us)
            arrivals.bring(end_us)
            arrivals.record(end_us)
            self.counts.pushed += arrivals.pushed
            self.counts.outcomes += arrivals.recorded
        return self.counts

    def _asking(self, arrivals: _Arrivals, from_us: int, end_us: int) -> None:
        """Ask for every quarter of an hour in turn.

        What arrives in an hour and in the next is pushed while the scorer still answers for the
        one before: what it reads as of then is not changed by later events.
        """
        hours: dict[int, Future[None]] = {}
        with ThreadPoolExecutor(1, "arrivals") as beside:
            for slot in self._slots(from_us, end_us):
                if slot.at_us >= self._next_control_us:
                    self._answered(at_most=0)
                    arrivals.sync()
                    self._control(slot.at_us)
                hour_us = -(-slot.at_us // _HOUR_US) * _HOUR_US
                for ahead_us in (hour_us, hour_us + _HOUR_US):
                    if ahead_us not in hours and ahead_us <= max(self._next_control_us, hour_us):
                        hours[ahead_us] = beside.submit(arrivals.bring, ahead_us)
                requests = self._requests(slot.at_us, slot.groups)
                self._answered(at_most=1)
                hours[hour_us].result()
                self._clock.set_us(slot.at_us)
                self._wire.send(requests)
                self._unanswered.append(requests)
            self._answered(at_most=0)

    def _slots(self, from_us: int, end_us: int) -> Iterator[_Slot]:
        """Yield each quarter of an hour that has flights to score."""
        found: _Slot | None = None
        for as_of_us, _, rows in self._world.to_score(from_us, end_us):
            if found is None or as_of_us != found.at_us:
                if found is not None:
                    yield found
                found = _Slot(as_of_us, [])
            found.groups.append(rows)
        if found is not None:
            yield found

    def _control(self, now_us: int) -> None:
        """Run the daily control for each control instant up to `now_us`."""
        while self._next_control_us <= now_us:
            self._clock.set_us(self._next_control_us)
            self._daily(self._next_control_us)
            self._next_control_us += DAY_US

    def _requests(self, slot_us: int, groups: list[list[dict[str, Any]]]) -> list[bytes]:
        """Return the requests of a quarter: one an origin, now and then a V2 one besides."""
        requests = [self._rows_request(slot_us, rows) for rows in groups]
        for rows in groups:
            self._asked += 1
            if self._asked % _V2_EVERY == 0:
                requests.append(self._v2_request(slot_us, rows[0]))
                self.counts.v2_requests += 1
        self.counts.requests += len(groups)
        self.counts.rows += sum(map(len, groups))
        return requests

    def _answered(self, *, at_most: int) -> None:
        """Wait until at most so many quarters are unanswered; any refusal ends the drive.

        But what the scorer asks to send again, because it has too much to do, is sent again.
        """
        later: list[bytes] = []
        while len(self._unanswered) > (0 if later else at_most):
            later += self._receive(self._unanswered.popleft())
        tries = 0
        while later:
            tries += 1
            time.sleep(_AGAIN_S)
            self._wire.send(later)
            later = self._receive(later, patient=tries < _TRIES)

    def _receive(self, requests: list[bytes], *, patient: bool = True) -> list[bytes]:
        """Read the answers to requests; return those that are to be sent again."""
        answers = zip(requests, self._wire.receive(len(requests)), strict=True)
        later = []
        for request, answer in answers:
            if patient and answer.status == _BUSY and _OVERLOADED in answer.body:
                later.append(request)
            elif answer.status != 200:
                raise _refused(answer.status, answer.body)
        return later

    def _rows_request(self, slot_us: int, rows: list[dict[str, Any]]) -> bytes:
        body = {
            "rows": [_request_row(each) for each in rows],
            "ids": [prediction_id(each["flight_id"], slot_us) for each in rows],
            "as_of": slot_us,
        }
        return self._wire.post(_ROWS_PATH, _encode(body))

    def _v2_request(self, slot_us: int, row: dict[str, Any]) -> bytes:
        sent = _request_row(row)
        inputs = [
            {
                "name": name,
                "shape": [1],
                "datatype": "FP64" if isinstance(value, float) else "BYTES",
                "data": [value],
            }
            for name, value in sent.items()
        ]
        parameters = {
            "as_of": slot_us,
            "purpose": "v2",
            "prediction_ids": [prediction_id(row["flight_id"], slot_us, "v2")],
        }
        return self._wire.post(_V2_PATH, _encode({"inputs": inputs, "parameters": parameters}))

    def _last_acknowledged(self, start_us: int, end_us: int) -> int | None:
        """Return the as-of time of the last logged prediction of this stretch."""
        import pyarrow.compute as pc

        stream = self._workspace.parts.predictions(DEPLOYMENT)
        logged = stream.read(start_us=start_us, end_us=end_us, columns=("as_of",))
        if logged.num_rows == 0:
            return None
        return int(pc.max(logged.column("as_of").cast("int64")).as_py())


class _Slot(NamedTuple):
    """One quarter of an hour and the flights of each origin that are scored at it."""

    at_us: int
    groups: list[list[dict[str, Any]]]


class _Arrivals:
    """What arrives by itself: landings, weather, and outcomes once they are true.

    Used from one thread at a time; closing ends its writers.
    """

    def __init__(self, workspace: Workspace, world: World, start_us: int, end_us: int) -> None:
        # Like the scorer's log: what was acknowledged survives the death of any process. The
        # device is told each simulated day, since 17,000 flushes are half of the year's time.
        self._landings = workspace.features.pusher("origin_delays", durability="written")
        self._weather = workspace.features.pusher("weather", durability="written")
        self._outcomes = workspace.monitoring.outcome_log(DEPLOYMENT, durability="written")
        landings = world.landings(start_us, end_us)
        self._landed = _Feed(landings, "landed_us")
        self._observed = _Feed(world.observations(start_us, end_us), "time_us")
        self._true = _Feed(landings, "landed_us")
        known = workspace.parts.outcomes(DEPLOYMENT).read(start_us=start_us)
        self._known = set(known.column("prediction_id").to_pylist())
        self.pushed = 0
        self.recorded = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the writers."""
        for writer in (self._landings, self._weather, self._outcomes):
            writer.close()

    def bring(self, until_us: int) -> None:
        """Push what arrives up to `until_us`; record the outcomes of an hour earlier."""
        self.record(until_us - _HOUR_US)
        self._push(self._landings, [_landing(each) for each in self._landed.until(until_us)])
        self._push(self._weather, [_observation(each) for each in self._observed.until(until_us)])

    def sync(self) -> None:
        """Flush what was brought and recorded to the device."""
        for writer in (self._landings, self._weather, self._outcomes):
            writer.sync()

    def record(self, now_us: int) -> None:
        """Record the outcomes that came true up to `now_us`."""
        from tondo.stages.monitoring.outcomes import Outcome

        batch = [
            Outcome(
                prediction_id=name,
                label=1.0 if each["arr_delay"] > 15 else 0.0,
                event_time_us=each["landed_us"],
            )
            for each in self._true.until(now_us)
            if each["scored_us"] >= TRAFFIC_FROM
            and (name := prediction_id(each["flight_id"], each["scored_us"])) not in self._known
        ]
        if batch:
            self._outcomes.record(batch)
            self.recorded += len(batch)

    def _push(self, writer: PushWriter, events: list[dict[str, Any]]) -> None:
        if events:
            self.pushed += writer.push(events).accepted


class _Feed:
    """Rows in order of time, handed out up to an instant."""

    def __init__(self, rows: list[dict[str, Any]], time: str) -> None:
        self._rows = rows
        self._times = [each[time] for each in rows]
        self._place = 0

    def until(self, now_us: int) -> list[dict[str, Any]]:
        """Return the rows not handed out yet whose time is not after `now_us`."""
        end = bisect.bisect_right(self._times, now_us, lo=self._place)
        rows = self._rows[self._place : end]
        self._place = end
        return rows


def _request_row(row: dict[str, Any]) -> dict[str, Any]:
    sent = {name: row[name] for name in REQUEST_COLUMNS}
    sent["scheduled_at"] = row["scheduled_text"]
    return sent


def _landing(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "flight_id": row["flight_id"],
        "origin": row["origin"],
        "landed_at": row["landed_us"],
        "arr_delay": row["arr_delay"],
    }


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "time_hour": row["time_us"]}


def _refused(status: int, body: bytes) -> OutsideError:
    found = _decode(body)
    told = found.get("error", found) if isinstance(found, dict) else found
    message = told.get("message", told) if isinstance(told, dict) else told
    return OutsideError(
        "TD-DEMO-002",
        f"the scorer answered {status}: {message}",
        expected="an answer to every request of the year",
        fix="Run the command again: it goes on from the last answer.",
        status=status,
    )
