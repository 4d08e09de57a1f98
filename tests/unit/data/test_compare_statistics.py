import pyarrow as pa

from tondo.stages.data.compare_statistics import compare
from tondo.stages.data.statistics import statistics

BEFORE = pa.table({"x": [1.0, 2.0, 3.0, None], "s": ["a", "b", "b", "b"], "old": [1.0] * 4})
AFTER = pa.table({"x": [10.0, 20.0, 30.0], "s": ["b", "c", "c"], "new": [1.0] * 3})


def compared(engine, before=BEFORE, after=AFTER):
    return compare(statistics(before, engine=engine), statistics(after, engine=engine))


def test_rows_moments_and_missing_share_are_told_before_and_after(engine):
    found = compared(engine)
    column = found.columns["x"]
    assert (found.rows.before, found.rows.after) == (4, 3)
    assert (column.mean.before, column.mean.after) == (2.0, 20.0)
    assert (column.missing_share.before, column.missing_share.after) == (0.25, 0.0)
    assert (column.quantiles["0.50"].before, column.quantiles["0.50"].after) == (2.0, 20.0)


def test_new_and_gone_values_and_columns_are_named(engine):
    found = compared(engine)
    assert (found.columns["s"].new_values, found.columns["s"].gone_values) == (("c",), ("a",))
    assert (found.new_columns, found.gone_columns) == (("new",), ("old",))


def test_values_are_called_new_only_where_all_before_are_known(engine):
    many = pa.table({"s": [f"v{number:04}" for number in range(1500)]})
    found = compared(engine, many, pa.table({"s": ["v1499"]})).columns["s"]
    assert found.new_values is None
    assert len(found.gone_values) == 1000


def test_equal_tables_have_not_changed(engine):
    found = compared(engine, BEFORE, BEFORE)
    assert not found.changed
    assert "unchanged" in repr(found)


def test_a_comparison_reads_as_text_and_in_a_notebook(engine):
    found = compared(engine)
    assert "Comparison of 4 -> 3 rows" in repr(found)
    assert "missing 25.0% -> 0.0%" in repr(found)
    assert "new c; gone a" in repr(found)
    assert "-&gt;" in found._repr_html_()
