"""Preparation by example: a table of tasks as people have them, and what the search promises."""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from tondo.core.errors import CallerError
from tondo.language.check import check
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.stages.data.by_example import by_example

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
SECONDS = 2.0
FIRST = 3
"""The wanted expression must be among so many. Every third task is searched here, to stay short;
`python tests/unit/data/test_by_example.py` searches and prints them all."""

FLIGHTS = ["AA-1543-JFK", "DL-7-ATL", "UA-220-EWR", "B6-19-BOS", "WN-4410-MDW", "YX-303-DCA"]
MAILS = ["ann@example.com", "bob.lee@mail.org", "cy@uni-bonn.de", "d_k@a.co", "eve@web.net"]
NAMES = ["Ada Lovelace", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Tony Hoare"]
NICE_NAMES = ["ADA", "grace", "eDSGER", "barbara", "TONY"]
FILES = ["report_2013-01.csv", "flights_2013-02.csv", "w_2012-11.csv", "planes_2014-07.csv"]
PRICES = ["$1,234.50", "$99.00", "$12,000.25", "$7.10", "$450.00"]
SHARES = ["85%", "7%", "100%", "12.5%", "63%"]
WEIGHTS = ["12 kg", "7 kg", "150 kg", "3.5 kg", "80 kg"]
URLS = ["https://a.org/x/1", "http://tondo.dev/docs", "https://b.com/", "ftp://files.net/pub/z"]
TAILS = ["N14228", "N24211", "N619AA", "N804JB", "N39463"]
ROOMS = ["B2.014", "A1.300", "C11.007", "B3.120", "D2.555"]
PHONES = ["(212) 555-0187", "(646) 555-0101", "(305) 555-9999", "(718) 555-4242"]
DAYS = ["2013-04-01", "2012-11-30", "2014-07-15", "2011-02-28", "2013-12-25"]
DURATIONS = ["02:35", "11:05", "00:47", "23:59", "07:10"]
KEYS = ["user=ann;role=admin", "user=bob;role=guest", "user=cy;role=editor", "user=dora;role=none"]
SPACED = ["  ok ", "bad", " late  ", "fine ", "  x y"]
GATES = ["Terminal 4 Gate B12", "Terminal 1 Gate A3", "Terminal 7 Gate C40", "Terminal 2 Gate D9"]
FLAGS = ["Y", "N", "Y", "Y", "N", "N"]
NUMBERS = [3.14159, 27.1828, 141.421, 0.5772, 99.995, 1618.03, 64.0]
MINUTES = [125.0, 47.0, 333.0, 60.0, 611.0, 89.0]
CELSIUS = [20.0, -5.0, 37.5, 100.0, 0.0, 12.0]
AGES = [7.0, 16.0, 18.0, 34.0, 64.0, 66.0, 81.0, 17.0]
TIMES = [
    datetime(2013, 1, 5, 3, 30, tzinfo=UTC),
    datetime(2013, 7, 4, 16, 5, tzinfo=UTC),
    datetime(2013, 3, 10, 8, 45, tzinfo=UTC),
    datetime(2013, 11, 30, 23, 59, tzinfo=UTC),
    datetime(2014, 2, 14, 12, 0, tzinfo=UTC),
    datetime(2013, 6, 21, 1, 15, tzinfo=UTC),
    datetime(2012, 10, 8, 4, 20, tzinfo=UTC),
    datetime(2013, 9, 1, 19, 40, tzinfo=UTC),
]
DATES = [date(2013, 4, 1), date(2012, 11, 30), date(2014, 7, 15), date(2011, 2, 27)]
PAIR = {
    "first": ["Ada", "Alan", "Grace", "Tony"],
    "last": ["Lovelace", "Turing", "Hopper", "Hoare"],
}
TRIP = {"miles": [200.0, 1400.0, 733.0, 2475.0, 95.0], "minutes": [60.0, 210.0, 125.0, 345.0, 33.0]}
SPELL = {
    "began": TIMES[:5],
    "ended": [each.replace(minute=59) for each in TIMES[:5]],
}


def day_start(each):
    local = each.astimezone(NEW_YORK)
    return local.replace(hour=0, minute=0).astimezone(UTC)


# name, values, places of the examples, the wanted answer of a row
TASKS = [
    ("carrier of a flight code", FLIGHTS, [0, 1], lambda x: x.split("-")[0]),
    ("number of a flight code", FLIGHTS, [0, 1], lambda x: float(x.split("-")[1])),
    ("airport of a flight code", FLIGHTS, [0, 1], lambda x: x.split("-")[2]),
    ("airport in small letters", FLIGHTS, [0, 2], lambda x: x[-3:].lower()),
    ("two parts turned round", FLIGHTS, [0, 1], lambda x: f"{x.split('-')[2]}/{x.split('-')[0]}"),
    ("domain of an e-mail", MAILS, [0, 1], lambda x: x.split("@")[1]),
    ("user of an e-mail", MAILS, [0, 1], lambda x: x.split("@")[0]),
    ("first name", NAMES, [0, 1], lambda x: x.split()[0]),
    ("last name in capitals", NAMES, [0, 1], lambda x: x.split()[1].upper()),
    ("initials", NAMES, [0, 2], lambda x: "".join(each[0] for each in x.split())),
    ("initials with points", NAMES, [0, 2], lambda x: "".join(each[0] + "." for each in x.split())),
    ("last, first", NAMES, [0, 1], lambda x: ", ".join(reversed(x.split()))),
    ("name with a capital", NICE_NAMES, [0, 1], str.capitalize),
    ("month of a file name", FILES, [0, 1, 2], lambda x: float(x[-6:-4])),
    ("subject of a file name", FILES, [0, 1], lambda x: x.split("_")[0]),
    ("price as a number", PRICES, [0, 1], lambda x: float(x[1:].replace(",", ""))),
    ("share as a number", SHARES, [0, 1], lambda x: float(x[:-1]) / 100),
    ("weight without its unit", WEIGHTS, [0, 1], lambda x: float(x.split()[0])),
    ("host of an address", URLS, [0, 1], lambda x: x.split("/")[2]),
    ("scheme of an address", URLS, [0, 1], lambda x: x.split(":")[0]),
    ("tail number without N", TAILS, [0, 2], lambda x: x[1:]),
    ("building of a room", ROOMS, [0, 2], lambda x: x[0]),
    ("floor of a room", ROOMS, [0, 2], lambda x: float(x[1:].split(".")[0])),
    ("area code of a telephone", PHONES, [0, 1], lambda x: x[1:4]),
    ("year of a written date", DAYS, [0, 1], lambda x: float(x[:4])),
    ("dots for dashes", DAYS, [0, 1], lambda x: x.replace("-", ".")),
    ("day first", DAYS, [0, 1], lambda x: "/".join(reversed(x.split("-")))),
    ("minutes of hh:mm", DURATIONS, [0, 1, 4], lambda x: float(x[:2]) * 60 + float(x[3:])),
    ("value of the second key", KEYS, [0, 1], lambda x: x.split("role=")[1]),
    ("value of the first key", KEYS, [0, 1], lambda x: x.split(";")[0][5:]),
    ("text without outer spaces", SPACED, [0, 2], lambda x: x.strip(" ")),
    ("gate of a sentence", GATES, [0, 1], lambda x: x.split()[3]),
    ("terminal as a number", GATES, [0, 1], lambda x: float(x.split()[1])),
    ("flag as a truth value", FLAGS, [0, 1], lambda x: x == "Y"),
    ("one decimal", NUMBERS, [0, 1], lambda x: round(x, 1)),
    ("whole number, rounded", NUMBERS, [0, 1, 4], lambda x: float(round(x))),
    ("bucket of ten", NUMBERS, [1, 2, 4], lambda x: x // 10 * 10),
    ("whole hours", MINUTES, [0, 1, 2], lambda x: float(x // 60)),
    ("minutes as hours", MINUTES, [0, 3], lambda x: x / 60),
    ("Fahrenheit", CELSIUS, [0, 1, 2], lambda x: x * 1.8 + 32),
    ("of age", AGES, [2, 7, 0], lambda x: x >= 18),
    ("age group", AGES, [1, 2, 5], lambda x: "child" if x < 18 else "adult" if x < 66 else "old"),
    ("age bucket", AGES, [7, 2, 4, 5], lambda x: float((x >= 18) + (x >= 65))),
    ("hour in New York", TIMES, [0, 1, 3], lambda x: float(x.astimezone(NEW_YORK).hour)),
    ("hour in Berlin", TIMES, [0, 1], lambda x: float(x.astimezone(BERLIN).hour)),
    ("year in UTC", TIMES, [0, 4, 6], lambda x: float(x.year)),
    ("month in UTC", TIMES, [0, 1], lambda x: float(x.month)),
    ("quarter", TIMES, [0, 1, 3], lambda x: float((x.month + 2) // 3)),
    ("weekday", TIMES, [0, 1], lambda x: float(x.isoweekday())),
    ("day in New York", TIMES, [0, 1], day_start),
    ("minute of the day", TIMES, [0, 1, 2], lambda x: float(x.hour * 60 + x.minute)),
    ("year of a date", DATES, [0, 1], lambda x: float(x.year)),
    ("first of the month", DATES, [0, 1], lambda x: x.replace(day=1)),
    ("full name of two columns", PAIR, [0, 1], lambda x: f"{x[0]} {x[1]}"),
    ("user name of two columns", PAIR, [0, 1], lambda x: (x[0][0] + x[1]).lower()),
    ("miles an hour", TRIP, [0, 1], lambda x: x[0] / x[1] * 60),
    ("minutes between two times", SPELL, [0, 1], lambda x: (x[1] - x[0]).total_seconds() / 60),
]
SOLVED = {}
"""Each task is searched once; both tests of the table read it here."""
UNSOLVED = {"weekend"}
"""Tasks whose wanted expression is not among the first three, kept in the table."""


def rows_of(values):
    return list(zip(*values.values(), strict=True)) if isinstance(values, dict) else list(values)


def own(value):
    """A wanted answer as the language gives it."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1_000_000)
    return (value - date(1970, 1, 1)).days if isinstance(value, date) else value


def solve(task):
    name, values, places, wanted = task
    if name in SOLVED:
        return SOLVED[name]
    rows = rows_of(values)
    table = pa.table(values) if isinstance(values, dict) else pa.table({"x": values})
    examples = [(rows[place], wanted(rows[place])) for place in places]
    began = time.perf_counter()
    found = by_example(table, examples)
    seconds = time.perf_counter() - began
    truth = [own(wanted(row)) for row in rows]
    for rank, each in enumerate(found.candidates, 1):  # noqa: B007 - kept after the break
        answers = [evaluate(each.node, row) for row in table.to_pylist()]
        if answers == [pytest.approx(t, rel=1e-9) if isinstance(t, float) else t for t in truth]:
            break
    else:
        rank, each = 0, found[0]
    SOLVED[name] = rank, each.expression, seconds
    return SOLVED[name]


CODES = ["inv/2013/00042", "inv/2012/00107", "crd/2014/00001", "inv/2011/01999"]
CITIES = ["Austin, TX", "Newark, NJ", "San Jose, CA", "Portland, OR"]
STAMPS = ["2013-04-01T06:30:00", "2012-11-30T23:15:10", "2014-07-15T00:05:59"]
CARDS = ["4111-1111-1111-1234", "5500-0000-0000-0004", "3400-0000-0000-9009"]
VERSIONS = ["v1.12.3", "v0.9.14", "v10.0.1", "v2.7.18"]
AMOUNTS = [1299.0, 15.5, 80000.0, 249.99]
BOX = {"width": [2.0, 3.5, 10.0, 4.0], "height": [5.0, 2.0, 1.5, 8.0]}
SECOND_LOOK = [
    ("number of an invoice", CODES, [0, 1], lambda x: float(x.split("/")[2])),
    ("state of a city", CITIES, [0, 1], lambda x: x.split(", ")[1]),
    ("city without state", CITIES, [0, 2], lambda x: x.split(",")[0]),
    ("hour of a written time", STAMPS, [0, 1], lambda x: float(x[11:13])),
    ("last four of a card", CARDS, [0, 1], lambda x: x[-4:]),
    ("hidden card", CARDS, [0, 1], lambda x: "****-" + x[-4:]),
    ("minor version", VERSIONS, [0, 1], lambda x: float(x.split(".")[1])),
    ("in thousands, one decimal", AMOUNTS, [0, 2], lambda x: round(x / 1000, 1)),
    ("area of a box", BOX, [0, 1], lambda x: x[0] * x[1]),
    ("weekend", TIMES, [0, 1, 2], lambda x: x.isoweekday() >= 6),
]
"""Tasks on which no cost was chosen: they were written when the search stood."""


@pytest.mark.parametrize("task", TASKS[::3] + SECOND_LOOK, ids=lambda task: task[0])
def test_the_wanted_expression_is_among_the_first_three(task):
    if task[0] in UNSOLVED:
        pytest.skip("declared unsolved")
    rank, expression, _ = solve(task)
    assert 1 <= rank <= FIRST, expression


def test_the_share_of_solved_tasks_is_shown(capsys):
    lines = []
    for name, tasks in {"tuned": TASKS[::3], "second look": SECOND_LOOK}.items():
        found = [solve(task) for task in tasks]
        solved = sum(1 <= rank <= FIRST for rank, _, _ in found)
        first = sum(rank == 1 for rank, _, _ in found)
        slowest = max(seconds for _, _, seconds in found)
        lines.append(f"{name}: {solved} of {len(found)} ({first} first), slowest {slowest:.2f} s")
    with capsys.disabled():
        print("\nby example,", "; ".join(lines))


def test_rows_on_which_candidates_part_are_counted_and_shown():
    found = by_example(["ab-1", "cd-2", "wxyz-3"], [("ab-1", "ab"), ("cd-2", "cd")])
    assert found.unsure == 1
    assert found.samples[0].inputs == {"x": "wxyz-3"}
    assert {"wxyz", "wx"} <= set(found.samples[0].answers)
    assert found[1].differs == 1
    assert "they disagree on 1 of 3 rows" in repr(found)
    assert "wxyz-3" in found._repr_html_()


def test_one_more_example_settles_an_unsure_row():
    values = ["ab-1", "cd-2", "wxyz-3"]
    found = by_example(values, [("ab-1", "ab"), ("cd-2", "cd"), ("wxyz-3", "wx")])
    assert found[0].expression == "substr(x, 1, 2)"


def test_an_expression_is_text_that_parses_to_the_tree_it_shows():
    (first, *_) = by_example(FLIGHTS, [(FLIGHTS[0], "AA")])
    assert check(parse(first.expression), {"x": "string"}) == first.node


def test_a_null_is_filled_when_the_examples_say_so():
    found = by_example([1.0, None, 3.0], [(1.0, 1.0), (None, 0.0)])
    assert found[0].expression == "coalesce(x, 0)"


def test_a_word_for_missing_becomes_null_when_the_examples_say_so():
    found = by_example(["ok", "n/a", "fine"], [("ok", "ok"), ("n/a", None)])
    assert found[0].expression == "nullif(x, 'n/a')"


def test_a_column_whose_name_is_no_word_is_quoted():
    table = pa.table({"tail number": TAILS})
    found = by_example(table, [(TAILS[0], TAILS[0][1:])])
    assert found[0].expression == 'substr("tail number", 2)'


def test_the_same_search_gives_the_same_answer():
    examples = [(MAILS[0], "example"), (MAILS[1], "mail")]
    first, second = (by_example(MAILS, examples, seconds=60) for _ in range(2))
    assert first == second


UNFIT = [(each, f"{place}q{place * 7}") for place, each in enumerate(FLIGHTS[2:])]


def test_when_nothing_fits_the_nearest_is_named():
    with pytest.raises(CallerError) as caught:
        by_example(FLIGHTS, [(FLIGHTS[0], "AA"), (FLIGHTS[1], "DL"), *UNFIT])
    assert caught.value.code == "TD-EXAMPLE-001"
    assert caught.value.fields["fitted"] == 2


@pytest.mark.parametrize(
    "examples",
    [
        [],
        [("a", "b"), ("a", "c")],
        [("a", "b"), ("b", 1.0)],
        [("a", None)],
        [(1.0, "a")],
        [(("a", "b"), "a")],
        [("a", object())],
    ],
)
def test_examples_that_make_no_sense_are_refused(examples):
    with pytest.raises(CallerError, match="TD-EXAMPLE-002"):
        by_example(["a", "b"], examples)


@pytest.mark.parametrize(
    ("values", "columns"), [([[1.0], [2.0]], ()), (["a", 1.0], ()), (["a"], ["y"])]
)
def test_values_that_cannot_be_searched_are_refused(values, columns):
    with pytest.raises(CallerError, match="TD-EXAMPLE-003"):
        by_example(values, [("a", "b")], columns=columns)


if __name__ == "__main__":
    for task in TASKS + SECOND_LOOK:
        rank, expression, seconds = solve(task)
        print(f"{rank:3} {seconds:5.2f} s  {task[0]:30} {expression}")
