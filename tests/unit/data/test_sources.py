import gzip
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import CallerError, DataError, DefinitionError, NotFoundError
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.definitions import parse_source
from tondo.stages.data.sources import read_source

CSV = "origin,delay,late,at,day\nEWR,5,true,2013-01-01T10:00:00Z,2013-01-01\nJFK,,false,2013-01-01T11:30:00+01:00,2013-01-02\n"


def read(path, **keys):
    body = {"source": "flights", "path": path.name, **keys}
    return read_source(parse_source(body), base=path.parent)


def written(tmp_path, text, name="flights.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_types_are_inferred_from_every_value(tmp_path):
    table = read(written(tmp_path, CSV))
    assert stored_types(table) == {
        "origin": "string",
        "delay": "double",
        "late": "bool",
        "at": "timestamp",
        "day": "date",
    }
    assert table["delay"].to_pylist() == [5.0, None]
    assert [each.isoformat() for each in table["at"].to_pylist()] == [
        "2013-01-01T10:00:00+00:00",
        "2013-01-01T10:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\n2\n", "double"),
        ("1.5\nnan\n", "double"),
        ("9007199254740993\n1\n", "id"),
        ("02134\n10001\n", "string"),
        ("1\nx\n", "string"),
        ("TRUE\nfalse\n", "bool"),
        ("0\n1\n", "double"),
        ("2013-01-01\n2013-13-01\n", "string"),
        ("\n\n", "double"),
    ],
)
def test_the_type_of_a_column_of_text(tmp_path, text, expected):
    table = read(written(tmp_path, "n,x\n" + "".join(f"a,{line}\n" for line in text.splitlines())))
    assert stored_types(table)["x"] == expected


def test_a_declared_type_wins(tmp_path):
    table = read(written(tmp_path, CSV), columns={"delay": "id", "day": "string"})
    assert table["delay"].to_pylist() == [5, None]
    assert table["day"].to_pylist() == ["2013-01-01", "2013-01-02"]


def test_a_value_that_does_not_fit_its_declared_type_is_named_with_its_row(tmp_path):
    path = written(tmp_path, "x,y\n1,a\n2,a\n3,a\nfour,a\n5,a\n")
    with pytest.raises(DataError, match=r"TD-DATA-004.*column 'x', row 4: 'four'"):
        read(path, columns={"x": "double"})


def test_na_is_missing_among_numbers_and_a_value_among_texts(tmp_path):
    table = read(written(tmp_path, "x,country\n1,NA\nNA,DE\n"))
    assert table.to_pydict() == {"x": [1.0, None], "country": ["NA", "DE"]}


def test_declared_null_values_are_missing_in_every_column(tmp_path):
    table = read(written(tmp_path, "x,tail\n1,NA\nNA,N1\n"), null_values=["NA"])
    assert table.to_pydict() == {"x": [1.0, None], "tail": [None, "N1"]}


def test_times_without_a_zone_are_refused_until_one_is_declared(tmp_path):
    path = written(tmp_path, "at\n2013-07-01 10:00:00\n")
    with pytest.raises(DataError, match=r"TD-DATA-005.*'at'"):
        read(path)
    assert read(path, zone="UTC")["at"][0].as_py().isoformat() == "2013-07-01T10:00:00+00:00"
    newyork = read(path, zone="America/New_York")["at"][0].as_py()
    assert newyork.isoformat() == "2013-07-01T14:00:00+00:00"


def test_a_local_time_that_occurs_twice_is_refused(tmp_path):
    path = written(tmp_path, "at\n2013-11-03 01:30:00\n")
    with pytest.raises(DataError, match=r"TD-DATA-005"):
        read(path, zone="America/New_York")


def test_gz_and_zip_read_as_the_plain_file(tmp_path):
    plain = written(tmp_path, CSV)
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    with zipfile.ZipFile(tmp_path / "f.csv.zip", "w") as archive:
        archive.writestr("f.csv", CSV)
        archive.writestr("__MACOSX/._f.csv", "fork")
    assert read(tmp_path / "f.csv.gz") == read(plain) == read(tmp_path / "f.csv.zip")


def test_csv_parquet_and_json_lines_give_the_same_table(tmp_path):
    table = read(written(tmp_path, CSV))
    pq.write_table(table, tmp_path / "f.parquet")
    lines = (
        '{"origin":"EWR","delay":5,"late":true,"at":"2013-01-01T10:00:00Z","day":"2013-01-01"}\n'
        '{"origin":"JFK","late":false,"at":"2013-01-01T10:30:00Z","day":"2013-01-02"}\n'
    )
    assert read(tmp_path / "f.parquet") == table
    assert read(written(tmp_path, lines, "f.jsonl")) == table


def test_parquet_types_become_column_types(tmp_path):
    odd = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "money": pa.array([1, 2], pa.decimal128(10, 2)),
            "label": pa.array(["a", "b"]).dictionary_encode(),
            "at": pa.array([0, 1], pa.timestamp("ms", tz="Europe/Paris")),
            "items": pa.array([[1], []], pa.large_list(pa.int32())),
        }
    )
    pq.write_table(odd, tmp_path / "f.parquet")
    types = stored_types(read(tmp_path / "f.parquet"))
    assert list(types.values()) == ["double", "double", "string", "timestamp", "list<double>"]


def test_a_type_that_tondo_does_not_hold_is_refused_naming_the_column(tmp_path):
    pq.write_table(pa.table({"inner": [{"a": 1}]}), tmp_path / "f.parquet")
    with pytest.raises(DataError, match=r"TD-DATA-007.*'inner'"):
        read(tmp_path / "f.parquet")


