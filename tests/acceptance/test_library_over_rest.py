"""A package and an export asked of the control plane: loaded and scored somewhere else."""

import base64
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))

import tondo
from shop import ROW, bring_live, write_shop
from tondo.core.errors import OutsideError
from tondo.faces.api.app import create_app
from tondo.faces.client import Client
from tondo.faces.server.binding import address_of, bind
from tondo.workspace.bootstrap import open_workspace

TOKEN = "a-token-of-sixteen-signs-or-more"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The address of a control plane, and what the workspace itself says."""
    folder = write_shop(tmp_path_factory.mktemp("shop"))
    version = bring_live(folder)
    with open_workspace(folder) as workspace:
        score = workspace.deployment.predict("buys", ROW).predictions[0].score
        export = workspace.registry.export("buys", "1")
    with open_workspace(folder) as workspace:
        listener = bind("127.0.0.1", 0)
        app = create_app(workspace, token=TOKEN)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield address_of("127.0.0.1", listener), version.package, score, export
        server.should_exit = True
        thread.join(10)


def test_a_package_is_loaded_from_the_control_plane(shop):
    address, digest, score, _ = shop
    place = f"{address}/v1/models/buys/versions/1/package"
    model = tondo.load(place, token=TOKEN, digest=digest)
    assert model.predict(ROW) == score
    assert model.predict(pa.Table.from_pylist([ROW, ROW])) == [score, score]


def test_without_the_token_nothing_is_given(shop):
    with pytest.raises(OutsideError, match="TD-PACKAGE-011.*status 401"):
        tondo.load(f"{shop[0]}/v1/models/buys/versions/1/package")


def test_the_client_gives_a_package_as_bytes_and_an_export_as_json(shop):
    client = Client(shop[0], token=TOKEN)
    data = client.model.package(model="buys", reference="newest")
    assert tondo.load(data, digest=shop[1]).predict(ROW) == shop[2]
    told = client.model.export(model="buys", reference="1")
    assert base64.b64decode(told["graph"]) == shop[3].graph
    assert len(told["samples"]) == len(shop[3].samples)
