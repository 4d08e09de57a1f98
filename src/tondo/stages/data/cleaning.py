"""Cleaning: steps in the feature language; a row that is turned away is kept with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.errors import DefinitionError, near, placed
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.walk import fitted_of
from tondo.stages.data import display
from tondo.stages.data.arrow_types import arrow_type, stored_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import Engine

REJECTED = ".rejected"
"""Behind a data set's name, the name of its rejected rows; no data set of a project has a dot."""
REASON = "reason"


class Deduplicate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row for each key. A row with a null in its key has no key, and is kept."""

    key: tuple[str, ...]
    keep: Literal["first", "last"] = "first"
    by: str | None = None
    """The column that says which is first; null is before every value, and rows that are equal
    in it stand in the order of the data. None: the order of the data alone."""


class CleaningStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of these."""

    require: tuple[str, ...] = ()
    """Conditions; a row on which one is false or null is rejected, by the first such."""
    fill: dict[str, str | float | bool] = {}
    """Column to the constant or expression that stands where it is null."""
    clip: dict[str, tuple[float | None, float | None]] = {}
    """Column to its least and greatest value; null leaves that end open."""
    deduplicate: Deduplicate | None = None


class CleaningReport(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning did: `rows == kept + rejected`, always."""

    dataset: str
    rows: int
    kept: int
    rejected: int
    reasons: dict[str, int] = {}
    """Rejected rows by reason."""
    filled: dict[str, int] = {}
    """Values filled, by column."""
    clipped: dict[str, int] = {}
    """Values moved to an end, by column."""
    snapshot: str = ""
    """Id of the rows that were kept."""
    rejected_snapshot: str = ""

    def __repr__(self) -> str:
        head = f"{self.dataset}: {self.kept:,} of {self.rows:,} rows kept"
        parts = [head, *(f"{count:,} {reason}" for reason, count in self.reasons.items())]
        for word, counts in (("filled", self.filled), ("clipped", self.clipped)):
            parts += [f"{count:,} {word} in {name}" for name, count in counts.items()]
        return "CleaningReport(" + "; ".join(parts) + ")"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [["rejected", reason, f"{count:,}"] for reason, count in self.reasons.items()]
        rows += [["filled", name, f"{count:,}"] for name, count in self.filled.items()]
        rows += [["clipped", name, f"{count:,}"] for name, count in self.clipped.items()]
        caption = f"{self.dataset}: {self.kept:,} of {self.rows:,} rows kept"
        return display.table(["what", "where", "rows"], rows, caption=caption)


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """The two halves of a cleaned table."""

    kept: Any
    """Arrow table of the input's columns, changed by fill and clip."""
    rejected: Any
    """Arrow table of the input's columns as they came, and `reason`."""
    report: CleaningReport


def clean(
    table: pa.Table, steps: Sequence[CleaningStep], *, engine: Engine, name: str = "table"
) -> Cleaned:
    """Apply the steps in their order to a conformed table; no row is lost.

    Errors: TD-CLEAN-001 (a step is not one thing), -002 (a condition is none), -003 (a value does
    not fit its column), -004 (deduplicate names no column), -005 (the data has a `reason`),
    TD-LANG-... (an expression, with the place of its step).
    """
    import pyarrow as pa

    if REASON in table.column_names:
        raise DefinitionError(
            "TD-CLEAN-005",
            f"the data of '{name}' has a column '{REASON}', where rejected rows keep theirs",
            fix="Rename it in the `sql` of the data set.",
            column=REASON,
        )
    work = _Work(table, engine)
    for place, each in enumerate(steps, 1):
        with placed(f"clean step {place}"):
            work.apply(each)
    rejected = table.take(pa.array(work.rejected, pa.int64()))
    rejected = rejected.append_column(REASON, pa.array(work.reasons, pa.string()))
    report = CleaningReport(
        dataset=name,
        rows=table.num_rows,
        kept=work.table.num_rows,
        rejected=len(work.rejected),
        reasons={each: work.reasons.count(each) for each in dict.fromkeys(work.reasons)},
        filled=work.filled,
        clipped=work.clipped,
    )
    return Cleaned(kept=work.table, rejected=rejected, report=report)


class _Work:
    """The rows that are still in, and what happened so far."""

    def __init__(self, table: pa.Table, engine: Engine) -> None:
        self.table = table
        self.engine = engine
        self.columns = stored_types(table)
        self.places = list(range(table.num_rows))
        """Of each row that is still in, its place in the input."""
        self.rejected: list[int] = []
        self.reasons: list[str] = []
        self.filled: dict[str, int] = {}
        self.clipped: dict[str, int] = {}

    def apply(self, step: CleaningStep) -> None:
        given = [step.require, step.fill, step.clip, step.deduplicate]
        if sum(bool(each) for each in given) != 1:
            raise DefinitionError(
                "TD-CLEAN-001",
                "a cleaning step is not exactly one thing",
                expected="one of require, fill, clip, deduplicate",
                fix="Write each as a step of its own; they run in their order.",
            )
        for text in step.require:
            self.require(text)
        if step.fill:
            self.change({name: self.filling(name, to) for name, to in step.fill.items()}, "filled")
        if step.clip:
            self.change({name: self.ends(name, *to) for name, to in step.clip.items()}, "clipped")
        if step.deduplicate:
            self.deduplicate(step.deduplicate)

    def require(self, text: str) -> None:
        tree = self.tree(text)
        if tree.type != "bool":
            raise DefinitionError(
                "TD-CLEAN-002",
                f"the condition '{text}' is a {tree.type}",
                expected="an expression that is true or false",
                fix="Compare it with something.",
                expression=text,
            )
        answers = self.engine.evaluate({"value": tree}, self.table).column("value").to_pylist()
        self.keep([answer is True for answer in answers], f"not: {text}")

    def tree(self, text: str) -> Node:
        tree = check(parse(text), self.columns, text=text)
        if fitted_of(tree):
            raise DefinitionError(
                "TD-CLEAN-003",
                f"'{text}' is learned on a training split",
                expected="an expression of the row alone: cleaning comes before any split",
                fix="Move it to the features of the model.",
                expression=text,
            )
        return tree

    def filling(self, name: str, to: str | float | bool) -> Node:  # noqa: FBT001 - a value
        self.known(name)
        text = to if isinstance(to, str) else str(to).lower()
        filled = self.tree(f"coalesce({_quoted(name)}, {text})")
        return self.fitting(name, filled, text)

    def ends(self, name: str, low: float | None, high: float | None) -> Node:
        self.known(name)
        if self.columns[name] != "double" or (low is not None and high is not None and low > high):
            raise _misfit(f"'{name}' ({self.columns[name]}) is clipped to {low} and {high}")
        quoted = _quoted(name)
        whens = [f"when {quoted} < {low!r} then {low!r}"] if low is not None else []
        whens += [f"when {quoted} > {high!r} then {high!r}"] if high is not None else []
        if not whens:
            raise _misfit(f"'{name}' is clipped to nothing")
        return self.tree(f"case {' '.join(whens)} else {quoted} end")

    def fitting(self, name: str, tree: Node, text: str) -> Node:
        if tree.type != self.columns[name]:
            raise _misfit(f"'{name}' ({self.columns[name]}) is filled by '{text}' ({tree.type})")
        return tree

    def known(self, name: str, code: str = "") -> None:
        if name not in self.columns:
            message = f"there is no column '{name}'"
            if code:
                raise DefinitionError("TD-CLEAN-004", message, fix=near(name, self.columns))
            raise DefinitionError("TD-CLEAN-003", message, fix=near(name, self.columns))

    def change(self, trees: Mapping[str, Node], word: str) -> None:
        """Replace columns by what their trees answer, and count the values that are other."""
        import pyarrow.compute as pc

        answer = self.engine.evaluate(trees, self.table)
        counts = self.filled if word == "filled" else self.clipped
        for name in trees:
            before = self.table.column(name)
            after = answer.column(name).cast(arrow_type(self.columns[name]))
            missing = pc.is_null(before, nan_is_null=True)
            # What the language has no value for (NaN, an infinity) stays as it came.
            stays = pc.invert(missing) if word == "filled" else pc.is_null(after)
            after = pc.if_else(stays, before, after)
            moved = pc.and_(pc.not_equal(before, after), pc.invert(missing))
            filled = pc.and_(missing, pc.invert(pc.is_null(after, nan_is_null=True)))
            gained = filled if word == "filled" else moved
            counts[name] = counts.get(name, 0) + (pc.sum(gained).as_py() or 0)
            place = self.table.column_names.index(name)
            self.table = self.table.set_column(place, name, after)

    def deduplicate(self, rule: Deduplicate) -> None:
        for name in (*rule.key, *([rule.by] if rule.by else [])):
            self.known(name, "TD-CLEAN-004")
        keys = list(zip(*(self.plain(each) for each in rule.key), strict=True))
        order = self.plain(rule.by) if rule.by else [None] * len(keys)
        chosen: dict[tuple[Any, ...], int] = {}
        for place, key in enumerate(keys):
            if None in key:
                continue
            best = chosen.get(key)
            if best is None or _comes_before(order, place, best, last=rule.keep == "last"):
                chosen[key] = place
        winners = set(chosen.values())
        kept = [None in key or place in winners for place, key in enumerate(keys)]
        by = f" by {rule.by}" if rule.by else ""
        self.keep(kept, f"duplicate of ({', '.join(rule.key)}), kept {rule.keep}{by}")

    def plain(self, name: str) -> list[Any]:
        """Return a column's values, NaN read as null."""
        values = self.table.column(name).to_pylist()
        return [None if each != each else each for each in values]  # noqa: PLR0124 - NaN is unequal

    def keep(self, kept: Sequence[bool], reason: str) -> None:
        import pyarrow as pa

        out = [place for place, stays in zip(self.places, kept, strict=True) if not stays]
        self.rejected += out
        self.reasons += [reason] * len(out)
        self.places = [place for place, stays in zip(self.places, kept, strict=True) if stays]
        self.table = self.table.filter(pa.array(kept, pa.bool_()))


def _comes_before(order: Sequence[Any], place: int, best: int, *, last: bool) -> bool:
    """Return whether a later row takes the place of the best so far."""
    new, old = order[place], order[best]
    if new == old:
        return last
    if new is None or old is None:
        return (old is None) == last
    return bool(new > old) == last


def _misfit(what: str) -> DefinitionError:
    return DefinitionError(
        "TD-CLEAN-003",
        what,
        expected="a filling of the column's own type; ends of a double, the lower first",
        fix="A text is written in two pairs of quotes: \"'none'\".",
    )


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
