"""The one endpoint: who is asked, whether it goes wrong, and whose answer it is."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web
from tests.rig import wire
from tests.rig.emulator import Emulator
from tests.rig.knobs import Kind, Knobs
from tests.rig.wire import Answer, AwsError, Call, Json

_log = logging.getLogger(__name__)
Operation = Callable[[Call], Awaitable[Json | None]]
_MAX_BODY = 2**30


class Gateway:
    """`own` are operations that the rig answers itself; `after` hears of the emulator's, once they are done."""

    def __init__(self, emulator: Emulator, knobs: Knobs, own: dict[tuple[str, str], Operation]) -> None:
        self._emulator, self._knobs, self._own = emulator, knobs, own
        self.calls: Counter[str] = Counter()
        self.after: dict[str, Callable[[Call], Awaitable[None]]] = {}  # by service
        self.control: web.Application | None = None  # what is asked under /_rig

    def application(self, control: web.Application) -> web.Application:
        application = web.Application(client_max_size=_MAX_BODY)
        application.add_subapp("/_rig", control)
        application.router.add_route("*", "/{rest:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = wire.read(request.method, request.raw_path, request.headers, body, mine=False)
        self.calls[f"{call.service}:{call.operation}"] += 1
        fault = self._knobs.fault(call.service, call.operation)
        if fault and fault.kind is Kind.REFUSED:
            return _response(wire.refusal(call, AwsError(fault.code, fault.message, fault.status)))
        if not fault or fault.kind is not Kind.UNHEARD:
            answer = await asyncio.shield(self._answer(call, request, body))  # done, although nobody may wait for it
        if fault and fault.kind is Kind.LATE:
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind in (Kind.LOST, Kind.UNHEARD):
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        return _response(answer)

    async def _answer(self, call: Call, request: web.Request, body: bytes) -> Answer:
        own = self._own.get((call.service, call.operation))
        if own is not None:
            call = wire.read(request.method, request.raw_path, request.headers, body, mine=True)
            try:
                result = await own(call)
            except AwsError as error:
                return wire.refusal(call, error)
            except Exception as error:  # noqa: BLE001  a client is to hear of it
                _log.exception("%s %s", call.service, call.operation)
                return wire.refusal(call, AwsError("InternalFailure", f"the rig failed: {error!r}", 500))
            if result is not None:
                return wire.answer(call, result)
        try:
            answer = await self._emulator.ask(request.method, request.raw_path, request.headers, body)
        except NotImplementedError as error:  # at once: what looks like trouble at AWS, clients try for minutes
            return wire.refusal(call, AwsError("UnknownOperationException", f"the rig has no such operation: {error}"))
        heard = self.after.get(call.service)
        if heard and answer.status < 300 and not call.operation.startswith(("Describe", "Get", "List")):
            await heard(call)
        return answer


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
