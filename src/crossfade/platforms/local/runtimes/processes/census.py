"""Who runs on this machine, and in which session of ours each began: looked at once for all that ask at a time.

The kernel has no list of who began where. So each look goes through all processes, and with a thousand instances these
are some thousands: were each of the thousand looked for by itself, to end them would take a thousand looks.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossfade.platforms.local.runtimes.processes import log_writer, marks, proc
from crossfade.platforms.local.runtimes.processes.proc import Process
from crossfade.platforms.local.together import Together


@dataclass(frozen=True, slots=True)
class CensusLook:
    """One look. `began` has, by the file of a session, who carries its mark, what writes its log included."""

    everyone: Sequence[Process]  # but us
    began: Mapping[str, frozenset[tuple[int, int]]]


class Census:
    """Looks for who asks, together with all others that ask meanwhile; each look begins after who gets it has asked."""

    def __init__(self) -> None:
        self._looks: Together[None, CensusLook] = Together(self._look)

    async def seen(self) -> CensusLook:
        return await self._looks.served(None)

    async def _look(self, asking: Sequence[None]) -> list[CensusLook]:
        seen = await asyncio.to_thread(look)
        return [seen] * len(asking)


def look() -> CensusLook:
    """Go through all processes now."""
    everyone = [process for process in proc.everyone() if process.pid != os.getpid()]
    began: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for process in everyone:
        for session in marks.carried(process.pid, marks.NAME, log_writer.MARK):
            began[session].add(process.identity)
    return CensusLook(everyone, {session: frozenset(those) for session, those in began.items()})
