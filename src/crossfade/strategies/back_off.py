"""The back-off of launches: how long the next one waits after instances that ended, ever longer."""

import math

from crossfade.core.actions import Hold
from crossfade.core.fleet import Fleet

BACK_OFF_WINDOW = 600.0  # seconds an exit is held against a release
BACK_OFF_MOST = 60.0
ONE_MOMENT = 0.5  # seconds


def back_off(failures: int) -> float:
    """Seconds to wait after the last failure before the next launch: 0, 1, 2, 4 ... 60."""
    return 0.0 if failures <= 1 else min(BACK_OFF_MOST, 2.0 ** min(failures - 2, 10))


def waits_after_exits(fleet: Fleet, release: int, started_at: float, now: float) -> Hold | None:
    """What keeps the next launch of a release waiting; exits before `started_at` are not held against it.

    An exit that lies ahead says that the clock went back, and keeps nothing; a start that does is no start to go by.
    """
    since = max(started_at if started_at <= now else 0.0, now - BACK_OFF_WINDOW)
    exits = [e.at for e in fleet.exits if e.release == release and e.at >= since]
    if not exits or exits[-1] > now:
        return None
    until = exits[-1] + back_off(_failures(exits))
    if now >= until:
        return None
    return Hold(why=f"release {release} exited {len(exits)} times, next launch waits", until=until)


def _failures(exits: list[float]) -> int:
    """Exits of one moment are one failure: eight instances that a reboot ended are not a crash loop.

    A moment ends half a second after it began. Exits at 0.0, 0.4, 0.8 and 1.2 s are two failures, however evenly a
    loop crashes: otherwise each would belong to the moment of the one before, and nothing would ever slow it down.
    """
    failures, began = 0, -math.inf
    for at in exits:
        if not 0 <= at - began <= ONE_MOMENT:
            failures, began = failures + 1, at
    return failures
