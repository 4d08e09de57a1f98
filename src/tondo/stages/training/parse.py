"""Reads a model spec from the plain values of a definition file, naming what is wrong in it."""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.durations import parse_duration_us
from tondo.core.errors import DefinitionError, TondoError, near
from tondo.core.names import check_name
from tondo.stages.training.spec import Gate, ModelSpec, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def parse_spec(data: Mapping[str, Any], *, file: str = "model spec") -> ModelSpec:
    """Return the spec that `data` (as YAML or JSON gave it) describes.

    TD-SPEC-001 an unknown key, TD-SPEC-002 a missing key or a wrong type, TD-SPEC-003 values that
    contradict each other; each names the file and the key.
    """
    if not isinstance(data, dict):
        raise _wrong(file, "it holds no mapping of keys", expected="keys such as model, features")
    for path, key, choices in _unknown_keys(data, ModelSpec, ""):
        raise DefinitionError(
            "TD-SPEC-001",
            f"{file}: unknown key '{path}'",
            expected="a key of the model spec",
            fix=near(key, choices),
            file=file,
            key=path,
        )
    try:
        spec = msgspec.convert(data, ModelSpec)
    except msgspec.ValidationError as error:
        raise _wrong(file, str(error)) from None
    for key, what, expected in _contradictions(spec):
        raise DefinitionError(
            "TD-SPEC-003", f"{file}: {key}: {what}", expected=expected, file=file, key=key
        )
    return spec


def check_columns(
    spec: ModelSpec, columns: Mapping[str, str], *, inputs: Iterable[str] = ()
) -> None:
    """Refuse a spec that names what its source does not have; TD-SPEC-006 names key and column.

    `columns` are the source's, `inputs` those that the features read.
    """
    times = {"time": spec.time, "label_known_at": spec.label_known_at}
    named = {"row_id": spec.row_id, **{key: name for key, name in times.items() if name}}
    if spec.split.column is not None:
        named["split.column"] = spec.split.column
    for key, name in named.items():
        if name not in columns:
            what = f"{key}: the source '{spec.source}' has no column '{name}'"
            raise _not_there(key, what, fix=near(name, columns))
        if key in times and columns[name] != "timestamp":
            what = f"{key}: the column '{name}' is {columns[name]}, not timestamp"
            raise _not_there(key, what, fix="Name a timestamp column.")
    part = spec.split.column
    if spec.split.by == "column" and part is not None and columns[part] != "string":
        what = f"split.column: the column '{part}' is {columns[part]}, not string"
        raise _not_there("split.column", what, fix="Name a column of training, validation, test.")
    known = [*spec.features, *inputs]
    for name in spec.slices:
        if name not in known:
            what = f"slices: '{name}' is no feature, and no column that a feature reads"
            raise _not_there("slices", what, fix=near(name, known))


def _not_there(key: str, what: str, *, fix: str) -> DefinitionError:
    return DefinitionError("TD-SPEC-006", what, fix=fix, key=key)


def _wrong(file: str, what: str, *, expected: str = "") -> DefinitionError:
    return DefinitionError(
        "TD-SPEC-002",
        f"{file}: {what}",
        expected=expected,
        fix="Correct the key that is named; docs/reference/model-spec.md lists them all.",
        file=file,
    )


def _unknown_keys(data: Any, type_: Any, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (path, key, known keys) of each key that the value's type does not have."""
    struct = _struct_of(type_)
    if struct is not None and isinstance(data, dict):
        hints = typing.get_type_hints(struct)
        for key, value in data.items():
            where = f"{path}.{key}" if path else str(key)
            if key not in hints:
                yield where, str(key), list(hints)
            else:
                yield from _unknown_keys(value, hints[key], where)
    elif typing.get_origin(type_) is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from _unknown_keys(value, typing.get_args(type_)[1], f"{path}.{key}")


def _struct_of(type_: Any) -> type[msgspec.Struct] | None:
    options = typing.get_args(type_) if isinstance(type_, types.UnionType) else (type_,)
    for each in options:
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None


def _contradictions(spec: ModelSpec) -> Iterator[tuple[str, str, str]]:
    """Yield (key, what is wrong, what was expected)."""
    try:
        check_name(spec.model, "model")
    except TondoError as error:
        yield "model", error.what, error.expected
    if not spec.features:
        yield "features", "a model needs at least one feature", "name: expression"
    for name in spec.categorical:
        if name not in spec.features:
            yield "categorical", f"no feature '{name}'. {near(name, spec.features)}", "a feature"
    if spec.threshold is not None and not 0 <= spec.threshold <= 1:
        yield "threshold", f"{spec.threshold!r} is no probability", "a number from 0 to 1"
    yield from _split_contradictions(spec.split)
    yield from _gate_contradictions(spec.gate)


def _split_contradictions(split: Split) -> Iterator[tuple[str, str, str]]:
    shares = {"split.validation": split.validation}
    if split.test is not None:
        shares["split.test"] = split.test
    for key, part in shares.items():
        yield from _part_contradictions(key, part, by=split.by)
    sizes = [each for each in shares.values() if not isinstance(each, str)]
    if sum(sizes) >= 1 and all(0 < each < 1 for each in sizes):
        yield "split.test", f"{sizes} leave nothing to learn from", "shares that sum to less than 1"
    wanted = split.by in {"group", "column"}
    if wanted and not split.column:
        yield "split.column", f"a split by {split.by} needs one", "a column of the source"
    if not wanted and split.column is not None:
        yield "split.column", f"a split by {split.by} reads none", "by: group or by: column"
    if split.by == "column" and split.test is not None:
        yield "split.test", "the column says which rows are for testing", "no share"


def _part_contradictions(key: str, part: str | float, *, by: str) -> Iterator[tuple[str, str, str]]:
    expected = "a duration such as 14d, or a share between 0 and 1"
    if isinstance(part, str):
        if by != "time":
            yield key, f"{part!r}: a split by {by} knows no time", "a share between 0 and 1"
        try:
            parse_duration_us(part)
        except TondoError as error:
            yield key, error.what, expected
    elif not 0 < part < 1:
        yield key, f"{part!r} is no share", expected


def _gate_contradictions(gate: Gate) -> Iterator[tuple[str, str, str]]:
    for metric, limit in gate.thresholds.items():
        if limit.min is None and limit.max is None:
            yield f"gate.thresholds.{metric}", "no limit is given", "min, max or both"
    change = gate.change
    if change is not None and change.min_difference is None and change.margin is None:
        yield "gate.change", "nothing is asked", "min_difference, margin or both"
    if change is not None and change.margin is not None and change.margin < 0:
        yield "gate.change.margin", f"{change.margin!r} is below 0", "a number from 0"
