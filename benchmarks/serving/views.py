"""The same forest, half of whose values are read online: three views of five features in LMDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.serving.forest import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = ("fleet", "weather", "airport")
FEATURES = 5
SENT = COLUMNS[: -len(VIEWS) * FEATURES]
ENTITIES = 10_000


def place_of(view: int, feature: int) -> int:
    """Return the place among the columns of a view's feature."""
    return len(SENT) + view * FEATURES + feature


def body(place: int, row: list[float]) -> Any:
    """Return the request for a row: its own columns and a key for each view."""
    keys = {f"{view}_key": f"entity-{place}" for view in VIEWS}
    return {"rows": [{**dict(zip(SENT, row, strict=False)), **keys}]}


def make_root(folder: Path) -> None:
    """Write `views/`: a plan, its package, and an online store with the rows' values."""
    from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
    from tondo.adapters.online.lmdb.store import LmdbStore
    from tondo.core.canonical import digest_bytes
    from tondo.language.tree import Column
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.online import lookup_key, pack_lookup
    from tondo.scoring.package import PackageContents, Sample, seal
    from tondo.scoring.plan import (
        PlannedDeployment,
        PlannedVariant,
        PlanPointer,
        ServingPlan,
        encode_plan,
        write_pointer,
    )

    known = json.loads((folder / "rows.json").read_text())
    names = [f"f{at}" for at in range(FEATURES)]
    layouts = {
        view: ViewLayout(
            view=view,
            version=f"{at:08d}",
            kind="lookup",
            entity=view,
            key=f"{view}_key",
            key_type="string",
            features=dict.fromkeys(names, "double"),
            freshness_us=3_600_000_000,
        )
        for at, view in enumerate(VIEWS)
    }
    root = folder / "views"
    store = LmdbStore(root / "online")
    store.put_many(
        (
            lookup_key(layout, f"entity-{entity}", 1_700_000_000_000_000),
            pack_lookup(
                layout,
                1_700_000_000_000_000,
                {
                    name: known["rows"][entity % len(known["rows"])][place_of(view, at)]
                    for at, name in enumerate(names)
                },
            ),
        )
        for view, layout in enumerate(layouts.values())
        for entity in range(ENTITIES)
    )
    store.close()
    fetched = [
        (f"@{view}.{name}[{view}_key]", view, name, f"{view}_key")
        for view in VIEWS
        for name in names
    ]
    columns = [*SENT, *(each[0] for each in fetched)]
    row = known["rows"][0]
    package = seal(
        PackageContents(
            name="forest",
            task="binary",
            algorithm="lightgbm",
            runtime="lightgbm",
            extra="lightgbm",
            inputs={
                **dict.fromkeys(SENT, "double"),
                **{f"{view}_key": "string" for view in VIEWS},
            },
            features={f"x{at}": Column(name, "double") for at, name in enumerate(columns)},
            views=layouts,
            view_features=fetched,
            threshold=0.5,
            files={"model.txt": (folder / "model.txt").read_bytes()},
            samples=[
                Sample(
                    row=dict(zip(columns, row, strict=True)), vector=row, score=known["scores"][0]
                )
            ],
        )
    )
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
        views=layouts,
    )
    digest = blobs.put(encode_plan(plan))
    write_pointer(root / "serving" / "pointer.json", PlanPointer(number=1, digest=digest))
