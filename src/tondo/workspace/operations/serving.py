"""Operations on consumers: shadows."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_SHADOWS = "/v1/deployments/{deployment}/shadows"

SERVING: tuple[Operation, ...] = (
    write(
        "shadow.start",
        "shadows.start",
        _SHADOWS,
        "Let a version score what is asked of a deployment, and answer nobody.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.stop",
        "shadows.stop",
        f"{_SHADOWS}/{{version}}/stop",
        "Let a shadow score no longer; show what it scored beside production.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.run",
        "shadows.run",
        f"{_SHADOWS}/{{version}}/runs",
        "Score at once what was asked and not scored by a shadow yet.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.report",
        "shadows.report",
        f"{_SHADOWS}/{{version}}/reports",
        "Compare what a shadow scored with production, and keep the report.",
        present="shadow.list",
    ),
    read("shadow.list", "shadows.shadows", "/v1/shadows", "List shadows."),
)
