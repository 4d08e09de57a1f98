"""`tondo-scorer`: parse the command line, bind, load, serve or supervise, end."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tondo.core.errors import TondoError
from tondo.faces.scorer.binding import bind, free_port, token_of
from tondo.faces.scorer.options import read
from tondo.faces.scorer.wire import wire_of
from tondo.faces.web.binding import reached_at
from tondo.faces.web.guard import Guard
from tondo.scoring.presence import announce, withdraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.scorer.bootstrap import Settings
    from tondo.faces.scorer.wire import Wire

_YOUNG_OBJECTS = 20_000
"""Requests leave no cycles behind; a batch of them must not look like garbage (700 would)."""

_SWITCH_S = 0.001
"""A thread that loads or scores aside gives way to the one that answers so soon; 5 ms are Python's
own, which one-row requests would be seen to wait."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scorer; return the exit code: 0 ended as asked, 2 a coded error."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    # One request is one thread's work; OpenMP threads would only spin beside it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        options = read(given)
        logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(message)s")
        if options.role == "supervisor" or (options.role is None and options.workers is not None):
            return _supervise(options, given)
        return _run(options, given)
    except TondoError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _settings(options: argparse.Namespace) -> Settings:
    from tondo.faces.scorer.bootstrap import Settings

    return Settings(
        root=options.root,
        packages=options.packages,
        log=options.log,
        memory_mb=options.memory,
        only=options.only,
        shared=options.shared,
        grpc=options.grpc_port is not None,
    )


def _wire(options: argparse.Namespace) -> Wire:
    """Return what is spoken; to an isolated process, only plain HTTP is, and no span is its own."""
    if options.role != "isolated":
        return wire_of(options)
    plain = dict.fromkeys(("tls_cert", "tls_key", "grpc_port", "spans"))
    plain["invocations"] = options.only
    return wire_of(argparse.Namespace(**{**vars(options), **plain}))


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    from tondo.faces.scorer.app import make_app
    from tondo.faces.scorer.bootstrap import (
        inner_pages,
        make_membership,
        make_service,
        open_grpc,
        open_spans,
    )
    from tondo.faces.scorer.server import serve

    isolated = options.role == "isolated"
    guard = Guard(options.allow_host, token=None if isolated else token_of(options))
    wire = _wire(options)
    listener = _listener(options)
    keep_open = [each for each in (options.parent_fd, options.listen_fd) if each is not None]
    membership = make_membership(
        options.role, arguments, run=options.run, name=options.only or "", keep_open=keep_open
    )
    membership.enter()
    service = make_service(_settings(options), membership)
    service.source.changed()
    service.load()
    if service.problem is not None and options.packages is not None:
        raise service.problem
    spans = open_spans(wire.spans)
    further = inner_pages(service) if isolated and options.grpc_port is not None else ()
    app = make_app(service, guard, invoked=wire.invocations, spans=spans, further=further)
    beside = open_grpc(service, guard, options.host, wire, shared=options.role == "worker")
    gc.collect()
    gc.freeze()  # what is loaded stays: no collection walks over it again
    gc.set_threshold(_YOUNG_OBJECTS)
    sys.setswitchinterval(_SWITCH_S)

    def tell_ready() -> None:
        membership.ready()
        if not isinstance(listener, Path):
            address = f"{wire.scheme}://{reached_at(options.host, listener)}"
            _tell_workspace(options.shared or options.root, address, options.tls_cert)
            _tell_parent(address, "" if beside is None else beside.address)

    try:
        serve(
            service,
            guard,
            listener,
            app=app,
            wire=wire,
            beside=beside,
            fast=not options.no_fast_path,
            parent_fd=options.parent_fd,
            announce=tell_ready,
            membership=membership,
        )
    finally:
        membership.leave()
        if spans is not None:
            spans.close()
        if options.root is not None:
            withdraw(options.shared or options.root)
    return 0


def _supervise(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    from tondo.faces.scorer.bootstrap import isolated_limits, make_launcher
    from tondo.faces.scorer.pool.supervise import supervise

    token_of(options)
    wire = _wire(options)
    listener = None if options.run is not None else bind(options.host, options.port)
    if listener is not None and wire.grpc_port == 0:
        wire = replace(wire, grpc_port=free_port(options.host))
        arguments = [*arguments, "--grpc-port", str(wire.grpc_port)]

    def tell_ready() -> None:
        if listener is not None:
            spoken = "" if wire.grpc_port is None else f"{options.host}:{wire.grpc_port}"
            _tell_parent(f"{wire.scheme}://{reached_at(options.host, listener)}", spoken)

    return supervise(
        options,
        arguments,
        listener,
        launcher=make_launcher(),
        isolated=isolated_limits(_settings(options)),
        ready=tell_ready,
    )


def _listener(options: argparse.Namespace) -> socket.socket | Path:
    """Return the socket to take requests from, or where an isolated process makes one."""
    if options.role == "isolated":
        from tondo.faces.scorer.pool.members import RunFolder

        return RunFolder(options.run).socket_of(options.only)
    if options.listen_fd is not None:
        listener = socket.socket(fileno=options.listen_fd)
        listener.setblocking(False)
        return listener
    return bind(options.host, options.port)


def _tell_parent(address: str, grpc: str) -> None:
    """Say on standard output that we answer, and where."""
    ready = {"ready": address, "pid": os.getpid(), **({"grpc": grpc} if grpc else {})}
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def _tell_workspace(root: Path | None, address: str, certificate: Path | None) -> None:
    """Write down where we answer, for whoever looks; a folder that cannot be written to is fine."""
    if root is None:
        return
    try:
        announce(root, address, certificate=certificate)
    except OSError as error:
        logging.getLogger("tondo.scorer").warning("nobody is told of %s: %s", address, error)
