"""The next steps of a release group: how its members stand goes in, the next actions come out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from crossfade.core.actions import Finish
from crossfade.core.group import Group, Member
from crossfade.core.rollout import State


class Stand(StrEnum):
    """How one member of a group stands."""

    WAITING = "waiting"  # its rollout has not begun
    MOVING = "moving"  # its rollout is under way
    TURNED = "turned"  # its rollout is under way back: it will be lost
    OUT = "out"  # its rollout succeeded
    LOST = "lost"  # its rollout was taken back, failed or was aborted: it is at its source
    LEAVING = "leaving"  # it was out and is going back, because another one was lost
    BACK = "back"  # it was out and is at its source again, or was taken down
    STUCK = "stuck"  # it was out and its way back failed: it is out still


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member's stand; `why` says how it was lost or got stuck, `aborted` that a person wanted it so."""

    stand: Stand
    why: str = ""
    aborted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginMember:
    """Begin a member's rollout."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Take a member's rollout that is under way back."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMember:
    """Bring a member that is out back to its source."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """The group goes back from here on."""

    reason: str
    ending: State


GroupAction = BeginMember | Abort | ReturnMember | TakeBack | Finish


def next_of(group: Group, standings: Mapping[str, Standing], most: int) -> tuple[GroupAction, ...]:
    """What is to be done now, all of it beside each other; nothing while there is something to be waited for.

    A member moves once those that it comes after are out, `most` of them at a time: a bad one is met before the rest is
    touched. On the way back nothing goes before those that come after it.
    """
    if group.state.terminal:
        return ()
    if group.state is State.ROLLING_BACK:
        return _backward(group, standings, most)
    return _forward(group, standings, most)


def _forward(group: Group, standings: Mapping[str, Standing], most: int) -> tuple[GroupAction, ...]:
    for member in group.members:
        standing = standings[member.service]
        if standing.stand in {Stand.TURNED, Stand.LOST, Stand.BACK, Stand.STUCK}:
            ending = State.ABORTED if standing.aborted else State.ROLLED_BACK
            return (TakeBack(reason=standing.why or f"{member.service} went back", ending=ending),)
    stands = {service: standing.stand for service, standing in standings.items()}
    if all(stand is Stand.OUT for stand in stands.values()):
        return (Finish(state=State.SUCCEEDED, reason=f"all {len(group.members)} services are out"),)
    ready = (
        member
        for member in group.members
        if stands[member.service] is Stand.WAITING and all(stands[other] is Stand.OUT for other in member.after)
    )
    moving = sum(stand is Stand.MOVING for stand in stands.values())
    return tuple(BeginMember(member=member) for member in islice(ready, max(0, most - moving)))


def _backward(group: Group, standings: Mapping[str, Standing], most: int) -> tuple[GroupAction, ...]:
    stands = {service: standing.stand for service, standing in standings.items()}
    moving = [m for m in reversed(group.members) if stands[m.service] in {Stand.MOVING, Stand.TURNED}]
    if moving:
        return tuple(Abort(member=member) for member in moving)
    away = [member for member in reversed(group.members) if stands[member.service] in {Stand.OUT, Stand.LEAVING}]
    if away:
        needed = {service for member in away for service in member.after}
        ready = (m for m in away if m.service not in needed and stands[m.service] is Stand.OUT)
        leaving = sum(stands[member.service] is Stand.LEAVING for member in away)
        return tuple(ReturnMember(member=member) for member in islice(ready, max(0, most - leaving)))
    stuck = [standing.why for standing in standings.values() if standing.stand is Stand.STUCK]
    ending = State.FAILED if stuck else group.ending
    return (Finish(state=ending, reason="; and ".join([group.reason, *stuck])),)
