import pytest

from tondo.core.errors import DefinitionError
from tondo.stages.data.definitions import check_columns, parse_derived, parse_source


def test_a_source_is_read_from_a_plain_dictionary():
    source = parse_source({"source": "flights", "path": "f.csv", "columns": {"flight": "id"}})
    assert (source.name, source.path, source.columns) == ("flights", "f.csv", {"flight": "id"})


def test_an_unknown_key_is_refused_with_the_file_and_a_near_key():
    with pytest.raises(DefinitionError, match=r"TD-DATA-001.*data.yaml:3.*'event_tme'") as caught:
        parse_source({"source": "flights", "event_tme": "at"}, origin="data.yaml:3")
    assert "'event_time'" in caught.value.fix


def test_a_value_of_the_wrong_kind_is_refused_naming_its_key():
    with pytest.raises(DefinitionError, match=r"TD-DATA-001.*key.*Expected `array`"):
        parse_source({"source": "flights", "key": "flight_id"})


def test_a_missing_key_is_named():
    with pytest.raises(DefinitionError, match=r"missing required field `inputs`"):
        parse_derived({"dataset": "landings", "sql": "select 1 as one"})


def test_an_unknown_type_is_refused_naming_the_column():
    with pytest.raises(DefinitionError, match=r"TD-CORE-005.*columns\.delay"):
        parse_source({"source": "flights", "columns": {"delay": "dubble"}})


def test_a_name_that_could_be_a_path_is_refused():
    with pytest.raises(DefinitionError, match=r"TD-CORE-006"):
        parse_source({"source": "../flights"})


def test_a_rowwise_data_set_has_one_input():
    body = {"dataset": "d", "inputs": ["a", "b"], "sql": "select 1", "rowwise": True}
    with pytest.raises(DefinitionError, match=r"TD-DATA-014"):
        parse_derived(body)


def test_a_named_column_that_the_data_lacks_is_refused_with_near_names():
    source = parse_source({"source": "flights", "known_at": {"dep_delya": "landed_at"}})
    with pytest.raises(DefinitionError, match=r"TD-DATA-006.*dep_delya") as caught:
        check_columns(source, {"dep_delay": "double", "landed_at": "timestamp"})
    assert "'dep_delay'" in caught.value.fix


def test_a_time_column_must_be_a_timestamp():
    source = parse_source({"source": "flights", "event_time": "hour"})
    with pytest.raises(DefinitionError, match=r"TD-DATA-006.*double"):
        check_columns(source, {"hour": "double"})
