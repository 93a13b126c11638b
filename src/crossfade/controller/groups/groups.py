"""Release groups carried to their end: all services out, or all back, whoever watches or dies."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from crossfade.controller import rollouts
from crossfade.controller.order import Order
from crossfade.controller.record import pages
from crossfade.controller.registry import LoopRegistry
from crossfade.controller.releases import rollback_to, rollout_to
from crossfade.core.actions import Finish
from crossfade.core.errors import CrossfadeError, StaleTokenError, WrongInputError
from crossfade.core.group import Group, Member
from crossfade.core.rollout import Rollout, State
from crossfade.core.wire import decode, encode
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Event, Lease
from crossfade.strategies.several.group import (
    Abort,
    BeginMember,
    GroupAction,
    ReturnMember,
    Stand,
    Standing,
    TakeBack,
    next_of,
)

STARTED, BACK, ENDED = "group started", "group taken back", "group ended"
KINDS = frozenset({STARTED, BACK, ENDED})


def advance(group: Group | None, event: Event) -> Group | None:
    """A group after one more event."""
    if event.kind == STARTED:
        return replace(decode(Group, event.data["group"]), started_at=event.at)
    if group is None:
        return None
    state, reason = State(event.data["state"]), event.data["reason"]
    if event.kind == BACK:
        return replace(group, state=State.ROLLING_BACK, ending=state, reason=reason)
    return replace(group, state=state, reason=reason, finished_at=event.at)


class Groups:
    """The groups of all apps; their events stand in the journal under the app's name."""

    def __init__(self, registry: LoopRegistry, holder: str) -> None:
        self._registry = registry
        self._holder = holder
        self._groups: dict[str, list[Group]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._leases: dict[str, Lease] = {}  # that were taken to write of a group
        self._stood: dict[str, tuple[Ledger, int, Standing]] = {}  # by service: of what record, in which group
        self._seq = 0  # of the newest line that is folded
        registry.listeners.append(self._listen)

    async def start(self, *, carry: bool = True) -> None:
        """Go on with every group where the journal left it; without `carry` only know of them."""
        async for event in pages(self._registry.world.journal, kinds=KINDS):
            self._fold(event)
        for app in self._groups if carry else ():
            self.go_on(app)

    def go_on(self, app: str) -> None:
        """Carry the group of an app that is under way, if there is one and nobody does."""
        if self.active(app) and not self._registry.supervisor.runs(_carrying(app)):
            self._keep(app)

    def take(self, event: Event) -> None:
        """Know of a line that another process wrote of the group that it carries."""
        if event.seq > self._seq and event.kind in KINDS:
            self._fold(event)
            self._registry.world.told(event)

    async def close(self) -> None:
        """Let others write of the groups, without having to wait."""
        for lease in self._leases.values():
            with suppress(CrossfadeError):
                await self._registry.world.journal.release(lease)
        self._leases.clear()

    def active(self, app: str) -> Group | None:
        """The group of an app that is under way."""
        newest = self._groups[app][-1] if self._groups.get(app) else None
        return None if newest is None or newest.state.terminal else newest

    def all_active(self) -> list[Group]:
        return [group for app in sorted(self._groups) if (group := self.active(app))]

    def find(self, app: str, number: int) -> Group:
        for group in self._groups.get(app, ()):
            if group.id == number:
                return group
        raise WrongInputError(f"{app} has no release group {number}", "`crossfade status` shows what runs")

    def standings(self, group: Group) -> dict[str, Standing]:
        """How the members stand, by service."""
        return {m.service: self._standing(group, m) for m in group.members}

    def results(self, group: Group) -> list[tuple[str, int]]:
        """The rollouts of a group that are over, as (service, number): as they ended, and what was lost comes last."""
        ended = [
            (record.rollout.state is not State.SUCCEEDED, record.rollout.finished_at, member.service, record.rollout.id)
            for member in group.members
            for record in self._registry.ledger(member.service).records
            if record.rollout.group == group.id
        ]
        return [(service, number) for _, _, service, number in sorted(ended)]

    async def begin(self, app: str, members: Sequence[Member], order: Order) -> Group:
        """Put a group on record and carry it from now on."""
        number = self._groups[app][-1].id + 1 if self._groups.get(app) else 1
        group = Group(id=number, app=app, members=tuple(members), by=order.by)
        await self._record(app, STARTED, {"group": encode(group)})
        self._keep(app)
        return self.find(app, number)

    async def abort(self, app: str, reason: str) -> None:
        """Take the group under way back; one that goes back already goes on doing that."""
        group = self.active(app)
        if group and group.state is State.RUNNING:
            await self._record(app, BACK, {"state": State.ABORTED.value, "reason": reason})
            self._news[app].set()

    async def ended(self, group: Group) -> Group:
        """Wait for the end of a group."""
        while not (now := self.find(group.app, group.id)).state.terminal:
            await self._registry.supervisor.ended(_carrying(group.app))
        return now

    def _standing(self, group: Group, member: Member) -> Standing:
        """Looked up anew only when something was written of the service: of hundreds, each line is about one."""
        ledger = self._registry.ledger(member.service)
        of, number, stands = self._stood.get(member.service, (None, 0, _WAITING))
        if of is not ledger or number != group.id:
            stands = standing(ledger, group, member)
            self._stood[member.service] = ledger, group.id, stands
        return stands

    def _keep(self, app: str) -> None:
        self._news[app] = asyncio.Event()
        self._registry.supervisor.keep(_carrying(app), partial(self._carry, app))

    async def _carry(self, app: str) -> None:
        news = self._news[app]
        while group := self.active(app):
            news.clear()
            actions = next_of(group, self.standings(group), self._registry.world.pace.together)
            if not actions:
                await news.wait()
            done = await asyncio.gather(*(self._act(group, one) for one in actions), return_exceptions=True)
            if failed := next((one for one in done if one is not None), None):  # the others went on all the same
                raise failed

    async def _act(self, group: Group, action: GroupAction) -> None:
        match action:
            case BeginMember(member=member):
                await self._move(group, member, member.target)
            case Abort(member=member):
                loop = self._registry.loops[member.service]
                if loop.ledger.active and loop.ledger.active.state is State.RUNNING:
                    await rollouts.abort(loop, group.by, _with(group))
                await loop.until(lambda loop: loop.ledger.active is None)
            case ReturnMember(member=member) if member.source is None:
                loop = self._registry.loops[member.service]
                await rollouts.remove(loop, group.by, f"went back with its {_with(group)}")
                self._registry.take_down(loop)
                await self._registry.gone(loop)
            case ReturnMember(member=member):
                await self._move(group, member, member.source)
            case TakeBack(reason=reason, ending=ending):
                await self._record(group.app, BACK, {"state": ending.value, "reason": reason})
            case Finish(state=state, reason=reason):
                await self._record(group.app, ENDED, {"state": state.value, "reason": reason})

    async def _move(self, group: Group, member: Member, number: int | None) -> None:
        loop = self._registry.loops[member.service]
        release, now = loop.ledger.release(number or 0), self._registry.world.clock.now()
        made = rollout_to if number == member.target else rollback_to
        by = group.by if number == member.target else _with(group)
        rollout = made(loop.ledger, release, Order(by=by), now)
        await rollouts.begin(self._registry.world.balancer, loop, replace(rollout, group=group.id))

    async def _record(self, app: str, kind: str, data: dict[str, object]) -> None:
        journal, ttl = self._registry.world.journal, self._registry.world.pace.lease
        lease = self._leases[app] = await journal.renew(await journal.acquire(app, self._holder, ttl), ttl)
        try:
            written = [await journal.append(Event(kind=kind, service=app, data=data), lease.token)]
        except StaleTokenError:
            raise
        except CrossfadeError:
            # The line may be there although its answer was lost: a group that nobody knew of would begin one day.
            written = list(await journal.read(after=self._seq, service=app, kinds=KINDS))
            if not written:
                raise
        for event in written:
            self._fold(event)
            self._registry.world.told(event)

    def _fold(self, event: Event) -> None:
        self._seq = max(self._seq, event.seq)
        groups = self._groups.setdefault(event.service, [])
        group = advance(groups[-1] if groups else None, event)
        if event.kind == STARTED and group:
            groups.append(group)
        elif group:
            groups[-1] = group

    def _listen(self, event: Event) -> None:
        news = self._news.get(event.service.split("/")[0])
        if news:
            news.set()


def standing(ledger: Ledger, group: Group, member: Member) -> Standing:
    """How a member stands, from what is on record of its service and from nothing else."""
    mine = [record.rollout for record in ledger.records if record.rollout.group == group.id]
    if ledger.active and ledger.active.group == group.id:
        mine.append(ledger.active)
    if not mine:
        return Standing(stand=Stand.BACK, why=f"{member.service} was taken down") if ledger.removed else _WAITING
    last = mine[-1]
    if last.target == member.target:
        return _outward(last, ledger, member)
    if not last.state.terminal:
        return Standing(stand=Stand.LEAVING)
    if last.state is State.SUCCEEDED or ledger.removed:
        return Standing(stand=Stand.BACK)
    return Standing(stand=Stand.STUCK, why=f"{member.service} stays at release {member.target}: {last.reason}")


def _outward(rollout: Rollout, ledger: Ledger, member: Member) -> Standing:
    if rollout.state is State.RUNNING:
        return Standing(stand=Stand.MOVING)
    if rollout.state is not State.SUCCEEDED:
        stand = Stand.LOST if rollout.state.terminal else Stand.TURNED
        why = f"{member.service}: {rollout.reason}"
        return Standing(stand=stand, why=why, aborted=rollout.ending is State.ABORTED)
    if ledger.removed:
        return Standing(stand=Stand.BACK, why=f"{member.service} was taken down")
    return Standing(stand=Stand.OUT)


_WAITING = Standing(stand=Stand.WAITING)


def _with(group: Group) -> str:
    """Why a member goes back that did nothing wrong itself."""
    return f"release group {group.id}: {group.reason}"


def _carrying(app: str) -> str:
    return f"the release group of {app}"
