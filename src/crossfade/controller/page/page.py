"""The page: its files, what it is told, and the few orders that it may give. Nothing of it answers without the token.

The token is part of the path and of nothing that a browser sends by itself, so that no other page can order anything,
and no other server on this machine is shown it, as a cookie for 127.0.0.1 would be.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, web

from crossfade.controller.api import asked, guests
from crossfade.controller.api.refusal import refused
from crossfade.controller.page.asking import Asking
from crossfade.controller.page.pulse import PagePulse
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.telling.text import outcome

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Json = dict[str, Any]

STATIC = Path(__file__).with_name("static")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ORDERS = frozenset({"promote", "pause", "resume", "abort"})
ROLLOUTS = 20  # of a service, that its ledger is shown with
LOG_LINES = 200  # of the past, when a log is opened
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the path is the key
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Page:
    """Its routes, below `/page/TOKEN/`. `who` opened it: what is ordered on it is ordered by them."""

    def __init__(self, asking: Asking) -> None:
        self.token = ""  # nobody is let in before there is one
        self.who = ""
        self._asking = asking
        self.pulse = PagePulse(asking)

    def routes(self) -> list[web.RouteDef]:
        below = "/page/{token}"
        return [
            web.get(f"{below}/", self._known(_file)),
            web.get(f"{below}/live", self._known(self._live)),
            web.get(f"{below}/ledger", self._known(self._ledger)),
            web.get(f"{below}/logs", self._known(self._logs)),
            web.get(f"{below}/{{file}}", self._known(_file)),
            web.post(f"{below}/order/{{verb}}", self._known(self._order)),
            web.post(f"{below}/rollback", self._known(self._rollback)),
        ]

    def _known(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            given = request.match_info["token"].encode("utf-8", "surrogateescape")
            if not self.token or not hmac.compare_digest(given, self.token.encode()):
                return web.Response(status=404, text="nothing is here\n", headers=HEADERS)
            guests.know(request)
            try:
                response = await handler(request)
            except CrossfadeError as error:
                response = refused(error)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                response = refused(asked.misfit(error))
            if not response.prepared:
                response.headers.update(HEADERS)
            return response

        return answer

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        async with aclosing(self.pulse.follow()) as messages:
            try:
                async for message in messages:
                    await response.write(message)
            except ConnectionError:
                pass  # the page was closed
        return response

    async def _ledger(self, request: web.Request) -> web.Response:
        """The releases of a service, and its newest rollouts with their proofs, in words and as they are."""
        named = _named(request.query)
        releases = await self._asked("GET", "/v1/releases", named)
        records = await self._asked("GET", "/v1/rollouts", {**named, "limit": ROLLOUTS})
        told = [{**record, "told": outcome(record)} for record in records["rollouts"]]
        return web.json_response({**releases, "rollouts": told})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        query = {**_named(request.query), "lines": LOG_LINES, "follow": 1}
        if instance := request.query.get("instance"):
            query["instance"] = instance
        try:
            return await self._asking.hand_on(request, "/v1/logs", query, HEADERS)
        except (ClientError, OSError) as error:
            raise PlatformError(f"the log cannot be read: {error}", "`crossfade logs` may tell more") from error

    async def _order(self, request: web.Request) -> web.Response:
        """An order to the rollout that its giver saw, in the step that they saw: not to what came after it."""
        body, verb = await _ordered(request), request.match_info["verb"]
        if verb not in ORDERS:
            raise WrongInputError(f"'{verb}' is not an order of the page", f"allowed: {', '.join(sorted(ORDERS))}")
        rollout = (await self._service(body))["rollout"]
        seen, now = (body["rollout"], body["step"]), rollout and (rollout["id"], rollout["step"])
        if seen != now and (verb == "promote" or not rollout or seen[0] != rollout["id"]):
            raise RefusedError(
                "the rollout has gone on since you looked: nothing was done", "look again, then order again"
            )
        reason = {"reason": body.get("reason") or "on the page"} if verb == "abort" else {}
        return web.json_response(await self._asked("POST", f"/v1/order/{verb}", body=self._signed(body, **reason)))

    async def _rollback(self, request: web.Request) -> web.Response:
        body = await _ordered(request)
        service = await self._service(body)
        if service["release"] != body["from"] or service["rollout"]:
            raise RefusedError(
                "another release has come since you looked: nothing was done", "look again, then order again"
            )
        return web.json_response(
            await self._asked("POST", "/v1/rollback", body=self._signed(body, to=str(asked.number(body, "to"))))
        )

    async def _service(self, body: Json) -> Json:
        found = await self._asked("GET", "/v1/status", {"app": _named(body)["app"]})
        one = next((one for one in found["services"] if one["name"] == body["service"]), None)
        if one is None:
            raise WrongInputError(f"{body['app']}/{body['service']} does not run here", "look again")
        return dict(one)

    def _signed(self, body: Json, **more: str) -> Json:
        return {**_named(body), "by": f"{self.who} on the page", **more}

    async def _asked(self, method: str, path: str, query: Json | None = None, body: Json | None = None) -> Any:
        status, answer = await self._asking.ask(method, path, query, body)
        if status >= 400:  # noqa: PLR2004  HTTP's errors begin there
            error = answer["error"]
            kind = {2: WrongInputError, 3: RefusedError}.get(error["exit_code"], PlatformError)
            raise kind(error["cause"], error["way_out"])
        return answer


def _named(given: Mapping[str, Any]) -> Json:
    """The service that is meant, by name: text in both places, whoever sent it."""
    app, service = given["app"], given["service"]
    if not asked.HOME.fullmatch(app):
        asked.named(app, "app")
    return {"app": app, "service": asked.named(service, "service")}


async def _ordered(request: web.Request) -> Json:
    """The body of an order. RefusedError for one that another site's page sent."""
    origin = request.headers.get("Origin")
    same = origin is None or urlsplit(origin).netloc == request.host
    if not same or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise RefusedError("another site's page gave the order: nothing was done", "give it on the page itself")
    if request.content_type != "application/json":
        raise WrongInputError(f"the order came as {request.content_type}", "allowed: application/json")
    return await asked.body(request)


async def _file(request: web.Request) -> web.Response:
    name = request.match_info.get("file", "page.html")
    content = _files().get(name)
    if content is None:
        return web.Response(status=404, text="nothing is here\n")
    return web.Response(body=content, content_type=KINDS[Path(name).suffix], charset="utf-8")


@cache
def _files() -> Mapping[str, bytes]:
    """All of the page's files, read once."""
    return {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in KINDS}
