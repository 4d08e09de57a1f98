"""A version that scores what another one was asked: with the features as they were logged.

A view feature that both versions read by one definition has its value in the log; the candidate
takes it from there. Where a definition differs, or the live version did not read it, the online
store is read as of the same instant. What outside services answered is never asked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, near
from tondo.scoring.plan import PlannedDeployment
from tondo.scoring.serving import Serving
from tondo.stages.serving.answerer import PathAnswerer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.core.ids import IdSource
    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedVariant
    from tondo.stages.serving.answers import Answered, Purpose, Refused
    from tondo.stages.serving.consumer import Asked


class CandidateAnswerer:
    """Scores logged requests by one version."""

    def __init__(
        self,
        deployment: str,
        variant: PlannedVariant,
        model: LoadedModel,
        *,
        purpose: Purpose,
        online: Callable[[], OnlineStore],
        package_of: Callable[[str], PackageContents],
        clock: Clock,
        ids: IdSource,
    ) -> None:
        """`package_of` gives the package of the version that answered, by its id."""
        contents = model.contents
        planned = PlannedDeployment(name=deployment, variants=[variant], as_of="caller")

        def path(store: OnlineStore | None, carried: frozenset[str]) -> PathAnswerer:
            return PathAnswerer(
                planned,
                [Serving(variant, model, online=store)],
                purpose=purpose,
                clock=clock,
                ids=ids,
                carried=carried,
            )

        self._contents = contents
        self._asked = frozenset(
            each[0] for each in contents.view_features if contents.views[each[1]].asked
        )
        self._package_of = package_of
        self._logged = path(None, frozenset())
        self._path = path
        self._online = online
        self._reading: PathAnswerer | None = None
        self._alike: dict[str, bool] = {}

    def answer(self, asked: Asked) -> list[Answered | Refused]:
        """Return the version's answer to one logged request."""
        assert asked.before is not None
        if self._reads_alike(asked.before.model_version_id):
            return self._logged.answer(asked)
        missing = [name for name in self._asked if any(name not in row for row in asked.rows)]
        if missing:
            return [refusal(asked, _never_asked(min(missing)))]
        if self._reading is None:
            self._reading = self._path(self._online(), self._asked)
        return self._reading.answer(asked)

    def _reads_alike(self, version_id: str) -> bool:
        if version_id not in self._alike:
            unlike = unlike_features(self._contents, self._package_of(version_id))
            self._alike[version_id] = not unlike
        return self._alike[version_id]


def unlike_features(candidate: PackageContents, live: PackageContents) -> list[str]:
    """Return the view features of a candidate whose values the live version's log has not."""
    known = {each[0]: each for each in live.view_features}

    def logged(each: tuple[str, str, str, str]) -> bool:
        _, view, _, key = each
        return (
            known.get(each[0]) == each
            and candidate.views[view].version == live.views[view].version
            and candidate.keys.get(key) == live.keys.get(key)
        )

    return [each[0] for each in candidate.view_features if not logged(each)]


def check_inputs(candidate: PackageContents, live: PackageContents, *, deployment: str) -> None:
    """Refuse a candidate that reads columns which callers do not send yet: TD-SERVING-003."""
    unknown = [name for name in candidate.inputs if name not in live.inputs]
    if unknown:
        raise CallerError(
            "TD-SERVING-003",
            f"the candidate reads '{unknown[0]}', which no logged request of '{deployment}' has",
            expected="a version whose request columns the live version reads too",
            fix=f"{near(unknown[0], live.inputs)} Deploy it under another name, and let callers"
            " send the column there.",
            columns=unknown,
        )


def _never_asked(feature: str) -> CallerError:
    return CallerError(
        "TD-SERVING-002",
        f"{feature} is answered by an outside service, which was not asked for this request",
        expected="the service's answer in the log",
        fix="A version that asks another service cannot be judged by old requests; try a canary.",
        feature=feature,
    )
