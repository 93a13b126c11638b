"""Caddy: its whole new configuration to the admin interface."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.children import free_port
from benchmarks.proxies.proxy import Peer


class Caddy(Peer):
    name = "Caddy, admin API"
    how = "POST of the whole configuration to /load"
    program = "caddy"
    version_words = ("version",)

    def __init__(self, place: Path, origins: Mapping[str, int]) -> None:
        super().__init__(place, origins)
        self._admin = f"127.0.0.1:{free_port()}"

    def configure(self, release: str) -> None:
        (self.place / "caddy.json").write_text(self._config(release))

    def _config(self, release: str) -> str:
        upstream = {"dial": f"127.0.0.1:{self.origins[release]}"}
        server = {
            "listen": [f"127.0.0.1:{self.port}"],
            "automatic_https": {"disable": True},
            "routes": [{"handle": [{"handler": "reverse_proxy", "upstreams": [upstream]}]}],
        }
        return json.dumps(
            {
                "admin": {"listen": self._admin, "config": {"persist": False}},
                "logging": {"logs": {"default": {"level": "ERROR"}}},
                "apps": {"http": {"servers": {"web": server}}},
            }
        )

    def command(self) -> list[str]:
        return ["run", "--config", str(self.place / "caddy.json")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as self._http, super().running():
            yield

    async def switch(self, release: str) -> float:
        config, headers = self._config(release), {"Content-Type": "application/json"}
        now = time.monotonic()
        async with self._http.post(f"http://{self._admin}/load", data=config, headers=headers) as answer:
            answer.raise_for_status()
        return now
