"""The course of a release by its settings alone: the decisions of a deploy on a fleet in memory."""

from dataclasses import dataclass

from crossfade.core.release import Outcome, Release
from crossfade.core.service import Service
from crossfade.engine.ledger import Ledger
from crossfade.engine.plan import plan
from crossfade.rehearse.arrange import PlayedService, pace, shortened
from crossfade.rehearse.estimate import GoodCourse

PACES = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800)
WITHIN = 20.0  # seconds that a release is to take here by its settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Seconds from the first step to the last, and how often instances are launched on the way."""

    seconds: float
    waves: int


def planned(service: Service) -> Planned:
    """A release after another good one. Runs where no event loop does."""
    first = Release(number=1, service=service, version="", digest="", config_hash="", outcome=Outcome.GOOD)
    steps = plan(service, Ledger(service=service.key, releases=(first,), current=1))
    waves = sum(step["do"].startswith("launch") for step in steps)
    return Planned(seconds=steps[-1]["at"] if steps else 0.0, waves=max(1, waves))


def chosen_pace(services: tuple[Service, ...]) -> float:
    """How many times faster they have to go so that all of them, one after the other, take some seconds here."""
    shares = {float(factor): 0.0 for factor in PACES}
    for service in services:
        for factor in shares:
            shares[factor] += planned(shortened(service, factor)).seconds
    return pace(shares, WITHIN * max(1, len(services)))


def course(role: PlayedService, took: float) -> GoodCourse:
    """What a good release of it took here, beside what its settings say."""
    there, here = planned(role.plan), planned(role.played)
    return GoodCourse(
        planned=there.seconds,
        planned_here=here.seconds,
        took=took,
        waves=here.waves,
        checks=role.plan.health.healthy,
        interval=role.plan.health.interval,
    )
