"""A model's features are resolved, and refused, without data."""

import pytest

from airport import LANDINGS, ORIGIN, WEATHER, delays_view, weather_view
from tondo.core.errors import DefinitionError
from tondo.stages.features.resolve import resolve_features, resolve_label
from tondo.stages.features.views import check_view

FLIGHTS = {
    "origin": "string",
    "dest": "string",
    "flight": "id",
    "distance": "double",
    "predicted_at": "timestamp",
    "scheduled_at": "timestamp",
    "landed_at": "timestamp",
    "dep_delay": "double",
    "arr_delay": "double",
}
KNOWN_AT = {"dep_delay": "departed_at", "arr_delay": "landed_at", "distance": "predicted_at"}
VIEWS = {
    "weather": check_view(weather_view(), entity=ORIGIN, source=WEATHER),
    "delays": check_view(delays_view(), entity=ORIGIN, source=LANDINGS),
}


def resolve(**features):
    return resolve_features(
        features, columns=FLIGHTS, views=VIEWS, known_at=KNOWN_AT, time="predicted_at"
    )


def test_view_features_become_columns_and_their_keys_inputs():
    found = resolve(wind="coalesce(@weather.wind, 0)", there="@weather.wind[dest]", far="distance")
    assert found.inputs == {"dest": "string", "distance": "double", "origin": "string"}
    assert found.view_features == [
        ("@weather.wind[origin]", "weather", "wind", "origin"),
        ("@weather.wind[dest]", "weather", "wind", "dest"),
    ]
    assert found.features["there"].name == "@weather.wind[dest]"


def test_a_column_known_only_later_is_refused_naming_when_and_what_to_do():
    with pytest.raises(DefinitionError) as refusal:
        resolve(late="dep_delay > 15")
    assert refusal.value.code == "TD-KNOWN-001"
    assert refusal.value.fields == {
        "column": "dep_delay",
        "known_at": "departed_at",
        "time": "predicted_at",
        "feature": "late",
    }
    assert "feature view" in refusal.value.fix


def test_a_column_known_at_the_prediction_s_own_time_is_fine():
    assert resolve(far="distance").inputs == {"distance": "double"}


def test_a_key_known_only_later_is_refused():
    with pytest.raises(DefinitionError, match="TD-KNOWN-001"):
        resolve_features(
            {"f": "@weather.wind[dest]"},
            columns=FLIGHTS,
            views=VIEWS,
            known_at={"dest": "landed_at"},
            time="predicted_at",
        )


def test_a_key_of_another_type_is_refused():
    with pytest.raises(DefinitionError, match=r"TD-FEATURE-007.*'flight'"):
        resolve(f="@weather.wind[flight]")


def test_a_misspelt_feature_of_a_view_is_answered_with_near_names():
    with pytest.raises(DefinitionError, match="'wind'"):
        resolve(f="@weather.wnd")


def test_a_time_that_is_no_timestamp_is_refused():
    with pytest.raises(DefinitionError, match="TD-FEATURE-010"):
        resolve_features({"f": "distance"}, columns=FLIGHTS, views={}, known_at={}, time="distance")


def test_the_label_may_read_what_is_known_later():
    assert resolve_label("arr_delay > 15", columns=FLIGHTS).type == "bool"


def test_a_label_that_is_text_is_refused():
    with pytest.raises(DefinitionError, match="TD-FEATURE-011"):
        resolve_label("origin", columns=FLIGHTS)
