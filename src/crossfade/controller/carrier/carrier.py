"""The controller of one environment for as long as one command lasts: where no daemon runs, who is asked carries.

It knows everything from the journal and holds nothing, until an order needs it to: then it takes the leases of the
services that are meant, and looks after them until it ends. What another process holds it only watches; orders for it
go there as letters.
"""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientError, ClientSession, UnixConnector, web

from crossfade.controller import admission
from crossfade.controller.api import asked, views
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve
from crossfade.controller.api.server import PAGE, Api
from crossfade.controller.carrier.turn import ABORT, DOWN, Turn
from crossfade.controller.orders import Orders
from crossfade.controller.page.door import PagePort
from crossfade.core.actions import StandBy
from crossfade.core.errors import PlatformError
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Lease
from crossfade.engine.ports.letters import Letter
from crossfade.engine.world import RemoteEnvironment

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LONGEST_REST = 900.0  # seconds that old instances may take to go, once a rollout is over
SELDOM = 3  # ticks
LONGEST_ERRAND = 86_400.0  # seconds
FIRST_LOOK = 30.0  # seconds that `status` waits for, and then says what is known
LAST_LOOK = 10.0  # seconds that a command waits for before it leaves what it held
# What holds no service: it only looks, or says by itself what it needs.
FREE = frozenset(
    {"/v1/plan", "/v1/services", "/v1/builds/stop", "/v1/carry", "/v1/shutdown", "/v1/page", "/v1/page/close"}
)
# What whoever carries a service does as well for somebody else. The rest needs the files or the patience of its own.
_VERBS = ("pause", "promote", "resume", "lock", "unlock")
SENT = frozenset({ABORT, "/v1/scale", "/v1/tag", *(f"/v1/order/{verb}" for verb in _VERBS)})


