"""Feature views are checked before any data is touched."""

import msgspec
import pytest

from airport import LANDINGS, ORIGIN, WEATHER, delays_view, weather_view
from tondo.core.errors import DefinitionError, NotFoundError
from tondo.stages.features.definitions import entity_from, view_from
from tondo.stages.features.views import (
    check_view,
    define_view,
    layout_of,
    read_view,
    signature_of,
)


def check(definition, source=WEATHER, entity=ORIGIN, **options):
    return check_view(definition, entity=entity, source=source, **options)


@pytest.mark.parametrize("field", ["owner", "description", "freshness"])
def test_a_view_without_owner_description_or_freshness_is_refused(field):
    with pytest.raises(DefinitionError, match=f"TD-FEATURE-002.*no {field}"):
        check(weather_view(**{field: " "}))


def test_a_view_without_features_is_refused():
    with pytest.raises(DefinitionError, match="TD-FEATURE-002"):
        check(weather_view(features={}))


def test_an_entity_without_owner_is_refused():
    with pytest.raises(DefinitionError, match="TD-FEATURE-002"):
        entity_from({"entity": "origin", "key": "origin", "description": "An airport."})


def test_an_entity_with_a_number_for_key_is_refused():
    data = {"entity": "o", "key": "o", "type": "double", "owner": "a", "description": "b"}
    with pytest.raises(DefinitionError, match="TD-FEATURE-003"):
        entity_from(data)


def test_an_unknown_field_is_refused_with_near_names():
    with pytest.raises(DefinitionError, match=r"TD-FEATURE-001.*'freshness'"):
        view_from({"view": "weather", "freshnes": "1h"})


@pytest.mark.parametrize("arrival", [{"arrival": None}, {"every": "1h"}])
def test_a_view_says_in_one_way_how_its_rows_arrive(arrival):
    with pytest.raises(DefinitionError, match="TD-FEATURE-004"):
        check(weather_view(**arrival))


def test_windows_and_lookups_do_not_mix():
    features = {"mean": "avg(delay) over 3h", "delay": "delay"}
    with pytest.raises(DefinitionError, match="TD-FEATURE-005"):
        check(delays_view(features=features), source=LANDINGS)


def test_the_word_over_in_a_text_makes_no_window():
    assert check(weather_view(features={"f": "sky = 'over 3h'"})).kind == "lookup"


def test_a_misspelt_column_is_answered_with_near_names():
    with pytest.raises(DefinitionError, match="Did you mean 'wind'"):
        check(weather_view(features={"f": "wnd * 2"}))


def test_an_absent_key_column_is_named():
    entity = msgspec.structs.replace(ORIGIN, key="airport")
    with pytest.raises(DefinitionError, match=r"TD-FEATURE-006.*'airport'"):
        check(weather_view(), entity=entity)


def test_a_key_of_another_type_is_refused():
    entity = msgspec.structs.replace(ORIGIN, type="id")
    with pytest.raises(DefinitionError, match="TD-FEATURE-007"):
        check(weather_view(), entity=entity)


@pytest.mark.parametrize("text", ["fill_mean(wind)", "@other.f"])
def test_a_view_is_computed_from_its_source_alone(text):
    with pytest.raises(DefinitionError):
        check(weather_view(features={"f": text}))


@pytest.mark.parametrize("change", [{"arrival": None, "every": "1h"}, {"ttl": "1h"}])
def test_windows_are_over_pushed_events_without_ttl(change):
    with pytest.raises(DefinitionError, match="TD-FEATURE-009"):
        check(delays_view(**change), source=LANDINGS)


def test_a_column_known_only_after_the_row_counts_is_refused():
    late = msgspec.structs.replace(LANDINGS, known_at={"delay": "settled_at"})
    with pytest.raises(DefinitionError, match=r"TD-KNOWN-002.*'delay'.*'settled_at'"):
        check(delays_view(), source=late)
    fine = msgspec.structs.replace(LANDINGS, known_at={"delay": "recorded_at"})
    assert check(delays_view(), source=fine).kind == "window"


def test_spacing_and_owner_do_not_change_the_digest_but_meaning_does():
    first = check(weather_view(features={"f": "wind*2"}))
    same = check(weather_view(features={"f": " wind  * 2 "}, owner="others"))
    other = check(weather_view(features={"f": "wind * 3"}))
    assert (first.digest == same.digest, first.digest == other.digest) == (True, False)


def test_a_defined_view_is_recorded_and_its_name_follows(ledger):
    first = define_view(weather_view(), entity=ORIGIN, source=WEATHER, ledger=ledger, by="ann")
    assert read_view("weather", ledger=ledger) == first
    second = define_view(weather_view(ttl="3h"), entity=ORIGIN, source=WEATHER, ledger=ledger)
    define_view(weather_view(ttl="3h"), entity=ORIGIN, source=WEATHER, ledger=ledger)
    assert read_view("weather", ledger=ledger) == second
    assert [move.by for move in ledger.history("view/weather")] == ["ann", ""]


def test_an_unknown_view_is_answered_with_near_names(ledger):
    define_view(weather_view(), entity=ORIGIN, source=WEATHER, ledger=ledger)
    with pytest.raises(NotFoundError, match=r"TD-FEATURE-014.*'weather'"):
        read_view("wether", ledger=ledger)


def test_features_of_one_argument_share_what_an_event_keeps():
    layout = layout_of(check(delays_view(), source=LANDINGS))
    assert layout.slot_of["mean_3h"] == layout.slot_of["spread_3h"]
    assert {slot.kind for slot in layout.slots.values()} == {"sum", "present", "value"}
    assert "landed_3h" not in layout.slot_of


def test_a_layout_survives_json():
    layout = layout_of(check(delays_view(), source=LANDINGS))
    assert msgspec.json.decode(msgspec.json.encode(layout), type=type(layout)) == layout


def test_the_signature_names_types():
    assert signature_of(check(weather_view())).features == {
        "sky": "string",
        "wind": "double",
        "windy": "bool",
    }
