"""What anybody can know by now of an instance's health: probes, looks and clouds tell it late."""

from typing import TYPE_CHECKING

from tests.property.history import KEY

from crossfade.core.fleet import Health
from crossfade.engine.dry.cloud import LAG
from crossfade.engine.dry.platform import Life

if TYPE_CHECKING:
    from tests.property.simulation import Simulation


class Known:
    """The health of instances as a controller that does all right may believe it."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation

    def _looked(self) -> float:
        """When the controller began to look at what it knows, by the platform's clock."""
        control, platform = self._simulation.control, self._simulation.platform
        if control is None:
            return platform.clock.now()
        ago = control.world.clock.now() - control.registry.loops[KEY].observed_at
        return platform.clock.now() - ago

    def surely_healthy(self, life: Life, now: float) -> bool:
        """It has been healthy for so long that whoever is told late knows it, too."""
        return all(life.truth(now - ago) is Health.HEALTHY for ago in range(0, 31, 3))

    def seen_healthy(self, life: Life, now: float) -> bool:
        """It is healthy, and has not just recovered: that takes its threshold of probes, and a look."""
        if life.truth(now) is not Health.HEALTHY:
            return False
        if all(then is not Health.UNHEALTHY for _, then in life.behaviour.life):  # most: they have never to recover
            return True
        check = life.release.service.health
        notice = check.healthy * (check.interval + check.timeout) + 5.0
        return not any(life.truth(self._worked(now, ago * notice / 4)) is Health.UNHEALTHY for ago in range(5))

    def passes(self, life: Life, now: float) -> bool:
        """It is healthy, or was until so lately that nobody can know better yet: a threshold of probes, and a look."""
        check, probe = life.release.service.health, life.behaviour.probe
        if self._simulation.cloud:
            since = self._looked() - LAG  # what is told may be old
        elif probe > check.timeout:
            return False
        else:
            since = self._worked(now, check.unhealthy * (check.interval + check.timeout + probe) + 5.0)
        turns = [at for after, _ in life.behaviour.life if since < (at := life.born + after) <= now]
        return any(life.truth(moment) is Health.HEALTHY for moment in (since, *turns))

    def _worked(self, now: float, ago: float) -> float:
        """The moment after which somebody has worked for so long: who was stopped knows what it knew then."""
        at, seconds = self._simulation.stopped
        return now - ago if now - ago >= at + seconds else now - ago - seconds
