"""The publisher: tells Envoy what it is to run, and knows that it runs it."""

import re
import time
from collections.abc import Callable

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers import ports
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess
from crossfade.platforms.local.balancers.envoy.xds.discovery import Discovery
from crossfade.platforms.local.balancers.envoy.xds.resources import Offer, Resources

_CONFIRM_LIMIT = 10.0  # seconds in which it does nothing: for thousands of routes a busy machine needs longer
_LONGEST = 60.0  # seconds, whatever it does
_LOOK_AGAIN = 0.1  # seconds after which a process that says nothing is looked for
_SHOWN = 3  # of what is not confirmed
_BIND = re.compile(r"cannot bind '.*:(?P<port>\d+)'")


class UnconfirmedError(PlatformError):
    """Envoy has not refused what it was offered, and does not run all of it yet."""


class Patience:
    """How long somebody's answer is waited for. Time in which it `works` counts for little."""

    def __init__(self, works: Callable[[], bool], now: Callable[[], float] = time.monotonic) -> None:
        self._works = works
        self._now = now
        self._began = self._asked = now()
        self._idle = 0.0

    @property
    def seconds(self) -> float:
        """For how long it has been waited."""
        return self._asked - self._began

    def is_over(self) -> bool:
        """To be asked again and again."""
        now = self._now()
        passed, self._asked = now - self._asked, now
        if not self._works():
            self._idle += passed
        return self._idle > _CONFIRM_LIMIT or now > self._began + _LONGEST


class Publisher:
    """What the Envoy that runs now was offered, and what it confirmed of it."""

    def __init__(self, discovery: Discovery, process: EnvoyProcess) -> None:
        self._discovery = discovery
        self._process = process

    async def lay_out(self, wanted: Resources) -> None:
        """Have everything ready for an Envoy that asks; `confirm` sees that it took it."""
        self._discovery.offer(wanted)
        await self._discovery.open()

    async def publish(self, wanted: Resources) -> None:
        """Change what differs, and return when Envoy confirmed it. Workers follow in the same order.

        When Envoy rejects it, the old resources are put back and PlatformError has Envoy's own words.
        """
        before = self._discovery.offered
        self._discovery.offer(wanted)
        try:
            await self.confirm()
        except PlatformError:
            await self._put_back(before)
            raise

    async def confirm(self) -> None:
        """Wait until Envoy runs all that is offered. PlatformError says why not, UnconfirmedError what is left."""
        offer = self._discovery.offered
        if (conversation := self._discovery.with_process(self._process.node)) is not None and conversation.refusal:
            conversation.forgive()
            self._discovery.tell()
        patience = Patience(lambda: self._process.works)
        while True:
            conversation = self._discovery.with_process(self._process.node)
            if conversation is not None:
                if conversation.refusal:
                    raise PlatformError(
                        f"Envoy refused: {_why(conversation.refusal)}", "nothing was changed: the old routing runs"
                    )
                if conversation.runs(offer):
                    return
            self._require_alive(patience, offer)
            await self._discovery.news(_LOOK_AGAIN)

    def _require_alive(self, patience: "Patience", offer: Offer) -> None:
        if not self._process.lives:
            raise PlatformError("Envoy ended before it confirmed its new routing", "it is started again by itself")
        if patience.is_over():
            conversation = self._discovery.with_process(self._process.node)
            missing = conversation.missing(offer) if conversation else ["anything: it does not ask"]
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            raise UnconfirmedError(
                f"Envoy did not confirm {', '.join(missing[:_SHOWN])}{more} in {patience.seconds:.0f} s",
                "its own log is envoy.log beside its files",
            )

    async def _put_back(self, before: Offer) -> None:
        self._discovery.put_back(before)
        try:
            await self.confirm()
        except PlatformError:
            return  # Envoy is in trouble of its own: it is offered the good ones when it is back


def _why(refusal: str) -> str:
    why = " ".join(refusal.split())
    bind = _BIND.search(why)
    holder = ports.holder_of(int(bind["port"])) if bind else ""
    return f"{why} (the port is held by {holder})" if holder else why
