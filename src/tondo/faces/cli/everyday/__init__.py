"""The verbs of every day, written by hand over the same operations.

Comes in: what Typer read. Goes out: what a person wants to see first.
Holds: each verb is a module of its own, imported only when it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# In the order in which help lists them: a first day, then every other.
EVERYDAY = {
    "demo": "demo",
    "init": "init",
    "up": "up",
    "serve": "serve",
    "predict": "predict",
    "replay": "replay",
    "stats": "stats",
    "status": "status",
    "top": "top",
    "lineage": "lineage",
    "alerts": "alerts",
    "executions": "executions",
    "doctor": "doctor",
    "gc": "gc",
    "explain": "explain",
}
"""Verb to module; the module's function has the module's name."""


BY_HAND = {
    ("deployment", "traffic"): "deployment_traffic",
    ("rollout", "preview"): "rollout_preview",
    ("rollout", "run"): "rollout_run",
    ("rollout", "start"): "rollout_start",
    ("rollout", "status"): "rollout_status",
    ("schema", "infer"): "schema_infer",
    ("schema", "show"): "schema_show",
    ("schema", "log"): "schema_log",
    ("schema", "set"): "schema_set",
    ("schema", "import"): "schema_import",
    ("schema", "export"): "schema_export",
    ("anomaly", "list"): "anomaly_list",
    ("snapshot", "statistics"): "snapshot_statistics",
    ("snapshot", "crosses"): "snapshot_crosses",
    ("snapshot", "compare"): "snapshot_compare",
    ("schema", "check"): "schema_check",
    ("shadow", "report"): "shadow_report",
    ("shadow", "stop"): "shadow_stop",
    ("schema", "convert"): "convert",
    ("model", "export"): "model_export",
    ("model", "package"): "model_package",
    ("language", "eval"): "language_eval",
    ("language", "check"): "language_check",
    ("language", "functions"): "language_functions",
}
"""Noun and verb to module, where a command does more than its operation."""


def by_hand(noun: str, verb: str) -> Callable[..., Any]:
    """Return the function of a noun's verb that is written by hand."""
    name = BY_HAND[noun, verb]
    function: Callable[..., Any] = getattr(import_module(f"{__name__}.{name}"), name)
    return function


def everyday(verb: str) -> Callable[..., Any]:
    """Return the function of an everyday verb."""
    name = EVERYDAY[verb]
    function: Callable[..., Any] = getattr(import_module(f"{__name__}.{name}"), name)
    return function
