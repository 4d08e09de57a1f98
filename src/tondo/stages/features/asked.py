"""Asked views: a service gives the values, and the source is the history of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.durations import parse_duration_us
from tondo.core.errors import CallerError, DefinitionError, near, placed
from tondo.language.tree import Column
from tondo.language.values import READERS
from tondo.ports.services import ServiceSettings
from tondo.scoring.asked import DEFAULTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.language.tree import Node
    from tondo.stages.features.definitions import FeatureViewDefinition
    from tondo.stages.features.views import FeatureView, SourceTimes


def check_asked(
    definition: FeatureViewDefinition, source: SourceTimes, lookups: Mapping[str, Node]
) -> None:
    """Refuse a view whose history cannot hold what a service answers, or that has bad defaults."""
    plain = all(
        isinstance(lookups.get(name), Column) and name != DEFAULTED for name in definition.features
    )
    if not plain or source.event_time is None:
        raise DefinitionError(
            "TD-FEATURE-090",
            f"the asked view '{definition.view}' does not name columns of its history",
            expected="a source with an event time, and features that are its columns, each a"
            f" feature as the service answers it; none named '{DEFAULTED}'",
            fix="Write `features: {speed: speed}`; compute with it in the model.",
            view=definition.view,
        )
    assert definition.service is not None
    for name, value in definition.service.defaults.items():
        if name not in lookups:
            raise DefinitionError(
                "TD-FEATURE-091",
                f"view '{definition.view}' has a default for '{name}', which it does not have",
                fix=near(name, lookups),
            )
        with placed(f"view '{definition.view}': the default of '{name}'"):
            READERS[lookups[name].type](value, name)


def service_of(view: FeatureView) -> ServiceSettings:
    """Return how the service of an asked view is asked."""
    service = view.definition.service
    assert service is not None
    defaults = {
        name: None if value is None else READERS[view.types[name]](value, name)
        for name, value in service.defaults.items()
    }
    return ServiceSettings(
        view=view.name,
        url=service.url,
        timeout_us=parse_duration_us(service.timeout),
        failures=service.failures,
        pause_us=parse_duration_us(service.pause),
        token_env=service.token_env,
        defaults=defaults,
    )


def refuse_asked(view: FeatureView, what: str) -> None:
    """Raise TD-FEATURE-093 when nothing of a view can be put into the online store."""
    if view.asked:
        raise CallerError(
            "TD-FEATURE-093",
            f"view '{view.name}' cannot be {what}: a service is asked for its values",
            expected="a view with `every:` or `arrival: pushed`",
            fix=f"`tondo view collect {view.name}` makes its logged answers its history.",
            view=view.name,
        )
