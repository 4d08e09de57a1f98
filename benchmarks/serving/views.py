"""The same forest, half of whose values are read online: three views of five features in LMDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.serving.forest import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from tondo.scoring.layout import ViewLayout

VIEWS = ("fleet", "weather", "airport")
FEATURES = 5
SENT = COLUMNS[: -len(VIEWS) * FEATURES]
NAMES = [f"f{at}" for at in range(FEATURES)]
ENTITIES = 10_000
AT_US = 1_700_000_000_000_000
"""When every value was written."""


def place_of(view: int, feature: int) -> int:
    """Return the place among the columns of a view's feature."""
    return len(SENT) + view * FEATURES + feature


def body(place: int, row: list[float]) -> Any:
    """Return the request for a row: its own columns and a key for each view."""
    keys = {f"{view}_key": f"entity-{place}" for view in VIEWS}
    return {"rows": [{**dict(zip(SENT, row, strict=False)), **keys}]}


def layouts() -> dict[str, ViewLayout]:
    """Return how the values of each view lie in the store."""
    from tondo.scoring.layout import ViewLayout

    return {
        view: ViewLayout(
            view=view,
            version=f"{at:08d}",
            kind="lookup",
            entity=view,
            key=f"{view}_key",
            key_type="string",
            features=dict.fromkeys(NAMES, "double"),
            freshness_us=3_600_000_000,
        )
        for at, view in enumerate(VIEWS)
    }


def make_root(folder: Path) -> None:
    """Write `views/`: a plan, its package, and an online store with the rows' values."""
    from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
    from tondo.core.canonical import digest_bytes
    from tondo.scoring.plan import (
        PlannedDeployment,
        PlannedVariant,
        PlanPointer,
        ServingPlan,
        encode_plan,
        write_pointer,
    )

    known = json.loads((folder / "rows.json").read_text())
    root = folder / "views"
    fill_store(root / "online", known["rows"])
    package = sealed((folder / "model.txt").read_bytes(), known["rows"][0], known["scores"][0])
    blobs = ObstoreBlobs(root / "blobs")
    blobs.put(package)
    variant = PlannedVariant(
        name="live",
        weight=1.0,
        model="forest",
        version=1,
        model_version_id="views-1",
        package=digest_bytes(package),
    )
    plan = ServingPlan(
        number=1,
        published_at_us=0,
        deployments={"forest": PlannedDeployment(name="forest", variants=[variant])},
        views=layouts(),
    )
    digest = blobs.put(encode_plan(plan))
    write_pointer(root / "serving" / "pointer.json", PlanPointer(number=1, digest=digest))


def fill_store(place: Path, rows: list[list[float]]) -> None:
    """Write the values of every entity: those of the rows, one after the other."""
    from tondo.adapters.online.lmdb.store import LmdbStore
    from tondo.scoring.online import lookup_key, pack_lookup

    def values(entity: int, view: int) -> dict[str, float]:
        row = rows[entity % len(rows)]
        return {name: row[place_of(view, at)] for at, name in enumerate(NAMES)}

    store = LmdbStore(place)
    store.put_many(
        (
            lookup_key(layout, f"entity-{entity}", AT_US),
            pack_lookup(layout, AT_US, values(entity, view)),
        )
        for view, layout in enumerate(layouts().values())
        for entity in range(ENTITIES)
    )
    store.close()


def sealed(model: bytes, row: list[float], score: float) -> bytes:
    """Return the package of a model text, with one row and its score."""
    from tondo.language.tree import Column
    from tondo.scoring.package import PackageContents, Sample, seal

    fetched = [
        (f"@{view}.{name}[{view}_key]", view, name, f"{view}_key")
        for view in VIEWS
        for name in NAMES
    ]
    columns = [*SENT, *(each[0] for each in fetched)]
    keys = {f"{view}_key": "string" for view in VIEWS}
    return seal(
        PackageContents(
            name="forest",
            task="binary",
            algorithm="lightgbm",
            runtime="lightgbm",
            extra="lightgbm",
            inputs={**dict.fromkeys(SENT, "double"), **keys},
            features={f"x{at}": Column(name, "double") for at, name in enumerate(columns)},
            views=layouts(),
            view_features=fetched,
            threshold=0.5,
            files={"model.txt": model},
            samples=[Sample(row=dict(zip(columns, row, strict=True)), vector=row, score=score)],
        )
    )
