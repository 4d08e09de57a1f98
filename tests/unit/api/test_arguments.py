"""Requests become arguments, checked by name and type."""

from __future__ import annotations

from typing import Any

import pytest

from tondo.core.errors import CallerError
from tondo.faces.api.arguments import bind, read_body
from tondo.workspace.signatures import parameters_of


def verb(
    view: str, *, keys: list[str], limit: int = 5, row: dict[str, Any] | None = None
) -> None: ...


PARAMETERS = parameters_of(verb)


def test_texts_are_read_as_the_types_of_the_parameters():
    texts = [("view", "weather"), ("keys", "JFK"), ("keys", "LGA"), ("limit", "7")]
    bound = bind(PARAMETERS, texts=texts, body={})
    assert bound == {"view": "weather", "keys": ["JFK", "LGA"], "limit": 7}


def test_one_text_is_enough_for_a_list():
    assert bind(PARAMETERS, texts=[("view", "w"), ("keys", "JFK")], body={})["keys"] == ["JFK"]


def test_the_body_is_not_read_leniently():
    with pytest.raises(CallerError, match=r"TD-API-005.*'limit'"):
        bind(PARAMETERS, texts=[("view", "w")], body={"keys": [], "limit": "7"})


@pytest.mark.parametrize("texts", [[("veiw", "w")], [("view", "w"), ("kyes", "a")]])
def test_an_unknown_name_is_refused_with_near_names(texts):
    with pytest.raises(CallerError, match=r"TD-API-002.*Did you mean '(view|keys)'"):
        bind(PARAMETERS, texts=texts, body={})


def test_a_missing_name_is_told_with_the_whole_signature():
    with pytest.raises(CallerError, match=r"TD-API-004: 'keys' is missing; expected view: str"):
        bind(PARAMETERS, texts=[("view", "w")], body={})


@pytest.mark.parametrize("data", [b"[]", b"1", b'{"a":', b"\xff"])
def test_a_body_must_be_a_json_object(data):
    with pytest.raises(CallerError, match="TD-API-003"):
        read_body(data, "application/json")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_kind_is_refused(kind):
    with pytest.raises(CallerError, match="TD-API-003"):
        read_body(b"{}", kind)


def test_no_body_is_an_empty_object():
    assert read_body(b"", "") == {}
