"""The HTTP face of the controller, on a unix socket of mode 0600 and, with a token, on TCP."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from crossfade.aside import aside
from crossfade.controller.api import asked, guests, streams, views
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.looks import Looks
from crossfade.controller.api.refusal import refused
from crossfade.controller.api.stores import require_service
from crossfade.controller.apps import Apps, WantedApp
from crossfade.controller.notify.notify import Notifier
from crossfade.controller.order import Order
from crossfade.controller.orders import Orders
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.core.service import Service
from crossfade.core.store import Store
from crossfade.core.wire import decode, encode
from crossfade.engine.loop import Loop
from crossfade.engine.plan import plan
from crossfade.shortage import shortage

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE = "/page/"  # the one place for browsers, behind a token of its own
_LARGEST = 64 * 2**20  # bytes of a request: each of hundreds of services of a file brings the names of all others


class Api:
    """Routes to use cases. Every error is JSON with its exit code."""

    def __init__(
        self,
        orders: Orders,
        hub: Hub,
        stop: Callable[[bool], None],
        token: str = "",
        *,
        around: Sequence[Middleware] = (),
        more: Sequence[web.RouteDef] = (),
        beside: Callable[[Loop], Mapping[str, Any]] = lambda _: {},
        notify: Notifier | None = None,
    ) -> None:
        self.looks = Looks(orders, hub, beside, notify.troubles if notify else list)
        self._apps = Apps(orders, notify)
        self._orders = orders
        self._registry = orders.registry
        self._hub = hub
        self._stop = stop
        self._token = token
        self._more = more  # what is served beside our own
        self._around = around  # what is done about a request before its handler

    def application(self) -> web.Application:
        app = web.Application(
            middlewares=[streams.ended_by_leaving(), self._guard, *self._around], client_max_size=_LARGEST
        )
        app.add_routes(
            [
                *self.looks.routes(),
                *self._more,
                web.post("/v1/services", self._services),
                web.post("/v1/builds/stop", self._stop_builds),
                web.post("/v1/deploy", self._deploy),
                web.post("/v1/plan", self._plan),
                web.post("/v1/rollback", self._rollback),
                web.post("/v1/scale", self._scale),
                web.post("/v1/restart", self._restart),
                web.post("/v1/tag", self._tag),
                web.post("/v1/seat", self._seat),
                web.post("/v1/order/{verb}", self._order),
                web.post("/v1/down", self._down),
                web.post("/v1/stores", self._stores),
                web.post("/v1/backup", self._backup),
                web.post("/v1/restore", self._restore),
                web.post("/v1/balancer/restart", self._restart_balancer),
                web.post("/v1/shutdown", self._shutdown),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_local(request) and not asked.knows(request, self._token):
            return refused(RefusedError("no valid token", "send `Authorization: Bearer ...`"), status=401)
        guests.know(request)
        if asked.by_browser(request) and not request.path.startswith(PAGE):  # the socket may be forwarded to a port
            return refused(
                RefusedError("browsers are not answered here", "`crossfade dashboard` opens a page for it"), status=403
            )
        try:
            return await handler(request)
        except CrossfadeError as error:
            return refused(error)
        except ConnectionError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            return refused(asked.misfit(error))
        except (OSError, RuntimeError, MemoryError) as error:
            met = PlatformError(f"the controller met trouble with the machine: {error}", "see its log")
            lacking = shortage(error)
            if lacking is None and not isinstance(error, OSError):
                raise
            return refused(lacking or met)

    def _loop(self, body: dict[str, Any]) -> Loop:
        app, service = body["app"], body.get("service") or None
        require_service(self._orders.stores, app, service)
        return self._registry.find(app, service)

    async def _services(self, request: web.Request) -> web.Response:
        """The services of a file on this machine. Their models are loaded with the first one that is asked for."""
        from crossfade.file.deployable import deployable  # noqa: PLC0415  an idle controller does without

        body = await asked.body(request)
        return web.json_response(await aside(deployable, Path(body.pop("path")), **body))

    async def _deploy(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        given = body["services"] if "services" in body else [body["service"]]
        wanted = WantedApp(
            services=[asked.require_sound(decode(Service, one)) for one in given],
            stores=[decode(Store, one) for one in body.get("stores") or ()],
            replace_stores=bool(body.get("replace_stores")),
            channels=body.get("notify") or (),
        )
        shell, before = asked.shell(body), self._hub.seq
        shipped = await self._apps.deploy(wanted, asked.order(body), shell, before)
        begun = shipped.begun
        answer: dict[str, Any] = {"seq": before, "unchanged": begun.unchanged, "stores": shipped.stores}
        if begun.group:
            answer["group"] = self.looks.group_view(begun.group)
        if begun.rollout:
            answer |= views.rollout_view(begun.rollout, self._registry.ledger(begun.rollout.service))
        return web.json_response(answer, status=201 if begun.group or begun.rollout else 200)

    async def _stop_builds(self, request: web.Request) -> web.Response:
        """Stop builds of these services, and nothing that is on record already."""
        body = await asked.body(request)
        stopped = await self._orders.deploys.stop(body["services"], body.get("reason") or f"stopped by {body['by']}")
        return web.json_response({"stopped": stopped})

    async def _plan(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        service = asked.require_sound(decode(Service, body["service"]))
        await self._orders.deploys.require_apart([service], body.get("together") or ())
        if same := await self._orders.deploys.unchanged(service, asked.shell(body)):
            return web.json_response({"service": service.key, "unchanged": same, "steps": []})
        loop = self._registry.loops.get(service.key)
        steps = await asyncio.to_thread(plan, service, loop.ledger if loop else None)
        # What a build makes is known once it is made: a deploy may find that it is what runs.
        built = bool(service.container.build and loop and loop.ledger.current)
        return web.json_response({"service": service.key, "unchanged": None, "steps": steps, "if_built": built})

    async def _rollback(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        loop = self._loop(body)
        before = self._hub.seq
        rollout = await self._orders.rollback(loop, body.get("to") or "previous", asked.order(body))
        ledger = self._orders.registry.ledger(rollout.service)
        return web.json_response({**views.rollout_view(rollout, ledger), "seq": before}, status=201)

    async def _scale(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        loop = self._loop(body)
        await self._orders.scale(loop, asked.number(body, "replicas"), asked.order(body))
        if body.get("wait"):
            await loop.until(lambda loop: _at_size(loop) or loop.hopeless is not None)
            if loop.hopeless:
                raise loop.hopeless
        return web.json_response({"service": loop.key, "replicas": loop.ledger.wanted})

    async def _restart(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        loop = self._loop(body)
        await self._orders.restart(loop, asked.order(body))
        why = await self._orders.restarted(loop) if body.get("wait") else ""
        return web.json_response({"service": loop.key, "release": loop.ledger.current, "why": why})

    async def _tag(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        loop = self._loop(body)
        release, before = await self._orders.tag(loop, body.get("release") or "latest", body["tag"], asked.order(body))
        return web.json_response({"service": loop.key, "release": release.number, "tag": body["tag"], "before": before})

    async def _order(self, request: web.Request) -> web.Response:
        body, verb = await asked.body(request), request.match_info["verb"]
        order, reason = asked.order(body), body.get("reason", "")
        if verb == "abort":
            return await self._abort(body, order, reason)
        loop = self._loop(body)
        match verb:
            case "promote":
                await self._orders.promote(loop, order)
            case "pause":
                await self._orders.pause(loop, order)
            case "resume":
                await self._orders.resume(loop, order)
            case "lock":
                await self._orders.lock(loop, reason, order)
            case "unlock":
                await self._orders.unlock(loop, order)
            case _:
                raise WrongInputError(f"'{verb}' is not an order", "promote, pause, resume, abort, lock or unlock")
        return web.json_response(views.status(loop, self._registry.world.clock.now()))

    async def _abort(self, body: dict[str, Any], order: Order, reason: str) -> web.Response:
        meant = await self._orders.abort(body["app"], body.get("service") or None, order, reason)
        loop = self._registry.loops.get(meant[0])  # none is left of a first build that was stopped
        status = views.status(loop, self._registry.world.clock.now()) if loop else {}
        return web.json_response({**status, "aborted": meant})

    async def _seat(self, request: web.Request) -> web.Response:
        """What a person's command needs to run as an instance does: never over a network, for secrets are in it."""
        if not _is_local(request):
            raise RefusedError("commands can be run on the machine itself only", "log in there")
        body = await asked.body(request)
        words, how = body["words"], {"interactive": bool(body.get("interactive"))}
        if not isinstance(words, list) or not all(isinstance(word, str) and "\0" not in word for word in words):
            raise WrongInputError(
                "words: found something other than a list of strings", "allowed: the command and its arguments"
            )
        by = asked.order(body).by
        if instance := body.get("instance"):
            seat = await self._orders.enter(str(instance), words, by, app=str(body.get("app") or ""), **how)
        else:
            seat = await self._orders.visits.run(self._loop(body), words, by, **how)
        return web.json_response(encode(seat))

    async def _down(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        app = None if body.get("all") else body["app"]
        stopped: list[str] = []
        if self._registry.of(app) or not (app and body.get("with_data")):
            stopped = await self._orders.down(app, body.get("service"), asked.order(body))
        deleted = await self._orders.delete_data(app, asked.order(body)) if body.get("with_data") and app else []
        return web.json_response({"stopped": stopped, "deleted": deleted})

    async def _stores(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        stores = [decode(Store, one) for one in body["stores"]]
        found = await self._orders.stores.compare(stores)
        return web.json_response({"stores": found, "changes": self._orders.stores.changes(stores)})

    async def _backup(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        store, by = decode(Store, body["store"]), asked.order(body).by
        return web.json_response({"file": await self._orders.stores.backup(store, by)})

    async def _restore(self, request: web.Request) -> web.Response:
        body = await asked.body(request)
        store, by = decode(Store, body["store"]), asked.order(body).by
        return web.json_response({"file": await self._orders.stores.restore(store, body.get("backup") or "", by)})

    async def _restart_balancer(self, _: web.Request) -> web.Response:
        await self._registry.world.balancer.restart()
        return web.json_response({"restarted": True})

    async def _shutdown(self, request: web.Request) -> web.Response:
        """Stop the controller; `everything` stops the balancer too, and is refused while services run."""
        everything = bool((await asked.body(request)).get("everything"))
        if everything and self._registry.loops:
            raise RefusedError(
                f"services run here: {', '.join(sorted(self._registry.loops))}", "`crossfade down` them first"
            )
        self._stop(everything)
        return web.json_response({"stopping": True})


def _is_local(request: web.Request) -> bool:
    """It came over the unix socket, which only its owner can open."""
    peer = request.transport.get_extra_info("socket") if request.transport else None
    return peer is not None and peer.family.name == "AF_UNIX"


def _at_size(loop: Loop) -> bool:
    usable = [i for i in loop.fleet.instances if i.usable and i.release == loop.ledger.current]
    return len(usable) == loop.ledger.wanted and len(loop.at_work) == loop.ledger.wanted
