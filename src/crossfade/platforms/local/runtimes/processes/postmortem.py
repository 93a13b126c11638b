"""The postmortem of an instance, or of one that nobody reaches: exit code, last words, and who listens where."""

import asyncio
from dataclasses import dataclass

from crossfade.platforms.local.kernel import tcp
from crossfade.platforms.local.kernel.memory import why_killed
from crossfade.platforms.local.runtimes.ending import describe
from crossfade.platforms.local.runtimes.processes import logs
from crossfade.platforms.local.runtimes.processes.addresses.ports import is_free
from crossfade.platforms.local.runtimes.processes.session import Session

_REACHED = frozenset({"127.0.0.1", "0.0.0.0", "::"})  # noqa: S104  where it is looked for, and not opened


@dataclass(frozen=True, slots=True)
class Ending:
    """How an instance ended, in one line; `displaced` when somebody else had its port, which no release can help."""

    detail: str
    displaced: bool = False


async def of(session: Session, port: int) -> Ending:
    """What is known of an instance's end. To be asked when it is first seen, while its traces are fresh."""
    if not session.started:
        return Ending("was never started")
    seen = await session.seen()
    session.settle(seen)
    left = [process.pid for process in session.members(seen)]
    if left and (session.code == 0 or tcp.listeners_of(left)):
        return Ending(
            f"went into the background as process {left[0]}, where nobody looks after it: let its command stay in the "
            "foreground (many servers have an option for that, such as --no-daemon)"
        )
    why = why_killed(session.leader, session.code) if session.leader else ""
    said = describe(session.code, logs.last_words(session.log), why)
    # That the port cannot be bound is not enough: what the instance was answering keeps it for a minute after its end.
    if not left and port and not is_free(port) and (thief := tcp.holder_of(port)) is not None:
        taken = f"port {port} was taken by a program of user {thief} before it could listen"
        return Ending(f"{taken}: {said}", displaced=True)
    return Ending(said)


async def silent(session: Session, port: int) -> str:
    """What an instance listens on when it is not its port on 127.0.0.1; empty when it listens on no port at all.

    `port` is 0 for one that should listen on a socket.
    """
    members = session.members(await session.seen())
    held = await asyncio.to_thread(tcp.listeners_of, [process.pid for process in members])
    if not held:
        return ""
    there = ", ".join(sorted({str(listener) for listener in held}))
    if not port:
        return f"listens on {there}, not on the socket $CROSSFADE_SOCKET"
    if any(listener.port == port and listener.address in _REACHED for listener in held):
        return ""  # it began just now
    if any(listener.port == port for listener in held):
        return f"listens only on {there}: let it listen on 127.0.0.1 or on all addresses"
    return f"listens on {there}, not on $PORT, which is {port}"
