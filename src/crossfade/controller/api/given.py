"""Values that somebody gives this machine for secrets: taken, named, and never shown."""

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from crossfade.controller.api import asked
from crossfade.core.errors import WrongInputError


class Keeps(Protocol):
    """Whoever keeps values by app and name."""

    def give(self, app: str, name: str, value: str) -> None: ...

    def known(self, app: str) -> Mapping[str, float]:
        """When each was given."""
        ...


class GivenRoutes:
    """`POST /v1/secrets` gives a value, `GET /v1/secrets?app=` says which there are."""

    def __init__(self, keeps: Keeps) -> None:
        self._keeps = keeps

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/secrets", self._give), web.get("/v1/secrets", self._known)]

    async def _give(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        values = asked.variables(body.get("values") or {}, "values")
        if not values:
            raise WrongInputError("values: found none", 'send {"app": ..., "values": {NAME: value}}')
        app = asked.named(body["app"], "app")
        for name, value in values.items():
            self._keeps.give(app, name, value)
        return web.json_response({"app": app, "secrets": sorted(values)})

    async def _known(self, request: web.Request) -> web.Response:
        app = asked.named(request.query.get("app"), "app")
        return web.json_response({"app": app, "secrets": dict(self._keeps.known(app))})
