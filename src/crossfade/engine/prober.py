"""Our own health checks: one task an instance, counting to the thresholds, telling the loop when something changed."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossfade.core.fleet import Health
from crossfade.core.health import Probed, count
from crossfade.core.service import HealthCheck
from crossfade.engine.ports import Clock
from crossfade.engine.task import cancelled
from crossfade.engine.world import Ask

log = logging.getLogger(__name__)


@dataclass
class _Watched:
    address: str
    probed: Probed
    task: asyncio.Task[None] | None = None


class Prober:
    """Probes of the instances of one service."""

    def __init__(self, ask: Ask, clock: Clock, changed: Callable[[], None], pace: tuple[float, float]) -> None:
        self._ask = ask
        self._clock = clock
        self._changed = changed
        self._shortest, self._longest = pace
        self._watched: dict[str, _Watched] = {}

    def watch(self, wanted: Mapping[str, tuple[str, HealthCheck]], trusted: frozenset[str]) -> None:
        """Probe exactly these instances, id -> (address, check).

        One in `trusted` that is new to us passed its threshold before we came (the balancer had it registered): it
        keeps its traffic and loses it only by failing.
        """
        for instance in sorted(self._watched.keys() - wanted.keys()):
            self._drop(instance)
        for instance, (address, check) in wanted.items():
            if instance in self._watched:
                continue
            now = self._clock.now()
            probed = Probed(health=Health.HEALTHY, healthy_since=now) if instance in trusted else Probed()
            watched = _Watched(address=address, probed=probed)
            self._watched[instance] = watched
            watched.task = asyncio.create_task(self._probe(watched, check), name=f"probe {instance}")

    def seen(self, instance: str) -> Probed:
        watched = self._watched.get(instance)
        return watched.probed if watched else Probed()

    def close(self) -> None:
        for instance in list(self._watched):
            self._drop(instance)

    def _drop(self, instance: str) -> None:
        task = self._watched.pop(instance).task
        if task:
            task.cancel()

    async def _probe(self, watched: _Watched, check: HealthCheck) -> None:
        began = self._clock.now()
        while True:
            try:
                complaint = await self._ask(watched.address, check)
            except asyncio.CancelledError:
                if cancelled():
                    raise
            except Exception:  # ours to blame (no file left to open, say): it tells nothing about the instance
                log.exception("a probe of %s failed", watched.address)
            else:
                before = watched.probed.health
                watched.probed = count(watched.probed, check, self._clock.now(), complaint)
                if watched.probed.health is not before:
                    self._changed()
            pause = check.interval
            if watched.probed.health is Health.STARTING:
                pause = min(pause, max(self._shortest, min(self._longest, (self._clock.now() - began) / 10)))
            await self._clock.sleep(pause)