class Carrier:
    """One environment in the hands of one process, which speaks the controller's API at `socket`."""

    def __init__(self, environment: RemoteEnvironment, hub: Hub, holder: str, socket: Path) -> None:
        self._environment, self._hub, self._socket = environment, hub, socket
        self._orders = Orders(environment.world, holder, environment.secrets, environment.kept)
        self._registry = self._orders.registry
        self._world = self._registry.world
        self._turn = Turn(environment.home, environment.letters, self._orders, self._read_on)
        self._reading = asyncio.Lock()
        self._seq = 0  # of the newest line that we know
        self._others: dict[str, Lease | None] = {}  # by service under way that we do not hold: who does
        self._looked = False
        self._answering: set[asyncio.Task[None]] = set()
        self._own = {
            "/v1/carry": self._carry,
            "/v1/errand": self._errand,
            "/v1/settle": self._settle,
            "/v1/stuck": self._stuck,
        }

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer until the end of the block; then what is held is given back, wherever it stands."""
        newest = await self._world.journal.read(limit=1, newest=True)
        self._seq = self._hub.seq = newest[0].seq if newest else 0
        await self._orders.know()
        door = PagePort(self._socket)
        api = Api(self._orders, self._hub, _stays, around=[self._held], more=door.routes(), beside=self._beside)
        runner = await serve(api, self._socket)
        self._registry.supervisor.keep("what others write", self._follow)
        try:
            yield
        finally:
            await door.close()
            await self._leave()
            await self._orders.close()
            await runner.cleanup()

    async def _leave(self) -> None:
        """One look at what was held and moves no more: who died before us may have left scaling at rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_LOOK):
                for key, loop in list(self._registry.loops.items()):
                    if self._registry.holds(key):
                        await loop.until(lambda loop: loop.knows_its_size or bool(loop.ledger.active))

    async def _settle(self, _: web.Request) -> dict[str, Any]:
        """Answers when nothing of what is held moves any more: no rollout, and nobody on the way out."""
        return {"settled": await self._settled()}

    async def _settled(self) -> bool:
        try:
            async with asyncio.timeout(LONGEST_REST):
                for key, loop in list(self._registry.loops.items()):
                    if self._registry.holds(key):
                        await loop.until(lambda loop: _rests(loop) or loop.hopeless is not None)
                        if loop.hopeless:
                            return False
        except TimeoutError:
            return False
        return True

    @web.middleware
    async def _held(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Hold the services that an order is for, or have it done by the process that does."""
        if own := self._own.get(request.path):
            return web.json_response(await own(request))
        if request.path == "/v1/status" and request.query.get("looks") != "0":
            await self._look(request.query.get("app"))
        if request.method != "POST" or request.path in FREE or request.path.startswith(PAGE):
            return await handler(request)
        body = await asked.body(request)
        await self._read_on()
        meant = await self._turn.meant(request.path, body)
        for key in meant:
            if request.path not in SENT:
                first = bool(body.get("supersede") or (request.path == DOWN and body.get("force")))
                await self._turn.take(key, supersede=first, by=str(body.get("by")))
            elif told := await self._turn.by_letter(key, request.path, body):
                return web.json_response(told)
        await self._turn.together()
        carrying = self._under_way(meant)  # before the order, which may end it at once
        answer = await handler(request)
        if request.path in SENT and isinstance(answer, web.Response) and answer.status < HTTPStatus.BAD_REQUEST:
            return web.json_response({**json.loads(answer.text or "{}"), "carrying": carrying})
        return answer

    async def _carry(self, request: web.Request) -> dict[str, Any]:
        """Go on with what was left of these services, and say what it is; without `wait`, who else may have it."""
        body = await asked.body(request)
        for key in body["services"]:
            ledger = self._registry.ledger(key)
            if not (ledger.active or ledger.recording):
                continue
            if held := None if body.get("wait") else await self._turn.others(key):
                return {"held": {"service": key, "who": held.holder, "since": held.since}}
            await self._turn.take(key)
        await self._turn.together()
        return self._under_way(body["services"])

    async def _errand(self, request: web.Request) -> dict[str, Any]:
        """A person's command as one of the release that runs, beside its instances; nobody has to hold the service."""
        asks = await asked.body(request)
        release = admission.running(self._registry.find(asks["app"], asks.get("service")).ledger)
        runtime, secrets = self._world.runtimes[release.service.runtime], self._world.secrets_of(release)
        once = {"CROSSFADE_RUN": uuid4().hex}  # each is one of its own, also when it is the same again
        ended = await runtime.run(release, shlex.join(asks["words"]), secrets, once, LONGEST_ERRAND)
        return {"release": release.number, "version": release.version, "code": ended.code, "output": ended.output}

    async def _stuck(self, _: web.Request) -> dict[str, Any]:
        """What nobody but a person can mend, and keeps us from going on: empty where nothing does."""
        held = [loop for key, loop in self._registry.loops.items() if self._registry.holds(key)]
        error = next((loop.hopeless for loop in held if loop.hopeless), None)
        return {"cause": error.cause, "way_out": error.way_out} if error else {}

    def _under_way(self, keys: Sequence[str]) -> dict[str, Any]:
        """What moves of these services: their release group or their rollouts, told by events after `seq`."""
        group = self._orders.groups.active(self._turn.home)
        if group and any(group.member(key) for key in keys):
            members = {member.service: self._registry.ledger(member.service) for member in group.members}
            shown = views.group(group, self._orders.groups.standings(group), members)
            return {"group": shown, "rollouts": [], "seq": self._hub.seq}
        ledgers = [self._registry.ledger(key) for key in keys]
        moving = [(ledger.active, ledger) for ledger in ledgers if ledger.active]
        return {"rollouts": [views.rollout_view(rollout, ledger) for rollout, ledger in moving], "seq": self._hub.seq}

    async def _look(self, app: str | None) -> None:
        """Have what we do not hold looked at, and wait for the first look; after that, `_follow` knows what is new."""
        if not self._looked:
            await self._read_on()
            await self._ask_who_holds()
            self._looked = True
        self._registry.watch()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK):
                for loop in self._registry.of(app):
                    await loop.until(lambda loop: bool(loop.observed_at or loop.trouble))

    def _beside(self, loop: Loop) -> dict[str, Any]:
        """What `status` says beside the rest: who carries a rollout that we do not carry ourselves."""
        if not loop.ledger.active or self._registry.holds(loop.key):
            return {}
        lease = self._others.get(loop.key)
        return {"carrier": {"who": lease.holder, "since": lease.since} if lease else None}

    async def _ask_who_holds(self) -> None:
        under_way = [key for key, loop in self._registry.loops.items() if loop.ledger.active]
        asked_for = [key for key in under_way if not self._registry.holds(key)]
        self._others = {key: await self._world.journal.lease(key) for key in asked_for}

    async def _follow(self) -> None:
        """Know what others write, and do what they ask us, for ever."""
        for tick in count(1):
            await self._world.clock.sleep(self._world.pace.busy)
            holds = any(map(self._registry.holds, self._registry.loops))
            if holds:
                for letter in await self._environment.letters.waiting():
                    await self._open(letter)
            if not holds or tick % SELDOM == 0:  # what we hold nobody else writes of
                await self._read_on()
                await self._ask_who_holds()

    async def _read_on(self) -> None:
        async with self._reading:
            for event in await self._world.journal.read(after=self._seq):
                self._seq = event.seq
                if "/" in event.service:
                    self._registry.take(event)
                else:
                    self._orders.groups.take(event)

    async def _open(self, letter: Letter) -> None:
        """Do what a letter asks for, if it is for us: beside us, for it may wait for something."""
        if not self._registry.holds(letter.service) or not await self._environment.letters.take(letter):
            return
        task = asyncio.create_task(self._answer(letter), name=f"letter {letter.id}")
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, letter: Letter) -> None:
        loop = self._registry.loops[letter.service]
        if letter.token != loop.token:
            answer = _error(f"{loop.key} has changed hands since", "look with `crossfade status`, and ask again")
        else:
            answer = await self._ask_ourselves(letter)
        await self._environment.letters.answer(letter, answer)

    async def _ask_ourselves(self, letter: Letter) -> Mapping[str, Any]:
        try:
            async with (
                ClientSession(connector=UnixConnector(str(self._socket))) as session,
                session.post(f"http://crossfade{letter.path}", json=letter.body) as response,
            ):
                answer: Mapping[str, Any] = await response.json()
                return answer
        except (ClientError, ValueError) as error:
            return _error(f"the process that carries {letter.service} met trouble: {error}", "ask again")


def _rests(loop: Loop) -> bool:
    """No rollout, its record closed, its platform left to itself, and nothing more to do or to wait for.

    What is warm the platform sends home.
    """
    moves = any(not isinstance(one, StandBy) for one in loop.waits)
    over = not (loop.ledger.active or loop.ledger.recording or moves)
    return over and bool(loop.observed_at) and loop.knows_its_size


def _error(cause: str, way_out: str) -> Mapping[str, Any]:
    return {"error": {"cause": cause, "way_out": way_out, "exit_code": PlatformError.exit_code}}


def _stays(_: bool) -> None:  # noqa: FBT001  as the daemon's: it is told whether everything is to stop
    """There is no daemon to stop: the process ends with its command."""
