"""The commonest request of a protocol, read and answered by what was compiled for its model.

A reader takes one body of one row, with nothing besides, and refuses everything else by any
error: it is then read by the protocol's handler, which is the specification. Replies are cut out
of what the handler itself encodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from tondo.core.instants import from_micros
from tondo.faces.scorer.protocols import rows, v2
from tondo.scoring.answer import Answer, Prediction
from tondo.scoring.quick import quick_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.quick import QuickPath, Scored

_encode = msgspec.json.Encoder().encode

Read = tuple[Sequence[Any], Any]
"""A row's values in the order of the columns, and the row as it is to be logged."""

_ID: Final = "\0id"
_SCORE: Final = 0.12345678901234568
_AT_US: Final = 981_173_106_789_012


class QuickHandler:
    """Answers bodies of one row for one scoring path."""

    def __init__(
        self, path: QuickPath, read: Callable[[bytes], Read], replies: QuickReplies
    ) -> None:
        self._score = path.score
        self._read = read
        self._replies = replies

    def answer_all(self, bodies: Sequence[bytes], started_ns: int) -> list[bytes | None]:
        """Return the JSON of each answer, None for a body that must be read another way."""
        read = self._read
        try:
            usual = [read(body) for body in bodies]
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return self._answer_usual([_tried(read, body) for body in bodies], started_ns)
        replies = self._replies_to(usual, started_ns)
        return [None] * len(bodies) if replies is None else [*replies]

    def _answer_usual(self, taken: Sequence[Read | None], started_ns: int) -> list[bytes | None]:
        """Answer the bodies that were read."""
        usual = [each for each in taken if each is not None]
        replies = iter(self._replies_to(usual, started_ns) or [])
        return [None if each is None else next(replies, None) for each in taken]

    def _replies_to(self, usual: Sequence[Read], started_ns: int) -> list[bytes] | None:
        if not usual:
            return None
        values, logged = [each for each, _ in usual], [each for _, each in usual]
        scored = self._score(values, logged, started_ns)
        return None if scored is None else self._replies.of(scored)


def _tried(read: Callable[[bytes], Read], body: bytes) -> Read | None:
    try:
        return read(body)
    except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
        return None


class QuickReplies:
    """Replies with one prediction, which differ in id, instant, score and decision only."""

    def __init__(
        self, path: QuickPath, encode: Callable[[Answer], bytes], instant: Callable[[int], str]
    ) -> None:
        serving, deployment = path.serving, path.deployment
        self._threshold = serving.threshold
        self._instant = instant
        self._texts = {
            decision: encode(
                Answer(
                    [Prediction(_ID, _SCORE, decision, serving.variant.name)],
                    *(deployment, [serving.answered], path.log_mode, _AT_US, {}),
                )
            ).decode()
            for decision in ((None,) if self._threshold is None else (False, True))
        }
        self._id, self._score = (_encode(each).decode()[1:-1] for each in (_ID, [_SCORE]))
        self._at = instant(_AT_US)

    def of(self, scored: Scored) -> list[bytes]:
        """Return the reply to each row."""
        at, id_, score = self._instant(scored.at_us), self._id, self._score
        texts = {decision: each.replace(self._at, at) for decision, each in self._texts.items()}
        numbers = _encode(scored.scores)[1:-1].decode().split(",")
        return [
            texts[decision].replace(id_, own).replace(score, number).encode()
            for own, decision, number in zip(
                scored.ids, self._decisions(scored.scores), numbers, strict=True
            )
        ]

    def _decisions(self, scores: Sequence[float]) -> list[bool | None]:
        threshold = self._threshold
        return [None if threshold is None else score >= threshold for score in scores]

    @property
    def are_distinct(self) -> bool:
        """Whether nothing else in the texts reads like what is replaced."""
        return all(
            text.count(self._at) == 1 and text.count(self._score) == 1
            for text in self._texts.values()
        )


def rows_reader(inputs: RowInputs) -> Callable[[bytes], Read]:
    """Return the reader of `{"rows": [{...}]}`."""
    request = msgspec.defstruct(
        "OneRow",
        [("rows", tuple[inputs.struct])],  # type: ignore[name-defined]
        forbid_unknown_fields=True,
        gc=False,
    )
    decode, values, own = _decoder(request), msgspec.structs.astuple, inputs.own_values
    names = tuple(inputs.types)

    def read(body: bytes) -> Read:
        (row,) = decode(body).rows
        return values(row), row

    def read_own(body: bytes) -> Read:
        (row,) = decode(body).rows
        found = own(values(row))
        return found, dict(zip(names, found, strict=True))

    return read_own if inputs.converts else read


def v2_reader(inputs: RowInputs) -> Callable[[bytes], Read]:
    """Return the reader of one tensor of shape [1] for each column, in their order."""
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
    decode, own, names = _decoder(request), inputs.own_values, tuple(inputs.types)

    def read(body: bytes) -> Read:
        found = own(tuple([tensor.data[0] for tensor in decode(body).inputs]))
        return found, dict(zip(names, found))  # noqa: B905 - the decoder counted them

    return read


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
        replies = QuickReplies(path, rows.encode_answer, _instant_text)
        return (
            QuickHandler(path, rows_reader(path.inputs), replies) if replies.are_distinct else None
        )
    if handler.protocol == "v2":
        replies = QuickReplies(path, lambda answer: v2.encode_answer(answer, None), str)
        return QuickHandler(path, v2_reader(path.inputs), replies) if replies.are_distinct else None
    return None


def _instant_text(micros: int) -> str:
    return _encode(from_micros(micros)).decode()
