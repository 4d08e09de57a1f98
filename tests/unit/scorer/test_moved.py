"""A deployment that a new plan has put into a process of its own."""

import pytest

from tondo.core.errors import PlatformError
from tondo.faces.scorer.table import RouteTable
from tondo.faces.web.status import status_of
from tondo.scoring.plan import PlannedDeployment, PlannedVariant, ServingPlan

VARIANT = PlannedVariant(
    name="live", weight=1.0, model="m", version=1, model_version_id="id", package="p"
)


def test_who_waited_for_its_model_here_is_told_to_ask_again():
    moved = PlannedDeployment(name="b", variants=[VARIANT], isolate="process")
    table = RouteTable(ServingPlan(number=1, published_at_us=0, deployments={"b": moved}))
    with pytest.raises(PlatformError, match="TD-SCORER-012.*Send the request again") as error:
        table.unit_of("b")
    assert status_of(error.value) == 503
