"""Application Auto Scaling of both colours: at rest while a release goes out, at work once it is out.

Nothing of it is journaled, for both are absolute: whoever comes next says the same, and a process that died before it
had scaling go on leaves that to the next one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.place import Colour, Place
from crossfade.platforms.aws.sight import Sight

NAMESPACE, DIMENSION = "ecs", "ecs:service:DesiredCount"
RETIRES = "crossfade-retires"  # the scheduled action that sends a warm fleet home when nobody runs
_KINDS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class Scaling:
    """Suspends and resumes the scaling of a service's colours; does nothing where Terraform made none."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    async def suspend(self, place: Place, before: Check) -> None:
        """Nobody but us changes counts from now on."""
        targets = await self._targets(place)
        for name, target in targets.items():
            await self._set(name, target, before, rests=True)
            await self._retire_never(name, before)

    async def resume(self, sight: Sight, current: int, warm: Mapping[int, float], before: Check) -> int | None:
        """The colour of `current` scales again; one that is kept warm is sent home at its time, whoever is there.

        Returns the count of `current` where its scaling had been at work.
        """
        place, scaled = sight.place, None
        targets = await self._targets(place)
        bounds = next((_bounds(one) for one in targets.values() if one["MaxCapacity"]), {})
        for side in sight.sides.values():
            name = _resource(place, place.colour(side.colour))
            target = targets.get(name)
            until = warm.get(side.number, 0.0)
            if until > self._clock.now() and side.number != current and side.wanted:
                await self._retire(name, target, side.wanted, until, before)
            elif target is not None:
                await self._retire_never(name, before)
                serves = side.number == current and side.wanted > 0
                if serves and not _rests(target):
                    scaled = side.wanted
                more = bounds if serves and not target["MaxCapacity"] else {}  # it was sent home once
                await self._set(name, target, before, rests=not serves, **more)
        return scaled

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

    async def _retire(self, name: str, target: Answer | None, size: int, at: float, before: Check) -> None:
        """At that time the colour shrinks to nothing: a scheduled action that does so in our absence."""
        bounds = {} if target else {"MinCapacity": 0, "MaxCapacity": size}
        state = {**dict.fromkeys(_KINDS, True), "ScheduledScalingSuspended": False}
        await self._call("register_scalable_target", name, before, SuspendedState=state, **bounds)
        schedule = f"at({datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S})"
        await self._call(
            "put_scheduled_action",
            name,
            before,
            ScheduledActionName=RETIRES,
            Schedule=schedule,
            ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0},
        )

    async def _retire_never(self, name: str, before: Check) -> None:
        asked = {"ServiceNamespace": NAMESPACE, "ResourceId": name, "ScheduledActionNames": [RETIRES]}
        answer = await self._clients.call("application-autoscaling", "describe_scheduled_actions", **asked)
        if answer["ScheduledActions"]:
            await self._call("delete_scheduled_action", name, before, ScheduledActionName=RETIRES)

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


def _rests(target: Answer) -> bool:
    return any(target.get("SuspendedState", {}).get(kind) for kind in _KINDS)


def _bounds(target: Answer) -> dict[str, int]:
    return {"MinCapacity": target["MinCapacity"], "MaxCapacity": target["MaxCapacity"]}
