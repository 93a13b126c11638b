"""Application Auto Scaling of both colours: at rest while a release goes out, at work once it is out.

Its schedule is the release's, and only the colour that serves has it: the other's would bring back what was sent home.

Nothing of it is journaled, for both are absolute: whoever comes next says the same, and a process that died before it
had scaling go on leaves that to the next one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from crossfade import cron
from crossfade.aws.places import Places
from crossfade.core.job import Moment, Scale
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.place import Colour, Place
from crossfade.platforms.aws.sight import Sight

NAMESPACE, DIMENSION = "ecs", "ecs:service:DesiredCount"
OURS = "crossfade"  # what the names of our scheduled actions begin with
RETIRES = f"{OURS}-retires"  # the one that sends a warm fleet home when nobody runs
_KINDS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
# Tasks that a service has at most: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
_MOST = 5000


class Scaling:
    """Suspends and resumes the scaling of a service's colours; does nothing where Terraform made none."""

    def __init__(self, clients: Clients, places: Places, clock: Clock) -> None:
        self._clients, self._places, self._clock = clients, places, clock

    async def suspend(self, place: Place, before: Check) -> None:
        """Nobody but us changes counts from now on."""
        targets = await self._targets(place)
        for name, target in targets.items():
            await self._set(name, target, before, rests=True)
            await self._act_never(name, [RETIRES], before)

    async def resume(self, sight: Sight, release: Release, warm: Mapping[int, float], before: Check) -> int | None:
        """The colour of `release` scales again, within the bounds that hold by now; one that is kept warm is sent home
        at its time, whoever is there.

        Returns the count of `release` where its scaling had been at work, or where it is out of bounds.
        """
        place, scaled, current = sight.place, None, release.number
        targets = await self._targets(place)
        bounds = next((_bounds(one) for one in targets.values() if one["MaxCapacity"]), {})
        for side in sight.sides.values():
            name = _resource(place, place.colour(side.colour))
            target = targets.get(name)
            until = warm.get(side.number, 0.0)
            if until > self._clock.now() and side.number != current and side.wanted:
                await self._act_never(name, None, before)
                await self._retire(name, target, until, before)
            elif target is not None:
                serves = side.number == current and side.wanted > 0
                scale = release.service.scale if serves else None
                await self._schedule(name, scale, before)
                if serves and not _rests(target):
                    scaled = side.wanted
                more = bounds if serves and not target["MaxCapacity"] else {}  # it was sent home once
                if scale:
                    least, most = scale.bounds(self._came)
                    more = _changed(target, {"MinCapacity": least, "MaxCapacity": most})
                    within = min(max(side.wanted, least), most)
                    scaled = within if within != side.wanted else scaled
                scales = target["MaxCapacity"] or more  # else it is our own, which sent the colour home once
                await self._set(name, target, before, rests=not (serves and scales), **more)
        return scaled

    def _came(self, moment: Moment) -> float | None:
        now = self._clock.now()
        if moment.at:
            return moment.at if moment.at <= now else None
        return cron.came(moment.schedule, moment.timezone, now)

    async def _schedule(self, name: str, scale: Scale | None, before: Check) -> None:
        """Of our actions a colour has these and no others."""
        wanted = {f"{OURS}.{one.name}": one for one in scale.moments} if scale else {}
        gone = [action for action in await self._actions(name) if action not in wanted]
        await self._act_never(name, gone, before)
        for action, moment in wanted.items():
            if moment.at and moment.at <= self._clock.now():
                continue  # AWS takes none that has been
            bounds = {"MinCapacity": moment.least, "MaxCapacity": moment.most}
            await self._put(name, action, before, ScalableTargetAction=bounds, **dict(_when(moment)))

    async def _targets(self, place: Place) -> Mapping[str, Answer]:
        names = [_resource(place, colour) for colour in place.colours]
        asked = {"ServiceNamespace": NAMESPACE, "ResourceIds": names, "ScalableDimension": DIMENSION}
        answer = await self._clients.call("application-autoscaling", "describe_scalable_targets", **asked)
        return {one["ResourceId"]: one for one in answer["ScalableTargets"]}

    async def _set(self, name: str, target: Answer, before: Check, *, rests: bool, **bounds: int) -> None:
        wanted = dict.fromkeys(_KINDS, rests)
        now = {kind: bool(target.get("SuspendedState", {}).get(kind)) for kind in _KINDS}
        if now != wanted or bounds:
            await self._call("register_scalable_target", name, before, SuspendedState=wanted, **bounds)

    async def _retire(self, name: str, target: Answer | None, at: float, before: Check) -> None:
        """At that time the colour shrinks to nothing: a scheduled action that does so in our absence."""
        # One of our own, where Terraform made none: by its tags it may be changed as those, and it is in nobody's way.
        own = {} if target else {"MinCapacity": 0, "MaxCapacity": _MOST, "Tags": self._places.tags()}
        state = {**dict.fromkeys(_KINDS, True), "ScheduledScalingSuspended": False}
        await self._call("register_scalable_target", name, before, SuspendedState=state, **own)
        nobody = {"MinCapacity": 0, "MaxCapacity": 0}
        await self._put(name, RETIRES, before, Schedule=_at(at), ScalableTargetAction=nobody)

    async def _put(self, name: str, action: str, before: Check, **what: Any) -> None:
        await self._call("put_scheduled_action", name, before, ScheduledActionName=action, **what)

    async def _act_never(self, name: str, actions: list[str] | None, before: Check) -> None:
        """Take these scheduled actions away, where they are there; None: all of ours."""
        there = await self._actions(name) if actions != [] else []
        for action in there if actions is None else [one for one in there if one in actions]:
            await self._call("delete_scheduled_action", name, before, ScheduledActionName=action)

    async def _actions(self, name: str) -> list[str]:
        """Ours, by name."""
        asked = {"ServiceNamespace": NAMESPACE, "ResourceId": name}
        found = await self._clients.all(
            "application-autoscaling", "describe_scheduled_actions", "ScheduledActions", **asked
        )
        return [one["ScheduledActionName"] for one in found if one["ScheduledActionName"].startswith(OURS)]

    async def _call(self, operation: str, name: str, before: Check, **more: Any) -> None:
        await self._clients.call(
            "application-autoscaling",
            operation,
            before,
            ServiceNamespace=NAMESPACE,
            ResourceId=name,
            ScalableDimension=DIMENSION,
            **more,
        )


def _resource(place: Place, colour: Colour) -> str:
    return f"service/{place.cluster}/{colour.service}"


def _when(moment: Moment) -> Iterator[tuple[str, str]]:
    if moment.at:
        yield "Schedule", _at(moment.at)
    else:
        yield "Schedule", cron.on_aws(moment.schedule)
        yield "Timezone", moment.timezone


def _at(moment: float) -> str:
    return f"at({datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S})"


def _changed(target: Answer, wanted: dict[str, int]) -> dict[str, int]:
    """All of them where one differs, for they are told together."""
    return wanted if any(target[name] != value for name, value in wanted.items()) else {}


def _rests(target: Answer) -> bool:
    return any(target.get("SuspendedState", {}).get(kind) for kind in _KINDS)


def _bounds(target: Answer) -> dict[str, int]:
    return {"MinCapacity": target["MinCapacity"], "MaxCapacity": target["MaxCapacity"]}
