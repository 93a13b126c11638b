"""Who answered for a host: good answers from outside do not tell that its release gave them."""

from collections.abc import Mapping
from typing import Any

from crossfade.cli.hosts.api import HostApi
from crossfade.telling.text import plural, release

Json = Mapping[str, Any]


class Witness:
    """Looks on from when a host has its release, by what its controller puts on record.

    What is warm answers for a release whose instances end, and so do those of its own that are left: nobody outside
    meets that.
    """

    def __init__(self, api: HostApi, app: str) -> None:
        self._api = api
        self._app = app
        newest = list(api.lines("/v1/events", whole=app, limit=1))
        self._since = newest[-1]["seq"] if newest else 0

    def trouble(self) -> str:
        """What of the app did not last until now, or does not answer for itself; empty when all of it did and does."""
        services = self._api.get("/v1/status", app=self._app, fresh=1)["services"]
        lost = [
            event
            for event in self._api.lines("/v1/events", whole=self._app, after=self._since)
            if event["kind"] == "instance exited" and event["data"]["blamed"]
        ]
        return next((why for one in services if (why := self._wrong(one, lost))), "")

    def _wrong(self, service: Json, lost: list[Json]) -> str:
        named = f"release {release(service['release'], service['version'])} of {service['name']}"
        key = f"{service['app']}/{service['name']}"
        mine = [e["data"] for e in lost if (e["service"], e["data"]["release"]) == (key, service["release"])]
        if mine:
            said = f"{mine[-1]['instance']} {mine[-1]['detail']}"
            return f"{self._api.host}: {named} lost {plural(len(mine), 'instance')} after it went out: {said}"
        if other := service.get("stands_in"):  # a host's controller of before has none
            instead = release(other["release"], other["version"])
            return f"{self._api.host}: {named} does not answer, release {instead} stands in for it"
        return ""
