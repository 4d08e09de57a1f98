"""The commonest request of a protocol, read and answered by what was compiled for its model.

A reader takes one body of one row, with nothing besides, and refuses everything else by any
error: it is then read by the protocol's handler, which is the specification. Replies are cut out
of what the handler itself encodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.faces.scorer.protocols import v2
from tondo.faces.scorer.protocols.carried import Sent
from tondo.faces.scorer.protocols.quick_binary import binary_reader
from tondo.faces.scorer.protocols.quick_dealt import DealtHandler
from tondo.faces.scorer.protocols.quick_replies import replies_of
from tondo.scoring.dealing import taker
from tondo.scoring.dealt import dealt_path
from tondo.scoring.quick import quick_path

if TYPE_CHECKING:
    from tondo.faces.scorer.metrics import RouteMetrics
    from tondo.faces.scorer.protocols.quick_replies import Replies, Reply
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.quick import QuickPath

Read = tuple[Sequence[tuple[Any, ...]], Sequence[Any], Sequence[bool] | None]
"""Of each row its values in the order of the columns; of each what is to be logged; and of each
whether its score goes back as bytes, None where none does."""

Reader = Callable[[Sequence[bytes]], Read]
_OK = 200

_MOST_ORDERS = 16
"""Orders of columns that are learnt for a model. Each is a decoder: whoever sends ever another
order shall not have one made each time."""

_Order = tuple[Callable[[bytes], Any], "Callable[[Sequence[Any]], tuple[Any, ...]] | None"]
"""The decoder of tensors in an order, and what puts their values into that of the columns."""


class _NamedTensor(msgspec.Struct):
    name: str
    shape: tuple[Literal[1]]


class _NamedTensors(msgspec.Struct):
    inputs: list[_NamedTensor]


_decode_names = msgspec.json.Decoder(_NamedTensors).decode


class QuickHandler:
    """Answers bodies of one row for one scoring path."""

    dealt: Sequence[str] | None = None
    """Ids by which bodies that could not be answered were dealt; None: one variant has all."""

    def __init__(self, path: QuickPath, read: Reader, replies: Replies) -> None:
        self._score = path.score
        self._variant = path.serving.variant.name
        self.read = read
        self._replies_of = replies.of

    def answer_all(
        self, bodies: Sequence[bytes], started_ns: int, metrics: RouteMetrics
    ) -> list[Reply] | None:
        """Return status and payload for each body; None where one must be read another way."""
        try:
            rows, logged, told = self.read(bodies)
            scored = self._score(rows, logged, started_ns)
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return None
        if scored is None:
            return None
        replies = self._replies_of(scored, told)
        number = len(replies)
        metrics.count([_OK] * number, perf_counter_ns() - started_ns, number, self._variant)
        return replies


def rows_reader(inputs: RowInputs) -> Reader:
    """Return the reader of `{"rows": [{...}]}`."""
    decode, values, own = rows_decoder(inputs), msgspec.structs.astuple, inputs.own_values
    names = tuple(inputs.types)

    def read(bodies: Sequence[bytes]) -> Read:
        _refuse_headers(bodies)
        rows = [decode(body).rows[0] for body in bodies]
        return list(map(values, rows)), rows, None

    def read_own(bodies: Sequence[bytes]) -> Read:
        _refuse_headers(bodies)
        rows = [own(values(decode(body).rows[0])) for body in bodies]
        return rows, [dict(zip(names, row, strict=True)) for row in rows], None

    return read_own if inputs.converts else read


def v2_reader(inputs: RowInputs) -> Reader:
    """Return the reader of one tensor of shape [1] for each column, in any order."""
    read_json, own, names = v2_orders(inputs), inputs.own_values, tuple(inputs.types)
    read_bytes = binary_reader(inputs)

    def read_one(body: bytes) -> tuple[tuple[Any, ...], bool]:
        if read_bytes is not None and isinstance(body, Sent):
            return read_bytes(body)
        _refuse_headers([body])
        return own(read_json(body)), False

    def read(bodies: Sequence[bytes]) -> Read:
        rows, told = zip(*map(read_one, bodies), strict=True)
        logged = [dict(zip(names, row)) for row in rows]  # noqa: B905 - counted by the decoder
        return rows, logged, told if True in told else None

    return read


def _refuse_headers(bodies: Sequence[bytes]) -> None:
    """Leave bodies with headers of their own to the handler."""
    for body in bodies:
        if body.__class__ is not bytes:
            raise ValueError(body)


def rows_decoder(inputs: RowInputs) -> Callable[[bytes], Any]:
    """Return the decoder of a body with one row: its `rows[0]` is a struct of the columns."""
    request = msgspec.defstruct(
        "OneRow",
        [("rows", tuple[inputs.struct])],  # type: ignore[name-defined]
        forbid_unknown_fields=True,
        gc=False,
    )
    return _decoder(request)


def v2_orders(inputs: RowInputs) -> Callable[[bytes], tuple[Any, ...]]:
    """Return what reads the decoded values of one row, in the order of the columns.

    Tensors may stand in any order: a caller keeps to its own. The decoder of the last order is
    tried first, and the first few orders are learnt.
    """
    columns, tensors = tuple(inputs.types), v2_tensors(inputs)
    known: dict[tuple[str, ...], _Order] = {columns: (v2_decoder(list(tensors.values())), None)}
    last = [known[columns]]

    def learn(body: bytes) -> _Order:
        names = tuple([tensor.name for tensor in _decode_names(body).inputs])
        if names not in known:
            if sorted(names) != sorted(columns) or len(known) >= _MOST_ORDERS:
                raise ValueError(names)
            place_of = {name: place for place, name in enumerate(names)}
            take = taker([place_of[column] for column in columns])
            known[names] = (v2_decoder([tensors[name] for name in names]), take)
        last[0] = known[names]
        return last[0]

    def read(body: bytes) -> tuple[Any, ...]:
        decode, take = last[0]
        try:
            request = decode(body)
        except msgspec.ValidationError:
            decode, take = learn(body)
            request = decode(body)
        values = tuple([tensor.data[0] for tensor in request.inputs])
        return values if take is None else take(values)

    return read


def v2_tensors(inputs: RowInputs) -> dict[str, Any]:
    """Return for each column the type of its tensor."""
    return {
        name: msgspec.defstruct(
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
    }


def v2_decoder(tensors: Sequence[Any]) -> Callable[[bytes], Any]:
    """Return the decoder of a body with one row: its `inputs` are of these types."""
    request = msgspec.defstruct(
        "OneRow",
        [("inputs", tuple.__class_getitem__(tuple(tensors)))],
        forbid_unknown_fields=True,
        gc=False,
    )
    return _decoder(request)


def _decoder(type_: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(type_).decode


def quick_handler(handler: Any) -> QuickHandler | DealtHandler | None:
    """Return what answers a handler's commonest requests, None where it has none."""
    if handler.protocol not in {"rows", "v2"}:
        return None
    path: ScoringPath = handler.path
    replies = {name: replies_of(handler, each) for name, each in path.servings.items()}
    if not path.inputs.types or not all(each.is_distinct for each in replies.values()):
        return None
    read = rows_reader(path.inputs) if handler.protocol == "rows" else v2_reader(path.inputs)
    if path.only is None or path.only.fetch is not None:
        dealt = dealt_path(path)
        return None if dealt is None else DealtHandler(dealt, read, replies)
    quick = quick_path(path)
    (only,) = replies.values()
    return None if quick is None else QuickHandler(quick, read, only)
