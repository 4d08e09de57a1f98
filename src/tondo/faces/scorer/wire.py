"""What a scorer is told about the wire: TLS, limits, traces, further protocols."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError
from tondo.faces.scorer.admission import QUEUE_MS

if TYPE_CHECKING:
    import argparse


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """The options; each is a flag of the command line."""

    invocations: str | None = None
    """Deployment that `/invocations` is."""
    tls_cert: Path | None = None
    """Certificate chain in PEM; with `tls_key` everything is spoken over TLS."""
    tls_key: Path | None = None
    spans: Path | None = None
    """File to which a line is appended for each request that carries a trace context."""
    grpc_port: int | None = None
    """Port of V2 over gRPC; None speaks none, 0 takes a free one."""
    request_timeout: float = 30.0
    """Seconds from a request's first byte to its last."""

    queue_ms: float = QUEUE_MS
    """Milliseconds of work that a request may wait for before it is refused."""

    @property
    def scheme(self) -> str:
        """`http`, or `https` with a certificate."""
        return "http" if self.tls_cert is None else "https"

    def arguments(self) -> list[str]:
        """Return the flags that say the same to another process."""
        given = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [
            text
            for name, value in given
            if value is not None
            for text in (f"--{name.replace('_', '-')}", str(value))
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("--invocations", metavar="NAME", help="deployment that /invocations is")
    parser.add_argument("--tls-cert", type=Path, metavar="PEM", help="speak TLS: certificate chain")
    parser.add_argument("--tls-key", type=Path, metavar="PEM", help="the certificate's key")
    parser.add_argument(
        "--spans", type=Path, metavar="FILE", help="append a line for each traced request"
    )
    parser.add_argument(
        "--grpc-port", type=int, metavar="PORT", help="speak V2 over gRPC too; 0 takes a free port"
    )
    parser.add_argument(
        "--request-timeout",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds in which a request must be whole (30)",
    )
    parser.add_argument(
        "--queue-ms",
        type=float,
        default=QUEUE_MS,
        metavar="MS",
        help=f"work that a request may wait for before it is refused with 503 ({QUEUE_MS:g})",
    )


def wire_of(options: argparse.Namespace) -> Wire:
    """Return the options as given; TD-SCORER-021 for a certificate that cannot be used."""
    wire = Wire(**{name: getattr(options, name) for name in Wire.__struct_fields__})
    if wire.tls_cert is None and wire.tls_key is None:
        return wire
    if wire.tls_cert is None or wire.tls_key is None:
        raise _unusable("--tls-cert and --tls-key are given together or not at all")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(wire.tls_cert, wire.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(f"{wire.tls_cert} with {wire.tls_key}: {error}") from None
    return wire


def _unusable(why: str) -> CallerError:
    return CallerError(
        "TD-SCORER-021",
        f"TLS cannot be spoken: {why}",
        expected="a certificate chain and its key, both PEM, the key without a passphrase",
        fix="Check both files, and who may read them.",
    )
