"""Traefik: its file provider watches the file that names the live release."""

import json

from benchmarks.proxies.proxy import Peer, replace


class Traefik(Peer):
    name = "Traefik, file"
    how = "the router's service in a file that it watches, `providersThrottleDuration` 0 instead of 2 s"
    program = "traefik"
    version_words = ("version",)

    def configure(self, release: str) -> None:
        self._write(release)

    def _write(self, release: str) -> float:
        services = {
            f"release-{name}": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
            for name, port in self.origins.items()
        }
        router = {"rule": "PathPrefix(`/`)", "entryPoints": ["web"], "service": f"release-{release}"}
        folder = self.place / "dynamic"
        folder.mkdir(exist_ok=True)
        # JSON is YAML.
        return replace(folder / "live.yml", json.dumps({"http": {"routers": {"app": router}, "services": services}}))

    def command(self) -> list[str]:
        return [
            f"--entryPoints.web.address=127.0.0.1:{self.port}",
            f"--providers.file.directory={self.place / 'dynamic'}",
            "--providers.file.watch=true",
            "--providers.providersThrottleDuration=0s",
            "--global.checkNewVersion=false",
            "--global.sendAnonymousUsage=false",
            "--log.level=ERROR",
        ]

    async def switch(self, release: str) -> float:
        return self._write(release)
