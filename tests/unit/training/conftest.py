from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.libraries.lightgbm.train import LightGBMLibrary
from tondo.adapters.libraries.sklearn.train import SklearnLibrary
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.adapters.runtimes.onnx.runtime import OnnxLoader
from tondo.language.check import ViewSignature, check
from tondo.language.parse import parse
from tondo.language.rows import compile_rows
from tondo.language.walk import bind_views
from tondo.ledger.ledger import Ledger
from tondo.scoring.layout import ViewLayout
from tondo.stages.evaluation.metrics import binary_metrics
from tondo.stages.features.resolve import ResolvedFeatures
from tondo.stages.training.job import Tools
from tondo.stages.training.samples import plain_rows
from tondo.stages.training.spec import ModelSpec, Split
from tondo.stages.training.train import train

DAY_US = 86_400_000_000
START_US = 1_364_774_400_000_000
COLUMNS = {"distance": "double", "carrier": "string", "night": "bool", "origin": "string"}
WIND = "@weather.wind[origin]"
FEATURES = {
    "distance": "fill_mean(distance)",
    "carrier": "vocab(carrier, 3)",
    "night": "night",
    "wind": "@weather.wind",
}
WEATHER = {
    "weather": ViewLayout(
        view="weather",
        version="00000001",
        kind="lookup",
        entity="origin",
        key="origin",
        key_type="string",
        features={"wind": "double"},
        freshness_us=3_600_000_000,
    )
}


class RowEngine:
    """Evaluates row by row with the row compiler: the plain twin of a batch engine."""

    def scan(self, table, columns=None):
        return table if columns is None else table.select(list(columns))

    def evaluate(self, expressions, table, *, keep=()):
        rows = plain_rows(table)
        values = map(compile_rows(expressions), rows)
        columns = list(zip(*values, strict=True)) or [()] * len(expressions)
        made = {
            name: pa.array(list(column), _arrow(node.type))
            for (name, node), column in zip(expressions.items(), columns, strict=True)
        }
        return pa.table({**{name: table.column(name) for name in keep}, **made})


def _arrow(kind):
    types = {"double": pa.float64(), "bool": pa.bool_(), "string": pa.string()}
    return {**types, "list<string>": pa.list_(pa.string())}[kind]


def flights(rows=2000, seed=5):
    """A table as a training set holds it: later rows are later in time, some values are null."""
    draw = np.random.default_rng(seed)
    distance = draw.uniform(100, 2500, rows)
    wind = draw.normal(8, 4, rows)
    carriers = draw.choice(["AA", "B6", "UA", "WN"], rows, p=[0.4, 0.3, 0.2, 0.1])
    signal = 0.15 * (wind - 8) + 1.2 * (carriers == "UA") - 1.2
    late = draw.random(rows) < 1 / (1 + np.exp(-signal))
    times = START_US + np.arange(rows) * (60 * DAY_US // rows)
    return pa.table(
        {
            "flight": pa.array([f"f{at}" for at in range(rows)]),
            "scored_at": pa.array(times, pa.timestamp("us", tz="UTC")),
            "@label": pa.array(late, mask=draw.random(rows) < 0.02),
            "distance": pa.array(distance, mask=draw.random(rows) < 0.05),
            "carrier": pa.array(carriers),
            "origin": pa.array(draw.choice(["EWR", "JFK"], rows)),
            "night": pa.array(draw.random(rows) < 0.3),
            WIND: pa.array(wind, mask=draw.random(rows) < 0.1),
        }
    )


def resolved(features=None):
    """The features as the features stage resolves them, one of them fetched from a view."""
    signature = ViewSignature(
        view="weather", entity="origin", key="origin", features={"wind": "double"}
    )
    trees = {
        name: bind_views(
            check(parse(text), COLUMNS, views={"weather": signature}), {"weather": signature}
        )
        for name, text in (features or FEATURES).items()
    }
    return ResolvedFeatures(
        features=trees, inputs=dict(COLUMNS), view_features=[(WIND, "weather", "wind", "origin")]
    )


def model_spec(**changes):
    settings = {
        "model": "late",
        "source": "flights",
        "label": "arr_delay > 15",
        "time": "scored_at",
        "row_id": "flight",
        "features": dict(FEATURES),
        "algorithm": "logistic",
        "split": Split(validation="14d"),
        "threshold": 0.3,
        "owner": "ops",
    }
    return ModelSpec(**{**settings, **changes})


@pytest.fixture
def clock():
    return ManualClock(START_US)


@pytest.fixture
def tools(clock):
    return Tools(
        engine=RowEngine(),
        blobs=MemoryBlobs(),
        ledger=Ledger.open("sqlite://", clock=clock),
        libraries={"sklearn": SklearnLibrary(), "lightgbm": LightGBMLibrary()},
        runtimes={"onnx": OnnxLoader(), "lightgbm": LightGBMLoader()},
        clock=clock,
        threads=1,
        measure=binary_metrics,
    )


@pytest.fixture
def training_set(tools):
    tools.ledger.put("training_set", "ts1", {"rows": 2000})
    return SimpleNamespace(
        id="ts1", name="late", time="scored_at", label="@label", rows=2000, label_known_early=0
    )


@pytest.fixture
def trained(tools, training_set):
    def run(spec, table=None, **more):
        rows = flights() if table is None else table
        given = {"resolved": resolved(), "layouts": WEATHER, "tools": tools, **more}
        return train(spec, training_set, rows, **given)

    return run
