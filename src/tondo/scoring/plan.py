"""The serving plan: what the control plane wants served, as one immutable value.

Comes in: the plan's blob, named by the pointer file. Goes out: which variant answers which row.
Holds: a pointer is replaced whole, its number only grows, and a row's variant depends on nothing
but the plan and the row's key.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError, NotFoundError, near
from tondo.ports.services import ServiceSettings
from tondo.scoring.layout import ViewLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LogMode = Literal["written", "synced", "sampled", "off"]

BUCKETS = 10_000
"""Weights are honoured to one hundredth of a percent."""


class PlannedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """One model version as it is served."""

    name: str
    weight: float
    """Share of the traffic, 0 to 1; 0 for what is reachable by name only."""
    model: str
    version: int
    model_version_id: str
    tags: list[str] = []
    package: str
    """Digest of the sealed package."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: rows with one of these values go to one variant, whatever the weights say."""

    column: str | None = None
    """Request column that is looked at; None for the key that also picks the bucket."""
    values: list[str | int | float | bool]
    variant: str
    """Name of the variant that answers."""


class PlannedDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """One name that callers use, and which versions answer under it."""

    name: str
    variants: list[PlannedVariant]
    buckets: list[tuple[int, str]] = []
    """Who answers which buckets: (first bucket that is not the variant's any more, its name),
    growing up to `BUCKETS`. Empty: by weight, in the order of `variants`."""
    targets: list[Target] = []
    """Rules that beat the weights; the first that fits decides."""
    salt: str = ""
    """Changed to deal the keys anew."""
    sticky: str | None = None
    """Request column whose value picks the variant; the prediction id when None."""
    as_of: Literal["server", "caller"] = "server"
    purpose: Literal["live", "staging"] = "live"
    """Why callers ask who say nothing of it; live metrics count `live` alone."""
    log_mode: LogMode = "written"
    sample_rate: float = 0.1
    """Share of requests logged when `log_mode` is `sampled`."""
    addressable: list[PlannedVariant] = []
    """Other versions, reachable by number, id or tag."""
    isolate: Literal["none", "process"] = "none"
    """`process`: its models are loaded and run in a process of their own."""
    memory_mb: int | None = None
    """Most memory of that process in MB; None for no limit."""


class ServingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the scorers serve."""

    number: int
    published_at_us: int
    deployments: dict[str, PlannedDeployment]
    views: dict[str, ViewLayout] = {}
    services: dict[str, ServiceSettings] = {}
    """View to the outside service that is asked for its features."""


class PlanPointer(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the pointer file."""

    number: int
    digest: str


def encode_plan(plan: ServingPlan) -> bytes:
    """Return the plan's blob."""
    return canonical_json(plan)


def decode_plan(data: bytes) -> ServingPlan:
    """Read a plan's blob; TD-PLAN-001 when it is none."""
    try:
        return msgspec.json.decode(data, type=ServingPlan)
    except msgspec.DecodeError as error:
        raise DataError(
            "TD-PLAN-001",
            f"the serving plan cannot be read: {error}",
            expected="a plan as the deployment stage publishes it",
            fix="Publish the plan again: tondo deployment publish.",
        ) from None


def write_pointer(path: Path, pointer: PlanPointer) -> None:
    """Replace the pointer file in one step, durable when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(canonical_json(pointer))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_pointer(path: Path) -> PlanPointer | None:
    """Return the pointer, or None when none was published yet; TD-PLAN-002 when damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlanPointer)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DataError(
            "TD-PLAN-002",
            f"the pointer file {path} cannot be read: {error}",
            expected='{"digest": ..., "number": ...}',
            fix="Publish the plan again: tondo deployment publish.",
            path=str(path),
        ) from None


def choose(
    deployment: PlannedDeployment, key: str, row: Mapping[str, object] | None = None
) -> PlannedVariant:
    """Return the variant that answers for `key`: a target's, or that of the key's bucket.

    >>> live = PlannedVariant(name="live", weight=1.0, model="late", version=1,
    ...     model_version_id="v1", package="0")
    >>> choose(PlannedDeployment(name="late", variants=[live]), "any").name
    'live'
    """
    variants = deployment.variants
    if len(variants) == 1:
        return variants[0]
    target = target_of(deployment, key, row) if deployment.targets else None
    if target is not None:
        return _named(deployment, target.variant)
    return _named(deployment, variant_of_bucket(deployment, bucket_of(deployment, key)))


def bucket_of(deployment: PlannedDeployment, key: str) -> int:
    """Return the bucket of a key: BLAKE2b(salt + key) mod 10 000."""
    text = (deployment.salt + key).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) % BUCKETS


def variant_of_bucket(deployment: PlannedDeployment, bucket: int) -> str:
    """Return the name of the variant that answers a bucket."""
    for end, name in ends_of(deployment):
        if bucket < end:
            return name
    return next(each.name for each in reversed(deployment.variants) if each.weight > 0)


def ends_of(deployment: PlannedDeployment) -> list[tuple[int, str]]:
    """Return the first bucket that is not a variant's any more, with its name, growing."""
    return deployment.buckets or buckets_by_weight(deployment.variants)


def buckets_by_weight(variants: Sequence[PlannedVariant]) -> list[tuple[int, str]]:
    """Return the buckets that weights give, in the order of `variants`.

    >>> live = PlannedVariant(name="live", weight=0.9, model="late", version=1,
    ...     model_version_id="v1", package="0")
    >>> buckets_by_weight([live, msgspec.structs.replace(live, name="candidate", weight=0.1)])
    [(9000, 'live'), (10000, 'candidate')]
    """
    reached, ends = 0.0, []
    for variant in variants:
        reached += variant.weight
        ends.append((round(reached * BUCKETS), variant.name))
    return ends


def target_of(
    deployment: PlannedDeployment, key: str, row: Mapping[str, object] | None
) -> Target | None:
    """Return the first rule that fits a row and its key, or None."""
    for target in deployment.targets:
        value = key if target.column is None else None if row is None else row.get(target.column)
        if value in target.values:
            return target
    return None


def _named(deployment: PlannedDeployment, name: str) -> PlannedVariant:
    return next(each for each in deployment.variants if each.name == name)


def addressed(deployment: PlannedDeployment, reference: str) -> PlannedVariant:
    """Return the version that a number, id, tag or variant name reaches, else TD-PLAN-003."""
    for variant in _every(deployment):
        if reference in {str(variant.version), variant.model_version_id, variant.name}:
            return variant
    for variant in _every(deployment):
        if reference in variant.tags:
            return variant
    choices = [str(each.version) for each in _every(deployment)]
    choices += [tag for each in _every(deployment) for tag in each.tags]
    raise NotFoundError(
        "TD-PLAN-003",
        f"deployment '{deployment.name}' serves no version '{reference}'",
        expected="a version's number, id or tag",
        fix=near(reference, choices),
        deployment=deployment.name,
        version=reference,
    )


def deployment_of(plan: ServingPlan, name: str) -> PlannedDeployment:
    """Return a deployment by name, else TD-PLAN-004 with what there is."""
    found = plan.deployments.get(name)
    if found is None:
        raise NotFoundError(
            "TD-PLAN-004",
            f"no deployment '{name}' is served here",
            fix=near(name, plan.deployments),
            deployment=name,
        )
    return found


def _every(deployment: PlannedDeployment) -> Iterator[PlannedVariant]:
    yield from deployment.variants
    yield from deployment.addressable


def packages_of(plan: ServingPlan) -> set[str]:
    """Return the digests of all packages the plan needs."""
    return {variant.package for each in plan.deployments.values() for variant in _every(each)}