def test_a_bad_json_line_is_named(tmp_path):
    with pytest.raises(DataError, match=r"TD-DATA-003.*line 2"):
        read(written(tmp_path, '{"a": 1}\n{"a": \n', "f.jsonl"))


def test_json_values_of_two_kinds_are_refused_naming_the_column(tmp_path):
    with pytest.raises(DataError, match=r"TD-DATA-007.*'a'"):
        read(written(tmp_path, '{"a": 1}\n{"a": "x"}\n', "f.jsonl"))


def test_several_files_are_read_in_the_order_of_their_names(tmp_path):
    for day in (2, 1):
        written(tmp_path, f"x\n{day}\n", f"day{day}.csv")
    source = parse_source({"source": "days", "path": "day*.csv"})
    assert read_source(source, base=tmp_path)["x"].to_pylist() == [1, 2]


def test_files_with_other_columns_are_refused(tmp_path):
    written(tmp_path, "x\n1\n", "day1.csv")
    written(tmp_path, "x\nlate\n", "day2.csv")
    source = parse_source({"source": "days", "path": "day*.csv"})
    with pytest.raises(CallerError, match=r"TD-DATA-008.*differs.*in x"):
        read_source(source, base=tmp_path)


def test_a_missing_file_is_named_with_its_folder_and_near_names(tmp_path):
    written(tmp_path, CSV)
    with pytest.raises(NotFoundError, match=r"TD-DATA-002") as caught:
        read(tmp_path / "flihgts.csv")
    assert "'flights.csv'" in caught.value.fix


def test_a_path_cannot_leave_an_installed_package(tmp_path):
    outside = parse_source({"source": "x", "path": "package://numpy/../secret.csv"})
    with pytest.raises(NotFoundError, match=r"TD-DATA-002.*numpy"):
        read_source(outside, base=tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TD-DATA-003"),
        ("a,b\n1\n", "TD-DATA-003"),
        ("a,a\n1,2\n", "TD-DATA-010"),
        ("a,\n1,2\n", "TD-DATA-010"),
        ("a\n\xff\n", "TD-DATA-003"),
    ],
)
def test_a_broken_csv_is_refused(tmp_path, text, code):
    path = tmp_path / "f.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=code):
        read(path)


@pytest.mark.parametrize("name", ["f.csv.gz", "f.zip", "f.parquet"])
def test_a_damaged_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not what the name says")
    with pytest.raises(DataError, match=r"TD-DATA-003"):
        read(tmp_path / name)


def test_a_declared_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match=r"TD-DATA-006.*'delya'"):
        read(written(tmp_path, CSV), columns={"delya": "double"})


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match=r"TD-DATA-012"):
        read(written(tmp_path, CSV, "f.xlsx"))


@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_numbers_come_back_from_csv_bit_for_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "f.csv"
    path.write_text("x\n" + "".join(f"{value!r}\n" for value in values))
    assert read(path, columns={"x": "double"})["x"].to_pylist() == values


@pytest.mark.parametrize(
    ("said", "sign"),
    [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("|", "|"), ("^", "^")],
)
def test_cells_are_parted_as_the_delimiter_says(tmp_path, said, sign):
    text = sign.join(["a", "b"]) + f'\n1,5{sign}"x{sign}y"\n{sign}z\n'
    table = read(written(tmp_path, text), delimiter=said)
    assert table.to_pylist() == [{"a": "1,5", "b": f"x{sign}y"}, {"a": None, "b": "z"}]


def test_a_said_delimiter_wins_over_the_name_and_packing(tmp_path):
    with gzip.open(tmp_path / "flights.tsv.gz", "wt") as file:
        file.write("a;b\n1;2\n")
    table = read(tmp_path / "flights.tsv.gz", delimiter=";", format="csv")
    assert table.to_pylist() == [{"a": 1.0, "b": 2.0}]


@pytest.mark.parametrize("said", ["", ";;", "a", "7", '"', "\n", "\r", "\0", "§", "comma"])
def test_what_parts_no_cells_is_no_delimiter(tmp_path, said):
    with pytest.raises(DefinitionError, match="TD-DATA-046"):
        read(written(tmp_path, "a;b\n"), delimiter=said)


@pytest.mark.parametrize("said", [5, [";"], True])
def test_a_delimiter_is_text(tmp_path, said):
    with pytest.raises(DefinitionError, match="TD-DATA-001.*delimiter"):
        read(written(tmp_path, "a;b\n"), delimiter=said)


@pytest.mark.parametrize("name", ["flights.parquet", "flights.jsonl"])
def test_only_a_csv_has_a_delimiter(tmp_path, name):
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "flights.parquet")
    written(tmp_path, '{"a": 1}\n', "flights.jsonl")
    with pytest.raises(DefinitionError, match="TD-DATA-046"):
        read(tmp_path / name, delimiter=";")


def test_another_separator_is_refused_and_told_how_to_say_it(tmp_path):
    with pytest.raises(
        DataError, match="TD-DATA-041.*parted by semicolons; expected commas"
    ) as one:
        read(written(tmp_path, "a;b\n1;2\n"))
    assert '`delimiter: ";"`' in one.value.message
    assert "--delimiter ';'" in one.value.message
    with pytest.raises(DataError, match="TD-DATA-041.*parted by commas; expected bars"):
        read(written(tmp_path, "a,b\n1,2\n"), delimiter="|")
    with pytest.raises(DataError, match="TD-DATA-041.*--delimiter tab"):
        read(written(tmp_path, "a\tb\n1\t2\n"))


def test_an_open_quote_is_found_between_other_separators(tmp_path):
    with pytest.raises(DataError, match="TD-DATA-040.*line 2"):
        read(written(tmp_path, 'a;b\n1;"2\n3;4\n'), delimiter=";")
