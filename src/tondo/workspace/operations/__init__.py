"""The table of operations: one row per verb, the truth for REST, OpenAPI, client and CLI.

Comes in: nothing. Goes out: `OPERATIONS` and `operation`; a file for each part of the house.
Holds: parameters are those of the `Workspace` verb that a row names, read from its typed signature
(signatures.py), so nothing is written twice; no facade and no stage is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import NotFoundError, near
from tondo.workspace.operations.batches import BATCHES
from tondo.workspace.operations.data import DATA
from tondo.workspace.operations.deployment import DEPLOYMENT
from tondo.workspace.operations.features import FEATURES
from tondo.workspace.operations.live import LIVE
from tondo.workspace.operations.models import MODELS
from tondo.workspace.operations.monitoring import MONITORING
from tondo.workspace.operations.project import PROJECT
from tondo.workspace.operations.rollouts import ROLLOUTS
from tondo.workspace.operations.schemas import SCHEMAS
from tondo.workspace.operations.serving import SERVING
from tondo.workspace.operations.statistics import STATISTICS

if TYPE_CHECKING:
    from tondo.workspace.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *DATA,
    *STATISTICS,
    *SCHEMAS,
    *BATCHES,
    *FEATURES,
    *MODELS,
    *DEPLOYMENT,
    *LIVE,
    *SERVING,
    *ROLLOUTS,
    *MONITORING,
    *PROJECT,
)


def operation(name: str) -> Operation:
    """Return the operation called `name`.

    >>> operation("dataset.commits").http
    ('GET', '/v1/datasets/{dataset}/commits')
    """
    for each in OPERATIONS:
        if each.name == name:
            return each
    raise NotFoundError(
        "TD-API-001",
        f"there is no operation '{name}'",
        fix=near(name, [each.name for each in OPERATIONS]),
        name=name,
    )
