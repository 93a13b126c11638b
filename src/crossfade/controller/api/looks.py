"""The looks that the API gives: what runs, what happened, what was written. None of them changes anything."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from crossfade import __version__
from crossfade.controller.api import asked, stores, streams, views
from crossfade.controller.api.hub import Hub
from crossfade.controller.orders import Orders
from crossfade.controller.record import history
from crossfade.core.actions import Finish
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.group import Group
from crossfade.core.wire import decode_action
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Runtime

_LOOK = 10.0  # seconds in which a service can be looked at again, unless it is in trouble


class Looks:
    """`beside` adds to a service's status what only who serves it knows; `ended` are rollouts by (service, state)."""

    def __init__(
        self,
        orders: Orders,
        hub: Hub,
        beside: Callable[[Loop], Mapping[str, Any]],
        not_told: Callable[[], list[str]] = list,
    ) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()  # since we began
        self._orders = orders
        self._registry = orders.registry
        self._hub = hub
        self._beside = beside
        self._not_told = not_told
        self._started = orders.registry.world.clock.now()
        orders.registry.listeners.append(self._count)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metrics", self.metrics),
            web.get("/v1/controller", self._about),
            web.get("/v1/status", self._status),
            web.get("/v1/releases", self._releases),
            web.get("/v1/rollouts", self._rollouts),
            web.get("/v1/rollouts/{id}", self._rollout),
            web.get("/v1/events", self._events),
            web.get("/v1/logs", self._logs),
            web.get("/v1/groups/{id}", self._group),
        ]

    async def _about(self, _: web.Request) -> web.Response:
        ports = views.ports(self._registry.loops.values(), await self._registry.world.balancer.known())
        return web.json_response(
            {
                "version": __version__,
                "pid": os.getpid(),
                "started_at": self._started,
                "services": sorted(self._registry.loops),
                "stores": self._orders.stores.up(),
                "taken_down": self._registry.taken_down,
                "ports": sorted(ports),
            }
        )

    async def metrics(self, _: web.Request) -> web.Response:
        """All there is to watch, as Prometheus reads it."""
        from crossfade.controller.api import metrics  # noqa: PLC0415  half a second, for those who have a Prometheus

        text = await metrics.exposition(self._registry, self.ended)
        return web.Response(body=text, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def _status(self, request: web.Request) -> web.Response:
        """Everything; with `moving`, for who follows a rollout, only services that move or are in trouble.

        That is asked five times a second. `service` names the one that is followed, whatever it does. With `fresh` it
        is seen after it was asked for, so that nothing is missing that happened before.
        """
        app = request.query.get("app")
        if request.query.get("fresh"):
            await self._look_again(app)
        if request.query.get("moving"):
            name = request.query.get("service")
            followed = (
                loop
                for loop in self._registry.of(app)
                if (loop.key.endswith(f"/{name}") if name else loop.ledger.active or loop.trouble or loop.without)
            )
            return web.json_response({"services": [await self._service(loop) for loop in followed]})
        kept, troubles = await stores.status(self._orders.stores, app, self._registry.world.wall())
        return web.json_response(
            {
                "services": [await self._service(loop) for loop in self._registry.of(app)],
                "stores": kept,
                "groups": [
                    self.group_view(group) for group in self._orders.groups.all_active() if app in {None, group.app}
                ],
                "building": [
                    views.build(b)
                    for b in self._orders.deploys.builds.under_way()
                    if app in {None, b.service.split("/")[0]}
                ],
                "unknown": [views.unknown(one) for one in self._orders.leftovers.unknown if app in {None, one.app}],
                "trouble": [
                    *(f"{name}: {why}" for name, why in self._registry.supervisor.troubles().items()),
                    *self._registry.world.balancer.complaints(),
                    *troubles,
                    *self._not_told(),
                ],
            }
        )

    async def _look_again(self, app: str | None) -> None:
        """Have the services looked at once more. One that cannot be looked at is not waited for without an end."""
        asked_at, loops = self._registry.world.clock.now(), list(self._registry.of(app))
        for loop in loops:
            loop.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK):
                for loop in loops:
                    await loop.until(lambda loop: loop.observed_at >= asked_at)

    async def _service(self, loop: Loop) -> dict[str, Any]:
        world = self._registry.world
        return {
            **views.status(loop, world.clock.now(), world.wall()),
            "stands_in": self._stand_in(loop),
            "preview": await self._preview(loop),
            **self._beside(loop),
        }

    async def _releases(self, request: web.Request) -> web.Response:
        ledger = self._registry.ledger(self._key(request))
        return web.json_response({"service": ledger.service, "releases": views.releases(ledger)})

    async def _rollouts(self, request: web.Request) -> web.Response:
        """The records of the rollouts that are over, newest first; `limit=0` is all of them."""
        ledger = self._registry.ledger(self._key(request))
        limit = asked.number(request.query, "limit", 0)
        records = ledger.records[-limit:] if limit else ledger.records
        return web.json_response(
            {"service": ledger.service, "rollouts": [views.result(one, ledger) for one in reversed(records)]}
        )

    async def _rollout(self, request: web.Request) -> web.Response:
        """The record of a rollout once it is over; `wait=1` answers only then."""
        key, number = self._key(request), asked.number(request.match_info, "id")
        loop = self._registry.loops.get(key)
        if loop and request.query.get("wait"):
            await loop.until(lambda loop: loop.ledger.active is None or loop.ledger.active.id != number)
        result = self._result(key, number)
        if result is None:
            raise WrongInputError(f"{key} has no finished rollout {number}", "`crossfade status` shows what runs")
        return web.json_response(result)

    async def _group(self, request: web.Request) -> web.Response:
        """A release group and the rollouts of it that are over; `wait=1` answers only when it is."""
        group = self._orders.groups.find(request.query["app"], asked.number(request.match_info, "id"))
        if request.query.get("wait"):
            group = await self._orders.groups.ended(group)
        results = [self._result(key, number) for key, number in self._orders.groups.results(group)]
        return web.json_response({"group": self.group_view(group), "results": [r for r in results if r]})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        whole = request.query.get("whole")  # of this app, its release groups included
        service = self._history_of(request) if "app" in request.query and not whole else None

        def wanted(event: Event) -> bool:
            return event.service.split("/")[0] == whole if whole else service in {None, event.service}

        after, limit = asked.number(request.query, "after", 0), asked.number(request.query, "limit", 0)
        past = history(self._registry.world.journal, after=after, service=service, newest=limit, wanted=wanted)
        follow = bool(request.query.get("follow"))
        return await streams.events(request, past, self._hub, wanted, after=after, follow=follow)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        query = asked.log_query(request.query)
        lines = self._written(request.query["app"], request.query.get("service"), query)
        together = streams.as_they_come if query.follow else streams.in_order
        return await streams.logs(request, together(lines))

    def _written(self, app: str, service: str | None, query: LogQuery) -> dict[str, AsyncIterator[Said]]:
        """By service, or of the one store that is named: what it wrote, also where it was taken down."""
        if service and (store := f"{app}/{service}") in self._orders.stores.records:
            return {store: self._orders.stores.logs(store, query)}
        keys = [] if service else [loop.key for loop in self._registry.of(app)]
        if query.instance is not None:  # known by its name, which begins with the service's
            keys = [one for one in keys if query.instance.startswith(f"{one.replace('/', '-')}-")] or keys
        return {key: self._runtime(key).logs(key, query) for key in keys or [self._registry.key(app, service)]}

    def _runtime(self, key: str) -> Runtime:
        """None while the first release is built: processes', for an image is built already."""
        releases = self._registry.ledger(key).releases
        return self._registry.world.runtimes[releases[-1].service.runtime if releases else "process"]

    def _result(self, key: str, number: int) -> dict[str, Any] | None:
        ledger = self._registry.ledger(key)
        record = next((r for r in ledger.records if r.rollout.id == number), None)
        return views.result(record, ledger) if record else None

    def group_view(self, group: Group) -> dict[str, Any]:
        """A release group with where each of its services stands."""
        ledgers = {member.service: self._registry.ledger(member.service) for member in group.members}
        return views.group(group, self._orders.groups.standings(group), ledgers)

    def _stand_in(self, loop: Loop) -> dict[str, Any] | None:
        """The release that answers in place of the one that is at work, of which nothing can; None without one."""
        number = loop.ledger.stand_in(loop.fleet.routing)
        found = (one for one in loop.ledger.releases if one.number == number)
        return next(({"release": one.number, "version": one.version} for one in found), None)

    async def _preview(self, loop: Loop) -> dict[str, Any] | None:
        """The way to the release that not all visitors have yet, with its secret; None without one, or while its door
        is shut, which the balancer complains of.
        """
        release = views.in_preview(loop.fleet.routing)
        if release is None:
            return None
        try:
            url, headers = await self._registry.world.balancer.preview(loop.ledger.release(release).service, release)
        except PlatformError:
            return None
        return {"release": release, "url": url, "headers": dict(headers)}

    def _history_of(self, request: web.Request) -> str:
        """The service or store whose lines are meant."""
        named = f"{request.query['app']}/{request.query.get('service') or ''}"
        return named if named in self._orders.stores.records else self._key(request)

    def _key(self, request: web.Request) -> str:
        app, service = request.query["app"], request.query.get("service") or None
        stores.require_service(self._orders.stores, app, service)
        return self._registry.key(app, service)

    def _count(self, event: Event) -> None:
        if event.kind == "move" and isinstance(finish := decode_action(event.data["action"]), Finish):
            self.ended[event.service, finish.state.value] += 1
