"""The commonest request of a protocol, read and answered by what was compiled for its model.

A reader takes one body of one row, with nothing besides, and refuses everything else by any
error: it is then read by the protocol's handler, which is the specification. Replies are cut out
of what the handler itself encodes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from math import inf
from operator import itemgetter
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from tondo.faces.scorer.protocols import rows, v2
from tondo.faces.scorer.protocols.carried import Sent
from tondo.faces.scorer.protocols.quick_binary import binary_reader
from tondo.scoring.answer import Answer, Prediction
from tondo.scoring.quick import quick_path

if TYPE_CHECKING:
    from tondo.faces.scorer.metrics import RouteMetrics
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.quick import QuickPath, Scored

_encode = msgspec.json.Encoder().encode

Read = tuple[Sequence[tuple[Any, ...]], Sequence[Any], Sequence[bool] | None]
"""Of each row its values in the order of the columns; of each what is to be logged; and of each
whether its score goes back as bytes, None where none does."""

Reader = Callable[[Sequence[bytes]], Read]
Reply = tuple[int, bytes]

_OK = 200

_pack_score = struct.Struct("<d").pack

_ID: Final = "\0id"
_SCORE: Final = 0.12345678901234568
_AT_US: Final = 981_173_106_789_012


class QuickHandler:
    """Answers bodies of one row for one scoring path."""

    def __init__(self, path: QuickPath, read: Reader, replies: Replies) -> None:
        self._score = path.score
        self._variant = path.serving.variant.name
        self._read = read
        self._replies_of = replies.of

    def answer_all(
        self, bodies: Sequence[bytes], started_ns: int, metrics: RouteMetrics
    ) -> list[Reply] | None:
        """Return status and payload for each body; None where one must be read another way."""
        try:
            rows, logged, told = self._read(bodies)
            scored = self._score(rows, logged, started_ns)
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return None
        if scored is None:
            return None
        replies = self._replies_of(scored, told)
        number = len(replies)
        metrics.count([_OK] * number, perf_counter_ns() - started_ns, number, self._variant)
        return replies

    def takes(self, body: bytes) -> bool:
        """Return whether a body is read here."""
        try:
            self._read([body])
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return False
        return True


class Replies(Protocol):
    """What writes the replies to rows that one variant answered."""

    def of(self, scored: Scored, told: Sequence[bool] | None) -> list[Reply]:
        """Return the reply to each row; `told` says of which the score goes back as bytes."""


class QuickReplies:
    """Replies with one prediction, which differ in id, score, instant and decision only."""

    def __init__(
        self,
        path: QuickPath,
        encode: Callable[[Answer], bytes],
        instant: Callable[[int], str],
        *,
        has_score: bool = True,
    ) -> None:
        serving = path.serving
        self._threshold = serving.threshold
        self._instant = instant
        marks = [_encode(_ID)[1:-1].decode(), _encode(_SCORE).decode(), instant(_AT_US)]
        texts = [
            encode(
                Answer(
                    [Prediction(_ID, _SCORE, decision, serving.variant.name)],
                    *(path.deployment, [serving.answered], path.log_mode, _AT_US, {}),
                )
            ).decode()
            for decision in ((None, None) if self._threshold is None else (False, True))
        ]
        pattern = re.compile("|".join(map(re.escape, marks)))
        self._below, self._above = (pattern.sub("%s", text.replace("%", "%%")) for text in texts)
        """Formats of the reply to a score below the threshold, and to another."""
        places = [marks.index(each) for each in pattern.findall(texts[0])]
        self._order = itemgetter(*places)
        """Puts id, score and instant into the order of a format."""
        self.is_distinct = (places.count(1), places.count(2)) == (int(has_score), 1)
        """Whether nothing else in the text reads like score or instant."""

    def of(self, scored: Scored, told: Sequence[bool] | None = None) -> list[Reply]:
        """Return the reply to each row, all in JSON."""
        del told
        order, threshold = self._order, self._threshold
        below, above = self._below, self._above
        at_us, ids, scores = scored
        at = self._instant(at_us)
        least = -inf if threshold is None else threshold
        return [
            (
                _OK,
                (
                    (above if score >= least else below) % order((id_, _encode(score).decode(), at))
                ).encode(),
            )
            for id_, score in zip(ids, scores, strict=True)
        ]


class V2Replies:
    """Replies in JSON, or with the score as bytes behind it."""

    def __init__(self, path: QuickPath) -> None:
        self._json = QuickReplies(path, lambda answer: v2.encode_answer(answer, None), str)
        heads = QuickReplies(
            path, lambda answer: v2.encode_beginning(answer, None, 8), str, has_score=False
        )
        self._heads = heads
        self.is_distinct = self._json.is_distinct and heads.is_distinct

    def of(self, scored: Scored, told: Sequence[bool] | None) -> list[Reply]:
        """Return the reply to each row, as it was asked for."""
        if told is None:
            return self._json.of(scored)
        in_bytes: list[Reply] = [
            (status, v2.with_bytes(head, _pack_score(score)))
            for (status, head), score in zip(self._heads.of(scored), scored[2], strict=True)
        ]
        if all(told):
            return in_bytes
        return [
            behind if is_asked else plain
            for behind, plain, is_asked in zip(in_bytes, self._json.of(scored), told, strict=True)
        ]


def rows_reader(inputs: RowInputs) -> Reader:
    """Return the reader of `{"rows": [{...}]}`."""
    decode, values, own = rows_decoder(inputs), msgspec.structs.astuple, inputs.own_values
    names = tuple(inputs.types)

    def read(bodies: Sequence[bytes]) -> Read:
        _refuse_headers(bodies)
        rows = [decode(body).rows[0] for body in bodies]
        return [values(row) for row in rows], rows, None

    def read_own(bodies: Sequence[bytes]) -> Read:
        _refuse_headers(bodies)
        rows = [own(values(decode(body).rows[0])) for body in bodies]
        return rows, [dict(zip(names, row, strict=True)) for row in rows], None

    return read_own if inputs.converts else read


def v2_reader(inputs: RowInputs) -> Reader:
    """Return the reader of one tensor of shape [1] for each column, in their order."""
    decode, own, names = v2_decoder(inputs), inputs.own_values, tuple(inputs.types)
    read_bytes = binary_reader(inputs)

    def read_one(body: bytes) -> tuple[tuple[Any, ...], bool]:
        if read_bytes is not None and isinstance(body, Sent):
            return read_bytes(body)
        _refuse_headers([body])
        return own(tuple([tensor.data[0] for tensor in decode(body).inputs])), False

    def read(bodies: Sequence[bytes]) -> Read:
        rows, told = zip(*map(read_one, bodies), strict=True)
        logged = [dict(zip(names, row)) for row in rows]  # noqa: B905 - counted by the decoder
        return rows, logged, told if True in told else None

    return read


def _refuse_headers(bodies: Sequence[bytes]) -> None:
    """Leave bodies with headers of their own to the handler."""
    if Sent in map(type, bodies):
        raise ValueError(bodies)


def rows_decoder(inputs: RowInputs) -> Callable[[bytes], Any]:
    """Return the decoder of a body with one row: its `rows[0]` is a struct of the columns."""
    request = msgspec.defstruct(
        "OneRow",
        [("rows", tuple[inputs.struct])],  # type: ignore[name-defined]
        forbid_unknown_fields=True,
        gc=False,
    )
    return _decoder(request)


def v2_decoder(inputs: RowInputs) -> Callable[[bytes], Any]:
    """Return the decoder of a body with one row: its `inputs` are tensors in the columns' order."""
    tensors = tuple(
        msgspec.defstruct(
            "Tensor",
            [
                ("name", Literal[name]),
                ("shape", tuple[Literal[1]]),
                ("datatype", Literal[tuple(v2.ACCEPTED.get(type_) or ["none"])]),
                ("data", tuple[inputs.wire[name]]),  # type: ignore[name-defined]
                ("parameters", dict[str, Any] | None, None),
            ],
            gc=False,
        )
        for name, type_ in inputs.types.items()
    )
    request = msgspec.defstruct(
        "OneRow",
        [("inputs", tuple.__class_getitem__(tensors))],
        forbid_unknown_fields=True,
        gc=False,
    )
    return _decoder(request)


def _decoder(type_: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(type_).decode


def quick_handler(handler: Any) -> QuickHandler | None:
    """Return what answers a handler's commonest requests, None where it has none."""
    if handler.protocol not in {"rows", "v2"}:
        return None
    path = quick_path(handler.path)
    if path is None or not path.inputs.types:
        return None
    if handler.protocol == "rows":
        read = rows_reader(path.inputs)
        replies: V2Replies | QuickReplies = QuickReplies(path, rows.encode_answer, handler.instant)
    else:
        read = v2_reader(path.inputs)
        replies = V2Replies(path)
    return QuickHandler(path, read, replies) if replies.is_distinct else None
