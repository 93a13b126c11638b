"""What a release group does next: how its members stand goes in, the next action comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossfade.core.group import Group, Member
from crossfade.core.rollout import State


class Stand(StrEnum):
    """How one member of a group stands."""

    WAITING = "waiting"  # its rollout has not begun
    MOVING = "moving"  # its rollout is under way, in whichever direction it goes
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
class Begin:
    """Begin a member's rollout."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Take a member's rollout that is under way back."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Bring a member that is out back to its source."""

    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """The group goes back from here on."""

    reason: str
    ending: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The group is over."""

    state: State
    reason: str


GroupAction = Begin | Abort | Return | TakeBack | Finish


def next_of(group: Group, standings: Mapping[str, Standing]) -> GroupAction | None:
    """The one next action; None while something is to be waited for, or when the group is over.

    One member moves at a time, so that a bad one is met before those after it are touched; on the way back the last
    one goes first.
    """
    if group.state.terminal:
        return None
    if group.state is State.ROLLING_BACK:
        return _backward(group, standings)
    return _forward(group, standings)


def _forward(group: Group, standings: Mapping[str, Standing]) -> GroupAction | None:
    for member in group.members:
        standing = standings[member.service]
        if standing.stand in {Stand.LOST, Stand.BACK, Stand.STUCK}:
            ending = State.ABORTED if standing.aborted else State.ROLLED_BACK
            return TakeBack(reason=standing.why or f"{member.service} went back", ending=ending)
    stands = {service: standing.stand for service, standing in standings.items()}
    if Stand.MOVING in stands.values():
        return None
    if all(stand is Stand.OUT for stand in stands.values()):
        return Finish(state=State.SUCCEEDED, reason=f"all {len(group.members)} services are out")
    ready = [
        member
        for member in group.members
        if stands[member.service] is Stand.WAITING and all(stands[other] is Stand.OUT for other in member.after)
    ]
    return Begin(member=ready[0]) if ready else None


def _backward(group: Group, standings: Mapping[str, Standing]) -> GroupAction | None:
    for member in reversed(group.members):
        match standings[member.service].stand:
            case Stand.MOVING:
                return Abort(member=member)
            case Stand.LEAVING:
                return None
            case Stand.OUT:
                return Return(member=member)
            case _:
                continue
    stuck = [standing.why for standing in standings.values() if standing.stand is Stand.STUCK]
    return Finish(state=State.FAILED if stuck else group.ending, reason="; and ".join([group.reason, *stuck]))
