"""The messages port: schemas, statistics and anomalies as TensorFlow's tools write them."""

from __future__ import annotations

from typing import Any, Literal, Protocol

MessageKind = Literal["schema", "statistics", "anomalies"]
MessageForm = Literal["binary", "json", "text"]


class Messages(Protocol):
    """Turns bytes into plain documents and back, and knows nothing of what they mean."""

    def read(
        self, data: bytes, *, kind: MessageKind, form: MessageForm | None = None
    ) -> dict[str, Any]:
        """Return a message as JSON's types under its own field names; None guesses the form.

        Whole numbers of 64 bits are texts of digits, and fields that were not set are not there.
        Errors: TD-EXCHANGE-001 (no such message; names line and column where they are known).
        """
        ...

    def write(self, document: dict[str, Any], *, kind: MessageKind, form: MessageForm) -> bytes:
        """Return the bytes of a document; equal documents have equal bytes.

        Errors: TD-EXCHANGE-004 (a value that the message cannot hold).
        """
        ...
