"""`Workspace`: a project opened, with its verbs grouped by stage."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.verbs.batches import BatchVerbs
    from tondo.workspace.verbs.data import DataVerbs
    from tondo.workspace.verbs.deployment import DeploymentVerbs
    from tondo.workspace.verbs.features import FeatureVerbs
    from tondo.workspace.verbs.flow import FlowVerbs
    from tondo.workspace.verbs.live import LiveVerbs
    from tondo.workspace.verbs.monitoring import MonitoringVerbs
    from tondo.workspace.verbs.preparation import PreparationVerbs
    from tondo.workspace.verbs.registry import RegistryVerbs
    from tondo.workspace.verbs.replays import ReplayVerbs
    from tondo.workspace.verbs.retraining import RetrainingVerbs
    from tondo.workspace.verbs.rollouts import RolloutVerbs
    from tondo.workspace.verbs.schemas import SchemaVerbs
    from tondo.workspace.verbs.scoring import ScoringVerbs
    from tondo.workspace.verbs.shadows import ShadowVerbs
    from tondo.workspace.verbs.snapshots import SnapshotVerbs
    from tondo.workspace.verbs.statistics import StatisticsVerbs
    from tondo.workspace.verbs.streams import StreamVerbs
    from tondo.workspace.verbs.training import TrainingVerbs


class Workspace:
    """A project and its state. `tondo.open(path)` makes one; a process may hold many.

    The verbs stand where the way of the data puts them:
    `data`, `snapshots`, `statistics`, `schemas`, `batches`, `preparation`, `features`,
    `training`, `registry`, `deployment`, `live`, `scoring`, `shadows`, `rollouts`, `streams`,
    `monitoring`, `retraining`, `flow`.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @cached_property
    def data(self) -> DataVerbs:
        """Sources, snapshots, their statistics, checks and tracked anomalies, SQL."""
        from tondo.workspace.verbs.data import DataVerbs

        return DataVerbs(self.parts)

    @cached_property
    def snapshots(self) -> SnapshotVerbs:
        """Branches and tags of datasets, equal rows, removal."""
        from tondo.workspace.verbs.snapshots import SnapshotVerbs

        return SnapshotVerbs(self.parts)

    @cached_property
    def statistics(self) -> StatisticsVerbs:
        """Statistics of slices, of pairs of columns, of what changed."""
        from tondo.workspace.verbs.statistics import StatisticsVerbs

        return StatisticsVerbs(self.parts, self.data)

    @cached_property
    def schemas(self) -> SchemaVerbs:
        """History, differences, edits and suggestions of schemas."""
        from tondo.workspace.verbs.schemas import SchemaVerbs

        return SchemaVerbs(self.parts, self.data)

    @cached_property
    def batches(self) -> BatchVerbs:
        """Files that arrive: what they are compared with, and the door that they come through."""
        from tondo.workspace.verbs.batches import BatchVerbs

        return BatchVerbs(self.parts)

    @cached_property
    def preparation(self) -> PreparationVerbs:
        """Expressions by example, what cleaning did, the quality of labels."""
        from tondo.workspace.verbs.preparation import PreparationVerbs

        return PreparationVerbs(self.parts, self.data)

    @cached_property
    def features(self) -> FeatureVerbs:
        """Entities, feature views, materialisation, push, online reads."""
        from tondo.workspace.verbs.features import FeatureVerbs

        return FeatureVerbs(self.parts)

    @cached_property
    def training(self) -> TrainingVerbs:
        """Training sets, runs, reports, gates."""
        from tondo.workspace.verbs.training import TrainingVerbs

        return TrainingVerbs(self.parts)

    @cached_property
    def registry(self) -> RegistryVerbs:
        """Model versions and their tags."""
        from tondo.workspace.verbs.registry import RegistryVerbs

        return RegistryVerbs(self.parts)

    @cached_property
    def deployment(self) -> DeploymentVerbs:
        """Deployments, shares of traffic, roll back, the serving plan."""
        from tondo.workspace.verbs.deployment import DeploymentVerbs

        return DeploymentVerbs(self.parts)

    @cached_property
    def live(self) -> LiveVerbs:
        """What runs now: scorers, rates, the page of a deployment, one row explained."""
        from tondo.workspace.verbs.live import LiveVerbs

        return LiveVerbs(self.parts, self.rollouts)

    @cached_property
    def scoring(self) -> ScoringVerbs:
        """Tables scored by every version of a deployment."""
        from tondo.workspace.verbs.scoring import ScoringVerbs

        return ScoringVerbs(self.parts)

    @cached_property
    def shadows(self) -> ShadowVerbs:
        """Versions that score what is asked of a deployment, and answer nobody."""
        from tondo.workspace.verbs.shadows import ShadowVerbs

        return ShadowVerbs(self.parts)

    @cached_property
    def rollouts(self) -> RolloutVerbs:
        """Rollouts: how a candidate gets its traffic, step by step, and what sends it back."""
        from tondo.workspace.verbs.rollouts import RolloutVerbs

        return RolloutVerbs(self.parts)

    @cached_property
    def replays(self) -> ReplayVerbs:
        """Past windows of requests, sent to another version."""
        from tondo.workspace.verbs.replays import ReplayVerbs

        return ReplayVerbs(self.parts)

    @cached_property
    def streams(self) -> StreamVerbs:
        """Events that a deployment scores as they come."""
        from tondo.workspace.verbs.streams import StreamVerbs

        return StreamVerbs(self.parts)

    @cached_property
    def monitoring(self) -> MonitoringVerbs:
        """Predictions, outcomes, live metrics, drift, alerts."""
        from tondo.workspace.verbs.monitoring import MonitoringVerbs

        return MonitoringVerbs(self.parts)

    @cached_property
    def retraining(self) -> RetrainingVerbs:
        """Policies, checks, retraining executions."""
        from tondo.workspace.verbs.retraining import RetrainingVerbs

        return RetrainingVerbs(self.parts)

    @cached_property
    def flow(self) -> FlowVerbs:
        """Executions, lineage, the overview, the doctor."""
        from tondo.workspace.verbs.flow import FlowVerbs

        return FlowVerbs(self.parts)

    def close(self) -> None:
        """Release the ledger, the stores and the engine."""
        self.parts.close()

    def __enter__(self) -> Self:
        """Use in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close at the end of the block."""
        self.close()

    def __repr__(self) -> str:
        """`Workspace(flights at ./flights/.tondo)`."""
        return f"Workspace({self.parts.project.name} at {self.parts.state})"
