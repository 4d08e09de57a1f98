"""Engines for verbs on bare files: no project, no ledger."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tondo.core.errors import CallerError, near
from tondo.core.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.adapters.engines.duckdb.engine import DuckDBEngine
    from tondo.adapters.engines.spark.engine import SparkEngine
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Evaluator, Profiler


class Bare(NamedTuple):
    """What verbs on bare files work with: no project, no ledger."""

    engine: Profiler
    clock: Clock


@contextmanager
def bare(engine: str = "duckdb") -> Iterator[Bare]:
    """Give an engine (`duckdb` or `spark`) and a clock without a workspace; close them at the end.

    :raises CallerError: TD-SPARK-004 for another engine.
    """
    from tondo.adapters.clocks.system import SystemClock

    opened = _bare_engine(engine)
    try:
        yield Bare(opened, SystemClock())
    finally:
        opened.close()


def _bare_engine(name: str) -> DuckDBEngine | SparkEngine:
    check_engine(name)
    if name == "duckdb":
        from tondo.adapters.engines.duckdb.engine import DuckDBEngine

        return DuckDBEngine()
    from tondo.adapters.engines.spark.engine import SparkEngine

    return SparkEngine(url=read_settings({}, os.environ).spark_url)


def check_engine(name: str) -> None:
    """Refuse a name that is no engine's: TD-SPARK-004."""
    if name not in {"duckdb", "spark"}:
        raise CallerError(
            "TD-SPARK-004",
            f"no engine is called '{name}'",
            fix=near(name, ("duckdb", "spark")),
        )


EVALUATORS = ("duckdb", "interpret", "rows", "spark")
"""Engines that evaluate expressions on a bare file."""


@contextmanager
def bare_evaluator(engine: str) -> Iterator[Evaluator]:
    """Give what evaluates expressions without a workspace; close it at the end.

    :raises CallerError: TD-SPARK-004 for another engine.
    """
    opened = _evaluator(engine)
    try:
        yield opened
    finally:
        opened.close()


def _evaluator(name: str) -> Evaluator:
    from tondo.adapters.engines.plain.engine import InterpretEngine, RowsEngine

    if name not in EVALUATORS:
        raise CallerError(
            "TD-SPARK-004", f"no engine is called '{name}'", fix=near(name, EVALUATORS)
        )
    if name == "interpret":
        return InterpretEngine()
    if name == "rows":
        return RowsEngine()
    return _bare_engine(name)
