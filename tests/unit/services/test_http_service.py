"""A feature service over HTTP is waited for as long as it may be, and no longer."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from feature_service import BAD_MANNERS, Service
from tondo.adapters.services.http.service import HttpFeatureService
from tondo.core.errors import OutsideError
from tondo.ports.services import ServiceSettings


@pytest.fixture(scope="module")
def service():
    found = Service()
    yield found
    found.close()


@pytest.fixture
def asked(service):
    service.behave()
    opened = HttpFeatureService(
        ServiceSettings(view="levels", url=service.url, timeout_us=3_000_000)
    )
    yield opened
    opened.close()


def ask(asked):
    return asked.ask(["phone", "watch"], ["level"], as_of_us=0)


def test_an_answer_is_one_row_a_key_time_after_time(asked):
    answer = [{"level": 0.25}, {"level": None}]
    assert [ask(asked) for _ in range(3)] == [answer] * 3


# Of a wrong type tells who knows the features' types.
MANNERS = [*(each for each in BAD_MANNERS if each != "wrong type"), "drips headers"]


@pytest.mark.parametrize("manner", MANNERS)
def test_a_service_that_misbehaves_is_an_error_and_is_asked_again_afterwards(
    service, asked, manner
):
    service.manner = manner
    with pytest.raises(OutsideError, match="TD-SERVICE-001"):
        ask(asked)
    service.behave()
    assert ask(asked)[0] == {"level": 0.25}
