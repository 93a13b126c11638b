"""Tells channels what happened: each by itself, from the journal, tried again until it is told or given up and said."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from crossfade.controller.notify.channels import Channel, Channels
from crossfade.controller.notify.message import KINDS, Message, message_of
from crossfade.controller.notify.send import NotToldError, require_known, send
from crossfade.controller.record import Pen, pages
from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import CrossfadeError
from crossfade.engine.ports.journal import Event

log = logging.getLogger(__name__)

QUIET = 600.0  # seconds after an instance that ended by itself in which no other of its service is told
NOT_TOLD = "not told"


class Send(Protocol):
    """A way to tell one message to one address. NotToldError when it was not told."""

    def __call__(self, url: str, message: Message, *, again: bool) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPace:
    """Seconds: between two tries at first and at most, and after which a message is given up."""

    first: float = 2.0
    longest: float = 300.0
    whole: float = 3600.0


class Notifier:
    """The notifier of all channels.

    No rollout waits for it: it reads what is on record, and writes there only what it could not tell.
    """

    def __init__(
        self,
        registry: LoopRegistry,
        channels: Channels,
        holder: str,
        *,
        by: Send = send,
        patience: RetryPace | None = None,
    ) -> None:
        self._registry = registry
        self._world = registry.world
        self._channels = channels
        self._pen = Pen(registry.world, holder)
        self._send = by
        self._patience = patience or RetryPace()
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # by app
        self._troubles: dict[tuple[str, str], str] = {}
        registry.listeners.append(self._listen)

    def start(self) -> None:
        """Go on where every channel was left. A file that cannot be read is told by `troubles`, and nobody is told."""
        try:
            self._channels.load()
        except CrossfadeError as error:
            self._troubles["", ""] = error.cause
        for app in self._channels.apps():
            self._keep(app)

    async def close(self) -> None:
        await self._pen.close()

    def troubles(self) -> list[str]:
        """Channels that could not be told, and why; no address is in it."""
        return [f"notify {name} of {app}: {why}".lstrip() for (app, name), why in sorted(self._troubles.items())]

    def lacking(self, app: str, asked: Sequence[Mapping[str, Any]]) -> list[str]:
        """What of a deploy's channels has no address, neither from the shell nor from an earlier deploy."""
        return [
            f"no value for {one['secret']}, the address of notify.{one['name']}"
            for one in asked
            if not (one.get("url") or self._known(app, one))
        ]

    def prepared(self, app: str, asked: Sequence[Mapping[str, Any]]) -> list[Channel]:
        """The channels of a deploy, none of them `lacking`: one whose address the shell does not have keeps its own.

        WrongInputError for one that nothing can be sent to.
        """
        made = []
        for one in asked:
            known = self._known(app, one)
            url = one.get("url") or known
            if url != known:
                require_known(url, f"the value of {one['secret']}, the address of notify.{one['name']},")
            made.append(Channel(name=one["name"], secret=one["secret"], on=tuple(one["on"]), url=url))
        return made

    def _known(self, app: str, asked: Mapping[str, Any]) -> str:
        """The address that an earlier deploy brought; one of another variable is another address."""
        known = self._channels.of(app).get(asked["name"])
        return known.url if known and known.secret == asked["secret"] else ""

    def set(self, app: str, channels: Sequence[Channel], since: int) -> None:
        """Tell these of an app, and no others; a new one of what comes after the journal's line `since`."""
        before = self._channels.of(app)
        kept = []
        for one in channels:
            known = before.get(one.name)
            told, telling = (known.told, known.telling) if known else (since, 0)
            kept.append(replace(one, told=told, telling=telling))
        self._channels.set(app, kept)
        for place in [place for place in self._troubles if place[0] == app]:
            del self._troubles[place]
        self._news[app].set()
        self._keep(app)

    def _keep(self, app: str) -> None:
        for name in self._channels.of(app):
            if not self._registry.supervisor.runs(_telling(app, name)):
                self._registry.supervisor.keep(_telling(app, name), partial(self._tell, app, name))

    async def _tell(self, app: str, name: str) -> None:
        """Tell one channel everything that comes, until the file has it no more."""
        seen, quiet = 0, dict[str, float]()
        while (channel := self._channels.of(app).get(name)) is not None:
            news = self._news[app]
            news.clear()
            async for event in pages(self._world.journal, after=max(seen, channel.told), kinds=KINDS):
                seen = event.seq
                if event.service.split("/")[0] == app and (message := self._message(event, channel, quiet)):
                    break
            else:
                await news.wait()
                continue
            await self._deliver(app, channel, message)

    def _message(self, event: Event, channel: Channel, quiet: dict[str, float]) -> Message | None:
        message = message_of(event, self._registry.ledger)
        if message is None or message.sort not in channel.on:
            return None
        if message.kind == "instance":
            if event.at < quiet.get(event.service, 0.0):
                return None
            quiet[event.service] = event.at + QUIET
        return message

    async def _deliver(self, app: str, channel: Channel, message: Message) -> None:
        """Kept before it is sent: who comes after a crash in the next line says that it may be the second time."""
        again = channel.telling == message.id
        self._channels.mark(app, channel.name, told=channel.told, telling=message.id)
        pause, until = self._patience.first, self._world.clock.now() + self._patience.whole
        while True:
            try:
                await self._send(channel.url, message, again=again)
            except NotToldError as error:
                self._troubles[app, channel.name] = str(error)
                if error.hopeless or self._world.clock.now() + pause > until:
                    await self._give_up(app, channel, message, str(error))
                    break
                again = True
                await self._world.clock.sleep(pause)
                pause = min(2 * pause, self._patience.longest)
                now = self._channels.of(app).get(channel.name)
                if now is None or now.url != channel.url:
                    return  # the file has another address by now
            else:
                self._troubles.pop((app, channel.name), None)
                break
        self._channels.mark(app, channel.name, told=message.id, telling=0)

    async def _give_up(self, app: str, channel: Channel, message: Message, why: str) -> None:
        log.warning("notify %s of %s was not told of line %d: %s", channel.name, app, message.id, why)
        await self._pen.write(
            app, NOT_TOLD, {"channel": channel.name, "id": message.id, "title": message.title, "why": why}
        )

    def _listen(self, event: Event) -> None:
        if event.kind in KINDS:
            self._news[event.service.split("/")[0]].set()


def _telling(app: str, name: str) -> str:
    return f"telling {name} of {app}"
