"""What services answered, taken from the prediction logs into the history of their view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError
from tondo.scoring.asked import DEFAULTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from tondo.stages.features.views import FeatureView
    from tondo.workspace.bootstrap import Parts

KIND = "asked_history"

Answers = dict[tuple[Any, int], dict[str, Any]]
"""Entity key and instant to the values of features."""


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What one collection took over."""

    view: str
    rows: int
    """Answers taken: one for each key and instant."""
    defaults: int
    """Logged values left out, since the service had not answered and a default was used."""
    commit: str | None
    """The commit that appended them; None when there was nothing new."""
    until_us: int
    """Predictions answered up to here were looked at."""


def collect_asked(parts: Parts, view: FeatureView, *, by: str, why: str) -> Collected:
    """Append logged answers of an asked view's service to its source's dataset.

    Done again it takes what was logged since. TD-FEATURE-093 for any other view.
    """
    from tondo.workspace.verbs.data import DataVerbs

    if not view.asked:
        raise CallerError(
            "TD-FEATURE-093",
            f"view '{view.name}' has no answers to collect: no service is asked for its values",
            expected="a view with `arrival: asked`",
            view=view.name,
        )
    last = parts.ledger.records(KIND, where={"view": view.name}, limit=1)
    until_us = since_us = int(last[0].body["until_us"]) if last else -1
    answers: Answers = {}
    defaults = 0
    for at_us, as_of_us, inputs in _logged(parts, since_us):
        until_us = max(until_us, at_us)
        for key, values in _of_view(view, inputs):
            if DEFAULTED in values:
                defaults += 1
            else:
                answers.setdefault((key, as_of_us), {}).update(values)
    commit = None
    if answers:
        data = DataVerbs(parts)
        table = _table(view, answers, data.columns(view.source))
        commit = data.commit_table(
            view.source, table, append=True, note=f"answers of {view.name}", by=by, why=why
        )
    done = Collected(
        view=view.name,
        rows=len(answers),
        defaults=defaults,
        commit=None if commit is None else commit.id,
        until_us=until_us,
    )
    parts.ledger.put(KIND, parts.ledger.new_id(), done)
    return done


def _logged(parts: Parts, since_us: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield instant, as-of time and inputs of each prediction answered after `since_us`."""
    from tondo.stages.deployment.deploy import deployments
    from tondo.stages.monitoring.predictions import read_predictions
    from tondo.stages.monitoring.streams import micros

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for state in deployments(ledger=parts.ledger):
        logged = read_predictions(
            parts.predictions(state.name), purpose=None, columns=("at", "as_of", "inputs")
        )
        times = micros(logged, "at").tolist(), micros(logged, "as_of").tolist()
        inputs = logged.column("inputs").to_pylist()
        for at_us, as_of_us, text in zip(*times, inputs, strict=True):
            if at_us > since_us:
                yield at_us, as_of_us, decode(text)


def _of_view(view: FeatureView, inputs: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each key that a row asked for, and what was answered to it."""
    of_this = re.compile(rf"@{re.escape(view.name)}\.(\w+)\[(.*)\]")
    found: dict[str, dict[str, Any]] = {}
    for name, value in inputs.items():
        parts = of_this.fullmatch(name)
        if parts is not None:
            found.setdefault(parts[2], {})[parts[1]] = value
    for key_column, values in found.items():
        if inputs.get(key_column) is not None:
            yield inputs[key_column], values


def _table(view: FeatureView, answers: Answers, types: Mapping[str, str]) -> pa.Table:
    """Return the answers as rows of the view's source; what it does not ask for is null."""
    import pyarrow as pa

    from tondo.language.walk import columns_of
    from tondo.stages.data.arrow_types import arrow_type

    columns: dict[str, list[Any]] = {name: [None] * len(answers) for name in types}
    columns[view.entity.key] = [key for key, _ in answers]
    columns[str(view.event_time)] = [as_of_us for _, as_of_us in answers]
    for feature, tree in view.lookups.items():
        (column,) = columns_of(tree)
        columns[column] = [values.get(feature) for values in answers.values()]
    return pa.table(
        {name: pa.array(values, arrow_type(types[name])) for name, values in columns.items()}
    )
