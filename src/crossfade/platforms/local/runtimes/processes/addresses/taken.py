"""Ports that somebody else took before their instance had them: whatever that does, requests would reach the other."""

from crossfade.platforms.local.kernel import descriptors
from crossfade.platforms.local.runtimes.processes.addresses.listeners import Listeners
from crossfade.platforms.local.runtimes.processes.record import InstanceRecord
from crossfade.platforms.local.runtimes.processes.session import Session


class TakenBy:
    """Who has the ports of instances. What was found out about a socket holds for as long as it is there."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self._right: dict[int, frozenset[int]] = {}  # by port: sockets that are its instance's own, or nobody's we know

    async def another(self, record: InstanceRecord, session: Session) -> str:
        """Why the instance has lost its port; empty when it has not.

        Another user's process has it, or another instance of ours: one of another state directory, which chooses among
        the same ports. What else of ours listens there may be the instance's helper, such as Docker's proxy.
        """
        if stranger := self._listeners.stranger(record.port):
            return f"its port {record.port} was taken by {stranger}, another user of this machine"
        sockets = self._listeners.on(record.port).sockets
        if sockets and self._right.get(record.port) != sockets:
            if other := await self._instance(session, sockets):
                return f"its port {record.port} was taken by {other}"
            self._right[record.port] = sockets
        return ""

    @staticmethod
    async def _instance(session: Session, sockets: frozenset[int]) -> str:
        """Another instance that has these sockets, where this one has none of them."""
        if session.leader and descriptors.holds(session.leader.pid, sockets):
            return ""
        seen = await session.seen()
        if any(descriptors.holds(process.pid, sockets) for process in session.members(seen)):
            return ""
        for file, processes in seen.began.items():
            for process in processes if file != str(session.file) else ():
                if descriptors.holds(process.pid, sockets):
                    return f"process {process.pid} of another instance, {file}"
        return ""
