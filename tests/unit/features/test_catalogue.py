"""The catalogue: what is alike is told, what is looked for is found."""

import msgspec
import pytest

from airport import LANDINGS, ORIGIN, WEATHER, delays_view, weather_view
from tondo.core.errors import DefinitionError, NotFoundError
from tondo.stages.features.catalogue import FeatureUse, entries, named, search
from tondo.stages.features.definitions import check_definition
from tondo.stages.features.equivalents import equivalents
from tondo.stages.features.views import check_view

USES = {
    "@weather.wind": [
        FeatureUse(model="late", defined=True, versions=(2, 1), deployments=("front",))
    ],
    "@weather.sky": [FeatureUse(model="other", defined=True)],
}


def view(definition, source=WEATHER):
    return check_view(definition, entity=ORIGIN, source=source)


@pytest.fixture(scope="module")
def found():
    weather = weather_view(
        tags=["meteo"],
        notes={"windy": "Whether gusts may hold a start up."},
        deprecated={"sky": "use @weather.wind"},
    )
    views = {"weather": view(weather), "delays": view(delays_view(), source=LANDINGS)}
    return entries(views, uses=USES, same_as={}, distributions={}, functions={})


def names(entries):
    return [each.name for each in entries]


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("wind + 1", "1 + wind", True),
        ("wind > 1 and wind < 5", "wind < 5 and wind > 1", True),
        ("wind - 1", "1 - wind", False),
        ("greatest(wind, 0.0)", "greatest(0.0, wind)", False),
        ("upper(sky)", "UPPER( sky )", True),
        ("(wind + 1) * 2", "2 * (1 + wind)", True),
        ("wind / 2", "wind * 0.5", False),
    ],
)
def test_expressions_of_one_meaning_are_told_whatever_their_text(one, two, alike):
    first = view(weather_view(view="first", features={"a": one}))
    second = view(weather_view(view="second", features={"b": two}))
    told = [(each.feature, each.same_as) for each in equivalents(second, [first])]
    assert told == ([("@second.b", "@first.a")] if alike else [])


def test_windows_of_other_lengths_are_no_equals():
    first = view(delays_view(features={"a": "avg(delay + 1) over 3h"}), source=LANDINGS)
    again = delays_view(
        view="again", features={"a": "avg(1 + delay) over 180m", "b": "avg(delay + 1) over 4h"}
    )
    told = equivalents(view(again, source=LANDINGS), [first])
    assert [each.feature for each in told] == ["@again.a"]


def test_the_same_text_of_another_arrival_is_another_feature():
    first = view(weather_view(view="first"))
    hourly = view(weather_view(view="second", arrival=None, every="1h"))
    assert equivalents(hourly, [first]) == []


def test_a_view_that_says_one_thing_twice_is_told_of_itself():
    twice = view(weather_view(features={"a": "wind", "b": "wind"}))
    assert [each.same_as for each in equivalents(twice, [])] == ["@weather.a"]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"words": "windy"}, ["@weather.windy"]),
        ({"words": "gusts start"}, ["@weather.windy"]),
        ({"words": "wind", "tag": "meteo"}, ["@weather.wind", "@weather.windy"]),
        ({"words": "nothing"}, []),
        ({"used_by": "late"}, ["@weather.wind"]),
        ({"used_by": "front"}, ["@weather.wind"]),
        ({"deprecated": True}, ["@weather.sky"]),
        ({"words": "SPREAD"}, ["@delays.spread_3h"]),
    ],
)
def test_features_are_found_by_word_tag_and_use(found, asked, answer):
    assert names(search(found, **asked)) == answer


def test_what_nobody_uses_is_listed(found):
    assert "@weather.windy" in names(search(found, unused=True))
    assert "@weather.wind" not in names(search(found, unused=True))


def test_a_name_is_found_with_and_without_its_sign(found):
    assert named(found, "weather.wind") is named(found, "@weather.wind")
    with pytest.raises(NotFoundError, match=r"TD-FEATURE-017.*'weather.wind'"):
        named(found, "weather.wint")


@pytest.mark.parametrize("key", ["notes", "deprecated"])
def test_words_on_a_feature_that_is_not_there_are_refused(key):
    with pytest.raises(DefinitionError, match=rf"TD-FEATURE-001.*`{key}` speaks of 'wint'.*'wind'"):
        check_definition(msgspec.structs.replace(weather_view(), **{key: {"wint": "x"}}))


def test_words_do_not_change_what_a_view_computes():
    told = weather_view(tags=["meteo"], notes={"wind": "knots"}, deprecated="gone")
    assert view(told).digest == view(weather_view()).digest
