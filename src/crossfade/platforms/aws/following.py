"""Lines of CloudWatch Logs that are followed: asked for again and again, and told once each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.logs import Said

LOOK = 3.0  # seconds between two looks at what is new
OVERLAP = 10_000  # ms: what was written a moment ago may come after what was written later
MS = 1000

New = Callable[[int], Awaitable[Iterable[Said]]]


async def followed(told: Iterable[Said], began: int, new: New, clock: Clock, look: float) -> AsyncIterator[Said]:
    """What comes after `told`, for ever. `began` is when that was asked for, and `new` says what was written since.

    Both are in milliseconds. Each look asks for little more than what is new, so that a day of it costs no more by
    the look than a minute.
    """
    since, known = began, {one for one in told if one.at * MS >= began - OVERLAP}
    while True:
        await clock.sleep(look)
        newest = since
        for one in await new(since - OVERLAP):
            newest = max(newest, round(one.at * MS))
            if one not in known:
                known.add(one)
                yield one
        since = newest
        known = {one for one in known if one.at * MS >= since - 2 * OVERLAP}
