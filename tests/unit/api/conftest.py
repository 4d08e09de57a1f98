"""The workspace painted by hand, for the faces' tests."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import httpx
import pytest

PAINTED = Path(__file__).parents[3] / "tests" / "unit" / "ui" / "painted_workspace.py"


@pytest.fixture(scope="session")
def painted():
    name = "painted_workspace"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PAINTED)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class AppClient:
    """Sends requests to an ASGI app in this process."""

    def __init__(self, app, base_url: str) -> None:
        self.app = app
        self.base_url = base_url

    def request(self, method: str, path: str, **more) -> httpx.Response:
        return asyncio.run(self._request(method, path, more))

    def get(self, path: str, **more) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more) -> httpx.Response:
        return self.request("POST", path, **more)

    async def _request(self, method: str, path: str, more) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
            return await client.request(method, path, **more)


@pytest.fixture(scope="session")
def app_client():
    return AppClient
