"""What a scorer tells of itself: GET /v1/status and GET /metrics."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tondo.faces.scorer.exposition import exposition
from tondo.faces.scorer.memory import resident_bytes
from tondo.faces.scorer.metrics import totals

if TYPE_CHECKING:
    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.table import RouteTable

_GAUGES = "gauges"


def status_of_service(service: Service, started: float) -> dict[str, Any]:
    """Return what GET /v1/status answers; `started` by the monotonic clock."""
    table = service.table
    return {
        **_process(service, started),
        "deployments": {} if table is None else _deployments(table),
        "models": _models(service),
        "processes": service.membership.state(),
        "workers": [
            {name: value for name, value in each.items() if name != _GAUGES}
            for each in service.membership.workers()
        ],
        "counters": totals(service.metrics.tally()),
    }


def figures_of(service: Service, started: float) -> dict[str, Any]:
    """Return what a worker tells the others of itself."""
    return {**_process(service, started), _GAUGES: _gauges(service)}


def metrics_of(service: Service) -> str:
    """Return what GET /metrics answers: counts of all workers, gauges of each."""
    tally, membership = service.metrics.tally(), service.membership
    if membership.kind != "worker":
        return exposition(tally, _gauges(service))
    workers = {each["pid"]: each[_GAUGES] for each in membership.workers()}
    state: dict[str, Any] = membership.state() or {}
    restarts = state.get("restarts", 0)
    whole = {"tondo_workers": len(workers), "tondo_worker_restarts": restarts}
    return exposition(tally, whole, workers)


def _process(service: Service, started: float) -> dict[str, Any]:
    table, problem = service.table, service.problem
    return {
        "pid": os.getpid(),
        "ready": service.ready,
        "plan": table.plan.number if table else None,
        "problem": problem.to_json() if problem else None,
        "uptime_s": round(time.monotonic() - started, 3),
        "memory_bytes": resident_bytes(),
        "loop_lag_ms": round(service.lag_s * 1e3, 3),
        "fast_answers": service.fast_answers,
    }


def _gauges(service: Service) -> dict[str, float]:
    residency, table = service.residency, service.table
    return {
        "tondo_plan_number": table.plan.number if table else 0,
        "tondo_plan_refused": int(service.refused is not None),
        "tondo_models_loaded": len(residency.models),
        "tondo_models_bytes": residency.total_bytes,
        "tondo_model_loads": residency.loads,
        "tondo_model_evictions": residency.evictions,
        "tondo_requests_aside": service.threads.waiting,
        "tondo_loop_lag_seconds": service.lag_s,
        "process_resident_memory_bytes": resident_bytes(),
    }


def _models(service: Service) -> dict[str, Any]:
    residency, table = service.residency, service.table
    units = [] if table is None else list(table.units.values())
    return {
        "resident": sorted(each.name for each in units if each.resident),
        "cold": sorted(each.name for each in units if not each.resident),
        "failed": {each.name: each.error.code for each in units if each.error is not None},
        "bytes": residency.total_bytes,
        "most_bytes": residency.most_bytes,
        "loads": residency.loads,
        "evictions": residency.evictions,
        "each": {
            each.digest[:16]: {
                "bytes": each.bytes,
                "row_us": round(each.cost.row_ns / 1e3, 1),
                "table_row_us": round(each.cost.table_row_ns / 1e3, 1),
            }
            for each in list(residency.models.values())
        },
    }


def _deployments(table: RouteTable) -> dict[str, Any]:
    return {
        name: {
            "log_mode": deployment.log_mode,
            "as_of": deployment.as_of,
            "variants": [
                {
                    "name": each.name,
                    "weight": each.weight,
                    "model": each.model,
                    "version": each.version,
                    "model_version_id": each.model_version_id,
                    "tags": each.tags,
                }
                for each in deployment.variants
            ],
            "addressable": [each.version for each in deployment.addressable],
        }
        for name, deployment in table.plan.deployments.items()
    }
