"""`Runtime` and `Sizer` on ECS: two services by colour, each told how many tasks of which definition to keep.

What another tool had run here before is nobody's release: it serves until one of ours does, and then goes.

Only two things are ever changed, both absolute: a service's desired count and its definition. So a change that is
repeated, or whose answer was lost, changes nothing; and ECS takes a task out of the load balancer, lets its requests
end and only then stops it, which StopTask would not.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from typing import Any

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Artifact, HookResult
from crossfade.platforms.aws.by_colour import Artifacts, ColourRuntime
from crossfade.platforms.aws.clients import Check, Clients, unfenced
from crossfade.platforms.aws.database.backups import Backups
from crossfade.platforms.aws.ecs.definition import platform, require_told
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.ecs.deployments import COMPLETE, stop_deployments
from crossfade.platforms.aws.ecs.errand import Errands
from crossfade.platforms.aws.ecs.logs import TaskLogs
from crossfade.platforms.aws.ecs.scaling import Scaling
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.secrets import SecretPins
from crossfade.platforms.aws.sight import Lookout, Side, Sight


class EcsRuntime(ColourRuntime):
    """The tasks of one environment. A release is kept by the colour whose definition is its own."""

    noun = "task"
    told = "ECS is told how many tasks to keep"
    asked = "ECS itself"
    keeper = "service"

    def __init__(
        self,
        clients: Clients,
        lookout: Lookout,
        definitions: Definitions,
        fence: Fence,
        *,
        errands: Errands,
        artifacts: Artifacts,
        logs: TaskLogs,
        scaling: Scaling,
        pins: SecretPins,
        backups: Backups,
    ) -> None:
        super().__init__(clients, lookout, fence, artifacts=artifacts, pins=pins)
        self._definitions, self._backups = definitions, backups
        self._errands, self._logs, self._scaling = errands, logs, scaling

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        sight = await self._lookout.look(service.key, fresh=True)  # says what of its place is missing, at once
        _require_door(sight, service)
        template, _ = await self._definitions.template(service.key)
        require_told(template, sight.place.container, service)
        return await self._artifacts.pinned(service, env or {}, platform(template))

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:
        sight = await self._lookout.look(release.service.key)
        before = partial(self._fence.check, release.service.key, token)
        self._require_ours(sight, release)
        await self._send_home(sight, token)
        return await self._scaling.resume(sight, release, warm, before)

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        key, service = release.service.key, release.service
        if command == service.hooks.migrate:
            await self._backups.take(release, limit, unfenced)
        sight = await self._lookout.look(key)
        side = sight.side_of(release.number)
        if side is not None:
            definition = await self._definitions.of(side.definition, sight.place.container)
        else:  # before its first task: a migration comes ahead of them
            definition = await self._definitions.register(release, secrets, sight.place.container, unfenced)
        return await self._errands.run(sight.place, definition, command, env, limit)

    async def tend(self, service: str, token: int) -> None:
        """Have ECS begin anew where it gave up a deployment, as of a restart: it replaces no task that goes since.

        Not before the release's time to get healthy is over: one that cannot come up is not tried all the time.
        """
        sight = await self._lookout.seen(service)
        for side in sight.sides.values():
            if _left_short(sight, side):
                await self._update(sight.place, side, token, forceNewDeployment=True)
                self._lookout.changed(service)

    async def renew(self, release: Release, token: int) -> None:
        place, side = await self._keeps(release)
        await self._update(place, side, token, forceNewDeployment=True)
        self._lookout.changed(place.key)

    async def _stop_renewing(self, place: Place, side: Side, before: Check) -> None:
        """ECS goes back to the last deployment that it has called complete.

        Of a restart that is the one beside which its tasks come; before that one is complete, an older release's.
        """
        if not side.beside:
            return
        if COMPLETE not in side.beside:
            raise PlatformError(
                "ECS does not call the deployment of this release complete yet, and would go back to an older release",
                "it ends by itself once its new tasks are healthy; `crossfade deploy` brings others in their place",
            )
        await stop_deployments(self._clients, place.cluster, place.colour(side.colour).service, before)

    def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        return self._logs.read(service, query)

    async def _suspend(self, sight: Sight, before: Check) -> None:
        await self._scaling.suspend(sight.place, before)

    async def _register(self, release: Release, secrets: Mapping[str, str], sight: Sight, before: Check) -> str:
        return (await self._definitions.register(release, secrets, sight.place.container, before)).arn

    async def _discard(self, release: Release, held: Collection[str], before: Check) -> None:
        for arn in await self._definitions.registered(release):
            if arn not in held:
                await self._definitions.deregister(arn, before)

    async def _tell(self, sight: Sight, side: Side, definition: str, count: int, token: int) -> None:
        """One service's definition and count; nothing when it has been told the same already."""
        anew = side.failed and count > 0 and side.definition == definition
        if (side.definition, side.wanted) == (definition, count) and not anew:
            return
        wanted = {"taskDefinition": definition, "desiredCount": count, "forceNewDeployment": anew}
        await self._update(sight.place, side, token, **wanted)

    async def _update(self, place: Place, side: Side, token: int, **wanted: Any) -> None:
        """One service's settings, by whoever still has the lease when it is tried."""
        await self._clients.call(
            "ecs",
            "update_service",
            partial(self._fence.check, place.key, token),
            cluster=place.cluster,
            service=place.colour(side.colour).service,
            **wanted,
        )


def _left_short(sight: Sight, side: Side) -> bool:
    """Of what serves, tasks are missing that ECS does not bring any more.

    A deployment that its circuit breaker ended starts no task, and the one before it is over:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    serves = bool(side.weight) or not sight.place.behind_balancer
    if not (side.failed and serves and side.release and side.live < side.wanted):
        return False
    return sight.at - side.since > side.release.service.strategy.timeout


def _require_door(sight: Sight, service: Service) -> None:
    """PlatformError where a web service is behind no load balancer, or a worker behind one: its file was changed."""
    if sight.place.behind_balancer != (service.kind == "web"):
        there = "are behind the load balancer" if sight.place.behind_balancer else "are behind no load balancer"
        raise PlatformError(
            f"{service.key} is a {service.kind} in the file, and its services of ECS {there}",
            f"`crossfade infra apply -e {service.environment}` makes them as the file says",
        )
