"""Writes a first project: a source, its rows, a spec, a gate, a deployment, with comments."""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError, ConflictError, NotFoundError, near
from tondo.workspace.starter.guesses import (
    Feature,
    Guess,
    column_text,
    feature_name,
    guess_features,
    guess_label,
)

if TYPE_CHECKING:
    from tondo.stages.data.statistics import Statistics

FILE = "project.yaml"
_WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}
# The newest fifth judges; of a small table the gate cannot ask for a hundred rows.
_HELD_BACK = 0.2
_MOST_ASKED = 100


class Starter(msgspec.Struct, frozen=True, kw_only=True):
    """A first project, not written yet."""

    file: str
    text: str
    model: str
    label: str
    features: list[str]
    left_out: dict[str, str]
    """Columns that became no feature, with the reason."""
    remark: str = ""
    """What the person should look at before `tondo up`."""


def plan_starter(
    data: Path, *, label: str, time: str | None, folder: Path, delimiter: str | None = None
) -> Starter:
    """Return the project that would be written; nothing is.

    `delimiter` parts the cells of a CSV. Errors: TD-STARTER-001 (no label in that column), -002
    (no such column), -003 (the time column is none), -004 (there is a project already), -005 (no
    such file).
    """
    _refuse_project(folder)
    if not data.is_file():
        raise NotFoundError(
            "TD-STARTER-005",
            f"there is no file {data}",
            expected="a CSV, Parquet or JSON-lines file",
            fix=near(data.name, [each.name for each in data.parent.iterdir()])
            if data.parent.is_dir()
            else "Correct the path.",
            path=str(data),
        )
    statistics = _statistics(data, delimiter)
    for each in (label, time):
        if each is not None and each not in statistics.columns:
            raise CallerError(
                "TD-STARTER-002",
                f"{data.name} has no column '{each}'",
                fix=near(each, statistics.columns),
                column=each,
            )
    if time is not None and statistics.columns[time].type not in {"timestamp", "date"}:
        raise CallerError(
            "TD-STARTER-003",
            f"the column '{time}' holds no times: its type is {statistics.columns[time].type}",
            expected="dates or times such as 2013-04-01 or 2013-04-01T06:30:00Z",
            fix="Name another column with --time, or leave it out.",
            column=time,
        )
    return _starter(data, statistics, label=label, time=time, folder=folder, delimiter=delimiter)


def write_starter(starter: Starter, folder: Path) -> Path:
    """Write the project's file; TD-STARTER-004 when there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_project(folder)
    path = folder / FILE
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(starter.text, encoding="utf-8")
    fresh.rename(path)
    return path


def _refuse_project(folder: Path) -> None:
    if (folder / FILE).exists():
        raise ConflictError(
            "TD-STARTER-004",
            f"{folder / FILE} is there already",
            expected="a folder without a project",
            fix="Name another folder, or change that file.",
            path=str(folder),
        )


def _statistics(data: Path, delimiter: str | None) -> Statistics:
    from tondo.stages.data.definitions import SourceDefinition
    from tondo.stages.data.sources import read_source
    from tondo.stages.data.statistics import statistics
    from tondo.workspace.bootstrap import open_workspace

    definition = SourceDefinition(
        name="table", path=str(data.resolve()), zone="UTC", delimiter=delimiter
    )
    with tempfile.TemporaryDirectory() as state, open_workspace(state) as workspace:
        table = read_source(definition, base=data.parent)
        return statistics(table, engine=workspace.parts.engine)


def _starter(
    data: Path,
    statistics: Statistics,
    *,
    label: str,
    time: str | None,
    folder: Path,
    delimiter: str | None,
) -> Starter:
    name = feature_name(data.name.partition(".")[0])
    trees = importlib.util.find_spec("lightgbm") is not None
    question = guess_label(label, statistics.columns[label])
    features, left = guess_features(
        statistics,
        leave_out={label, *([time] if time else [])},
        time=time,
        trees=trees,
    )
    if not features:
        raise CallerError(
            "TD-STARTER-002",
            f"no column of {data.name} can be a feature",
            expected="numbers, truth values or text with few values besides the label",
        )
    model = feature_name(label)
    path = os.path.relpath(data.resolve(), folder.resolve())
    parts = [
        _data_part(name, path, label=label, time=time, statistics=statistics, delimiter=delimiter),
        _model_part(model, name, question, features, left, time, statistics.rows, trees=trees),
    ]
    return Starter(
        file=FILE,
        text="\n".join(parts),
        model=model,
        label=question.text,
        features=[each.name for each in features],
        left_out=left,
        remark=question.why,
    )


def _data_part(
    name: str,
    path: str,
    *,
    label: str,
    time: str | None,
    statistics: Statistics,
    delimiter: str | None,
) -> str:
    said = "" if delimiter is None else f"delimiter: {scalar(delimiter, text=True)}\n"
    is_date = time is not None and statistics.columns[time].type == "date"
    return f"""\
