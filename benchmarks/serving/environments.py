"""Each peer in an environment of its own, made when it is asked for and kept for the next time."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = {
    "fastapi": ["fastapi", "uvicorn", "httptools", "uvloop", "lightgbm", "msgspec", "blake3"],
    "mlserver": ["mlserver", "uvloop<0.22", "lightgbm", "msgspec", "blake3"],
    "bentoml": ["bentoml", "lightgbm", "msgspec", "blake3"],
    "litserve": ["litserve", "lightgbm", "msgspec", "blake3"],
    "mlflow": ["mlflow", "lightgbm"],
    "feast": ["feast[duckdb]"],
}
"""Peer to what its environment has: msgspec and blake3 are what our model session needs.
MLServer 1.7 cannot start its worker process on a later uvloop."""


def cache() -> Path:
    """Return the folder of what is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tondo"


def library_of(peer: str) -> str:
    """Return whose environment a peer lives in: `mlserver-inline` is MLServer set up otherwise."""
    return peer.partition("-")[0]


def python_of(peer: str) -> Path | None:
    """Return the interpreter of a peer's environment, None where there is none."""
    place = cache() / "peers" / library_of(peer)
    python = place / "bin" / "python"
    return python if python.exists() and (place / "installed.txt").exists() else None


def make(peer: str) -> bool:
    """Make a peer's environment; say why where it cannot be had."""
    if python_of(peer) is not None:
        return True
    place = cache() / "peers" / library_of(peer)
    print(f"{peer}: making {place}", file=sys.stderr, flush=True)
    venv.create(place, with_pip=True, clear=True)
    install = [
        str(place / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        *PEERS[library_of(peer)],
    ]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{peer}: left out, it does not install: {done.stderr[-300:]}", file=sys.stderr)
        return False
    (place / "installed.txt").write_text("\n".join(PEERS[library_of(peer)]) + "\n")
    return True


def version_of(peer: str) -> str:
    """Return a peer's version."""
    ask = f"import importlib.metadata as m; print(m.version({library_of(peer)!r}))"
    done = subprocess.run(
        [str(python_of(peer)), "-c", ask], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
