"""The census of this machine's processes, and of which session of ours each is: taken once for all that ask at a time.

The kernel has no list of who began where. So each look goes through all processes, and with a thousand instances these
are some thousands: were each of the thousand looked for by itself, to end them would take a thousand looks.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process
from crossfade.platforms.local.runtimes.processes import log_writer, marks
from crossfade.platforms.local.together import Together

_SETTLED = 1000  # clock ticks, some ten seconds, after which who began has its last program and environment
_NO_INODE = 1  # the kernel's word for a process that ended while it was listed


@dataclass(frozen=True, slots=True)
class CensusLook:
    """One look at everybody but us.

    Of who carries no mark, `sessions` may have what was so in an earlier look: who acts on one looks at it again.
    """

    began: Mapping[str, Sequence[Process]]  # by the file of a session, who carries its mark, what writes its log too
    sessions: Mapping[int, Sequence[Process]]  # by the number of a session, who is in it


class Census:
    """A census of processes, taken at once for all that ask meanwhile; each look begins after who gets it has asked.

    It remembers strangers, so that thousands of them cost next to nothing: by the inode of their folder in /proc, which
    comes with the list of names and is another one when another process gets the pid.
    """

    def __init__(self, settled: int = _SETTLED) -> None:
        self._settled = settled
        self._looks: Together[None, CensusLook] = Together(self._look)
        self._strangers: dict[tuple[str, int], Process] = {}

    async def seen(self) -> CensusLook:
        return await self._looks.served(None)

    def look(self) -> CensusLook:
        """Go through all processes now."""
        began: defaultdict[str, list[Process]] = defaultdict(list)
        everyone: defaultdict[int, list[Process]] = defaultdict(list)
        strangers: dict[tuple[str, int], Process] = {}
        settled = proc.ticks() - self._settled
        for folder in _folders():
            process = self._strangers.get(folder)
            if process is None:
                process = proc.look(int(folder[0]))
                if process is None or process.ended or process.pid == os.getpid():
                    continue
                sessions = set(marks.carried(process.pid, marks.NAME, log_writer.MARK))
                for session in sessions:
                    began[session].append(process)
                unsure = process.forked or process.start > settled or folder[1] == _NO_INODE
                if not (sessions or unsure):
                    strangers[folder] = process
            else:
                strangers[folder] = process
            everyone[process.session].append(process)
        self._strangers = strangers
        return CensusLook(began, everyone)

    async def _look(self, asking: Sequence[None]) -> list[CensusLook]:
        seen = await asyncio.to_thread(self.look)
        return [seen] * len(asking)


def _folders() -> Iterator[tuple[str, int]]:
    """Of all processes: the name of the folder, and its inode."""
    with os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit():
                yield entry.name, entry.inode()