# Made by `tondo init`. Each line here is yours to change; `tondo up` reads it again.
project: {scalar(name)}
owner: me
description: {scalar(f"Learns {label} from {Path(path).name}.", text=True)}
---
# Where rows come from.
source: {scalar(name)}
owner: me
description: {scalar(f"The rows of {Path(path).name}.", text=True)}
path: {scalar(path)}
{said}zone: UTC                # of times that are written without one
---
# The rows as the model meets them: each with a name and an instant.
dataset: {scalar(name + "_rows")}
owner: me
description: The rows of {name} with a name and an instant each.
inputs: [{scalar(name)}]
key: [row_id]
event_time: row_time
# Columns that are known only after the instant of prediction belong here; a spec that reads one
# is then refused: tondo is told when each becomes known, by the name of a time column.
# known_at: {{{scalar(label)}: some_time_column}}
sql: |
  select
    *,
    cast(row_number() over () as varchar) as row_id,
{_row_time(time, is_date=is_date)}
  from {name}
---
"""  # noqa: S608 - a file that a person reads and changes; `name` is made of letters


def _row_time(time: str | None, *, is_date: bool) -> str:
    if time is None:
        # Knuth's multiplicative hash goes through all of 2^32 before it comes back.
        return """\
    -- There is no time in the table: the rows are given instants in a mixed order, so that the
    -- newest fifth, which judges the model, is a fair sample.
    timestamptz '2000-01-01 00:00:00+00'
      + to_microseconds((row_number() over () * 2654435761) % 4294967296) as row_time"""
    quoted = '"' + time.replace('"', '""') + '"'
    if is_date:
        return f"    cast({quoted} as timestamp) at time zone 'UTC' as row_time"
    return f"    {quoted} as row_time"


def _model_part(
    model: str,
    name: str,
    question: Guess,
    features: list[Feature],
    left: dict[str, str],
    time: str | None,
    rows: int,
    *,
    trees: bool,
) -> str:
    asked = max(1, min(_MOST_ASKED, int(rows * _HELD_BACK)))
    listed = "\n".join(
        f"  {scalar(each.name)}: {scalar(each.text, text=True)}" for each in features
    )
    left_out = "".join(
        f"\n  # {column_text(column)}: left out, {why}" for column, why in left.items()
    )
    categorical = [scalar(each.name) for each in features if each.categorical]
    named = f"categorical: [{', '.join(categorical)}]\n" if categorical else ""
    remark = f"   # {question.why}" if question.why else ""
    newest = "the newest fifth of the rows" if time else "a fifth of the rows, mixed"
    algorithm = (
        "algorithm: lightgbm\nparameters: {trees: 100, leaves: 31, learning_rate: 0.1}"
        if trees
        else "algorithm: logistic     # pip install 'tondo[lightgbm]' brings trees"
    )
    return f"""\
# What is learned, and what the model must show before it may serve.
model: {scalar(model)}
owner: me
description: {scalar(f"Answers whether {question.text}.", text=True)}
task: binary
source: {scalar(name + "_rows")}
row_id: row_id
time: row_time
label: {scalar(question.text, text=True)}{remark}
{algorithm}
{named}seed: 7
split: {{by: time, validation: {_HELD_BACK}}}   # {newest}
threshold: 0.5           # at or above it the decision is yes
features:
{listed}{left_out}
gate:
  thresholds:
    auc: {{min: 0.55}}     # 0.5 is a coin
  min_rows: {asked}
---
# Where it answers: tondo predict {model} key=value...
deployment: {scalar(model)}
model: {scalar(model)}
as_of: server
log_mode: written
"""


def scalar(value: str, *, text: bool = False) -> str:
    """Return a string as YAML, bare where it stays what it is.

    >>> scalar("late"), scalar("no"), scalar("a: b"), scalar("hour", text=True)
    ('late', '"no"', '"a: b"', '"hour"')
    """
    if not text and re.fullmatch(r"[A-Za-z_][\w./-]*", value) and value.lower() not in _WORDS:
        return value
    return msgspec.json.encode(value).decode()
