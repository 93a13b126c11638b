"""Our own health checks: one task an instance, counting to the thresholds, telling the loop when something changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from crossfade.core.errors import CrossfadeError
from crossfade.core.fleet import Health
from crossfade.core.health import Probed, count
from crossfade.core.service import HealthCheck
from crossfade.engine.ports.clock import Clock
from crossfade.engine.task import cancelled

log = logging.getLogger(__name__)

YOUNG = 50  # one that starts is asked again after a fiftieth of its age: found that much later at most
AT_ONCE = 2000  # questions a second to all that start; one that finds nobody costs 0.2 ms of a processor
COMMAND_PAUSE = 0.5  # seconds between two commands to one that starts: each costs a process, not a packet
# Seconds after a check's timeout within which its complaint comes, unless we did not work ourselves. An answer that
# came meanwhile may lie there unread: on a busy machine good instances would be taken out one and all.
OURS = 0.25
SLOW = 1.0  # seconds after which a question that is not answered yet says more than the answer before it


Question = Callable[[], Awaitable[str]]
"""Ask one instance once: the complaint, empty when it is well. Never raises for a bad instance.

CrossfadeError where it could not be asked, which says nothing of it.
"""


@dataclass
class _Watched:
    ask: Question
    probed: Probed
    check: HealthCheck
    asked: float | None = None  # since when it is being asked; None: nobody asks
    task: asyncio.Task[None] | None = None

    def not_asked(self, why: str) -> None:
        """Nothing was found out; of one that starts it is told why."""
        if self.probed.health is Health.STARTING:
            self.probed = replace(self.probed, detail=why)


class Prober:
    """Probes of the instances of one service."""

    def __init__(self, clock: Clock, changed: Callable[[], None], pace: tuple[float, float]) -> None:
        self._clock = clock
        self._changed = changed
        self._shortest, self._longest = pace
        self._watched: dict[str, _Watched] = {}

    def watch(self, wanted: Mapping[str, tuple[Question, HealthCheck]], trusted: frozenset[str]) -> None:
        """Probe exactly these instances, by id.

        One in `trusted` that is new to us passed its threshold before we came (the balancer had it registered): it
        keeps its traffic and loses it only by failing.
        """
        for instance in sorted(self._watched.keys() - wanted.keys()):
            self._drop(instance)
        for instance, (ask, check) in wanted.items():
            if instance in self._watched:
                continue
            now = self._clock.now()
            probed = Probed(health=Health.HEALTHY, healthy_since=now) if instance in trusted else Probed()
            watched = _Watched(ask=ask, probed=probed, check=check)
            self._watched[instance] = watched
            watched.task = asyncio.create_task(self._probe(instance, watched), name=f"probe {instance}")

    def seen(self, instance: str) -> Probed:
        """What its probes came to; of one that starts, in words of what is so now, and not when it last complained."""
        watched = self._watched.get(instance)
        if watched is None or watched.probed.health is not Health.STARTING:
            return watched.probed if watched else Probed()
        probed, check = watched.probed, watched.check
        told = [probed.detail] if probed.detail else []
        if probed.streak:
            told.insert(0, f"passed {probed.streak} of {check.healthy} health checks in a row")
        if watched.asked is not None and (took := self._clock.now() - watched.asked) >= SLOW:
            silent = f"`{check.command}` has not ended" if check.command else "has not answered its health check"
            told.insert(0, f"{silent} for {took:.0f} s")
        return replace(probed, detail="; before that: ".join(told[:2]))

    def close(self) -> None:
        for instance in list(self._watched):
            self._drop(instance)

    def _drop(self, instance: str) -> None:
        task = self._watched.pop(instance).task
        if task:
            task.cancel()

    async def _probe(self, instance: str, watched: _Watched) -> None:
        check, began, late = watched.check, self._clock.now(), False
        while True:
            asked = watched.asked = self._clock.now()
            try:
                complaint = await watched.ask()
            except asyncio.CancelledError:
                if cancelled():
                    raise
            except CrossfadeError as error:
                log.warning("%s could not be asked: %s", instance, error.cause)
                watched.not_asked(error.cause)
            except Exception:  # ours to blame (no file left to open, say): it tells nothing about the instance
                log.exception("a probe of %s failed", instance)
            else:
                now, before = self._clock.now(), watched.probed.health
                over = complaint and not check.command and now - asked > check.timeout + OURS
                late = bool(over) and not late
                if late:
                    continue  # we were, ourselves: asked again at once, now that we work; that answer counts anyway
                watched.probed = count(watched.probed, check, now, complaint)
                if watched.probed.health is not before:
                    self._changed()
            watched.asked = None
            pause = check.interval
            if watched.probed.health is Health.STARTING:
                age = self._clock.now() - began
                soon = min(self._longest, max(self._shortest, age / YOUNG, len(self._watched) / AT_ONCE))
                pause = min(pause, max(COMMAND_PAUSE, age / 10) if check.command else soon)
            await self._clock.sleep(pause)
