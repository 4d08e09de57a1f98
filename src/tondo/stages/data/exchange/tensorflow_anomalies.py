"""Anomalies and distances as the Anomalies message of tensorflow-metadata, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.stages.data.anomalies import Anomalies, Anomaly
from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.exchange.converted import Converted, Fields, of_columns
from tondo.stages.data.exchange.tensorflow_schema import to_tensorflow_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.stages.data.constraints import Measure
    from tondo.stages.data.distances import Distance
    from tondo.stages.data.schema import Schema

Document = dict[str, Any]
MEASUREMENTS: dict[Measure, str] = {
    "l_infinity": "L_INFTY",
    "jensen_shannon": "JENSEN_SHANNON_DIVERGENCE",
    "normalized_difference": "NORMALIZED_ABSOLUTE_DIFFERENCE",
}
_BY_NAME = {name: kind for kind, known in KINDS.items() for name in known.tfdv}
_NO_ROWS = "no_rows"
_SEVERAL = "Multiple errors"
_OURS_ONLY = ("numbers", "examples", "patch")


def to_tensorflow_anomalies(
    anomalies: Sequence[Anomaly], *, schema: Schema, distances: Iterable[Distance] = ()
) -> Converted[Document]:
    """Return the document of an Anomalies message; `schema` is its baseline.

    All distances are told, passing or not; each anomaly is a reason of its column's entry.
    """
    baseline = to_tensorflow_schema(schema)
    document: Document = {"baseline": baseline.value, "anomaly_name_format": "SERIALIZED_PATH"}
    by_column: dict[str | None, list[Anomaly]] = {}
    for each in anomalies:
        if each.tfdv is not None:
            by_column.setdefault(each.column, []).append(each)
    of_batch = by_column.pop(None, None)
    entries = {str(name): _info(name, found) for name, found in by_column.items()}
    if entries:
        document["anomaly_info"] = entries
    if of_batch:
        document["dataset_anomaly_info"] = _info(None, of_batch)
    if any(each.kind == _NO_ROWS for each in anomalies):
        document["data_missing"] = True
    if measured := _measured(distances):
        document["drift_skew_info"] = measured
    return Converted(document, (*_lost(anomalies), *baseline.left_out))


def _info(column: str | None, found: Sequence[Anomaly]) -> Document:
    reasons = [
        {"type": each.tfdv, "short_description": _short(each), "description": each.message}
        for each in found
    ]
    one = len(found) == 1
    severe = any(each.severity == "error" for each in found)
    written: Document = {
        "severity": "ERROR" if severe else "WARNING",
        "short_description": reasons[0]["short_description"] if one else _SEVERAL,
        "description": " ".join(f"{each.message}." for each in found),
        "reason": reasons,
    }
    return written if column is None else {"path": {"step": [column]}, **written}


def _short(anomaly: Anomaly) -> str:
    """Return the kind in words.

    >>> from tondo.stages.data.anomalies import anomaly
    >>> _short(anomaly("new_column", "x", "a new column", patch=()))
    'New column'
    """
    return anomaly.kind.replace("_", " ").capitalize()


def _measured(distances: Iterable[Distance]) -> list[Document]:
    found: dict[str, Document] = {}
    for each in distances:
        entry = found.setdefault(each.column, {"path": {"step": [each.column]}})
        measurement: Document = {"type": MEASUREMENTS[each.measure], "value": each.value}
        if each.threshold is not None:
            measurement["threshold"] = each.threshold
        entry.setdefault(f"{each.against}_measurements", []).append(measurement)
    return list(found.values())


def _lost(anomalies: Iterable[Anomaly]) -> list[str]:
    lost: dict[str, list[str]] = {}
    for each in anomalies:
        for part in _OURS_ONLY:
            if getattr(each, part):
                lost.setdefault(part, []).append(each.column or "the whole batch")
    return [f"left out: {of_columns(part, dict.fromkeys(names))}" for part, names in lost.items()]


def from_tensorflow_anomalies(document: Mapping[str, Any]) -> Converted[Anomalies]:
    """Return the anomalies of a message: kind, column, severity and sentence.

    Kinds of what tables do not have are told and left out, as are the baseline and distances.
    """
    fields, found, said = Fields(document), Anomalies(), list[str]()
    for name, info in fields.take("anomaly_info", {}).items():
        steps = info.get("path", {}).get("step")
        _read_info(".".join(steps) if steps else name, info, found=found, said=said)
    of_batch = fields.take("dataset_anomaly_info")
    if of_batch is not None:
        _read_info(None, of_batch, found=found, said=said)
    if fields.take("data_missing", False):
        found.append(_anomaly(_NO_ROWS, None, "the batch has no rows", severity="error", tfdv=None))
    fields.take("anomaly_name_format")
    said += [f"left out: {name}" for name in fields.untaken()]
    return Converted(found, tuple(said))


def _read_info(
    column: str | None, info: Mapping[str, Any], *, found: Anomalies, said: list[str]
) -> None:
    severity = "warning" if info.get("severity") == "WARNING" else "error"
    for reason in info.get("reason", []):
        tfdv = reason.get("type", "UNKNOWN_TYPE")
        message = reason.get("description") or info.get("description", "")
        if tfdv not in _BY_NAME:
            where = "the whole batch" if column is None else f"feature '{column}'"
            said.append(f"{where}: an anomaly of the type {tfdv} is not understood: {message}")
            continue
        found.append(_anomaly(_BY_NAME[tfdv], column, message, severity=severity, tfdv=tfdv))


def _anomaly(
    kind: str, column: str | None, message: str, *, severity: Any, tfdv: str | None
) -> Anomaly:
    return Anomaly(
        code=KINDS[kind].code,
        kind=kind,
        column=column,
        severity=severity,
        message=message,
        tfdv=tfdv,
    )
