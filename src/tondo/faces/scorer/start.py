"""`tondo-scorer`: parse the command line, bind, load, serve, end."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tondo.core.errors import CallerError, PlatformError, TondoError
from tondo.faces.scorer.wire import add_arguments, wire_of
from tondo.faces.web.guard import Guard, is_loopback
from tondo.scoring.presence import announce, withdraw

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 8461
_BACKLOG = 2048

_YOUNG_OBJECTS = 20_000
"""Requests leave no cycles behind; a batch of them must not look like garbage (700 would)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scorer; return the exit code: 0 ended as asked, 2 a coded error."""
    options = _parser().parse_args(arguments)
    # One request is one thread's work; OpenMP threads would only spin beside it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(message)s")
    try:
        return _run(options)
    except TondoError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tondo-scorer", description="Answer scoring requests over HTTP."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--root", type=Path, help="workspace folder whose serving plan is followed")
    what.add_argument("--packages", type=Path, help="bare folder of *.tondo packages to serve")
    parser.add_argument("--log", type=Path, help="with --packages: folder for the prediction log")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port; 0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port (1)")
    parser.add_argument(
        "--memory", type=int, metavar="MB", help="most memory of all models; others wait unloaded"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], help="another Host name to answer under"
    )
    parser.add_argument("--token-file", type=Path, help="file with the bearer token to demand")
    add_arguments(parser)
    parser.add_argument("--no-fast-path", action="store_true", help="answer by Starlette only")
    parser.add_argument("--share-port", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--parent-fd", type=int, help="end when this pipe closes")
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"]
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    from tondo.faces.scorer.bootstrap import (
        Settings,
        make_service,
        open_grpc,
        open_spans,
        start_workers,
    )
    from tondo.faces.scorer.server import serve

    guard = Guard(options.allow_host, token=_token(options))
    wire = wire_of(options)
    shared = options.workers > 1 or options.share_port
    listener = bind(options.host, options.port, shared=shared)
    if shared and wire.grpc_port == 0:
        wire = replace(wire, grpc_port=_free_port(options.host))
    address = f"{wire.scheme}://{_address(options.host, listener)}"
    settings = Settings(
        root=options.root,
        packages=options.packages,
        log=options.log,
        memory_mb=options.memory,
        grpc=wire.grpc_port is not None,
    )
    service = make_service(settings)
    service.source.changed()
    service.load()
    if service.problem is not None and options.packages is not None:
        raise service.problem
    spans = open_spans(wire.spans)
    beside = open_grpc(service, guard, options.host, wire, shared=shared)
    arguments = _worker_arguments(options, listener) + wire.arguments()
    workers = start_workers(arguments, options.workers - 1)
    gc.collect()
    gc.freeze()  # what is loaded stays: no collection walks over it again
    gc.set_threshold(_YOUNG_OBJECTS)

    def tell_ready() -> None:
        _tell_workspace(options.root, address)
        ready = {"ready": address, "pid": os.getpid()}
        if beside is not None:
            ready["grpc"] = beside.address
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()

    try:
        serve(
            service,
            guard,
            listener,
            wire=wire,
            spans=spans,
            beside=beside,
            fast=not options.no_fast_path,
            parent_fd=options.parent_fd,
            announce=tell_ready,
            workers=workers,
        )
    finally:
        if spans is not None:
            spans.close()
        if options.root is not None:
            withdraw(options.root)
    return 0


def _tell_workspace(root: Path | None, address: str) -> None:
    """Write down where we answer, for whoever looks; a folder that cannot be written to is fine."""
    if root is None:
        return
    try:
        announce(root, address)
    except OSError as error:
        logging.getLogger("tondo.scorer").warning("nobody is told of %s: %s", address, error)


def _worker_arguments(options: argparse.Namespace, listener: socket.socket) -> list[str]:
    """Return the command line of a further worker: ours, with the port that we got."""
    given: dict[str, object] = {
        "--root": options.root,
        "--packages": options.packages,
        "--log": options.log,
        "--host": options.host,
        "--port": listener.getsockname()[1],
        "--memory": options.memory,
        "--token-file": options.token_file,
        "--log-level": options.log_level,
    }
    arguments = [
        text for name, each in given.items() if each is not None for text in (name, str(each))
    ]
    for host in options.allow_host:
        arguments += ["--allow-host", host]
    return [*arguments, "--no-fast-path"] if options.no_fast_path else arguments


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a bound socket; TD-SCORER-001 names the port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = error.strerror if isinstance(error, OSError) else "a port is 0 to 65535"
        raise PlatformError(
            "TD-SCORER-001",
            f"cannot listen on {host}:{port}: {why}",
            expected="an address of this machine with a port nobody else uses",
            fix="Stop the other process, or choose another --port (0 takes a free one)."
            if taken
            else "Check --host and --port.",
            port=port,
        ) from None
    listener.setblocking(False)
    return listener


def _free_port(host: str) -> int:
    """Return a port that nobody has, for several workers to share."""
    with bind(host, 0, shared=True) as taken:
        port: int = taken.getsockname()[1]
        return port


def _address(host: str, listener: socket.socket) -> str:
    name = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{listener.getsockname()[1]}"


def _token(options: argparse.Namespace) -> str | None:
    if options.token_file is not None:
        try:
            token = str(options.token_file.read_text().strip())
        except OSError as error:
            raise CallerError(
                "TD-SCORER-009",
                f"the token file {options.token_file} cannot be read: {error.strerror}",
                expected="a file with one line, the token",
            ) from None
        if len(token) >= 16:
            return token
        raise CallerError(
            "TD-SCORER-009",
            f"the token in {options.token_file} is too short",
            expected="at least 16 characters",
            fix="Write for example the output of: openssl rand -hex 32",
        )
    if not is_loopback(options.host):
        raise CallerError(
            "TD-SCORER-004",
            f"{options.host} can be reached from other machines",
            expected="a token for every bind beyond this machine",
            fix="Give --token-file, or bind to 127.0.0.1.",
        )
    return None
