"""`Runtime` and `Sizer` on hosts: two Auto Scaling groups by colour, each told how many hosts of which release to keep.

What another tool had run here before is nobody's release: it serves until one of ours does, and then goes.

Only two things of a group are ever changed, both absolute: its size and the version of its launch template. So a change
that is repeated, or whose answer was lost, changes nothing; and Auto Scaling takes a host out of the load balancer,
lets its requests end and only then stops it.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.runtime import Artifact, HookResult
from crossfade.platforms.aws.autoscaling.boot import boots, require_ours
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.processes import Processes
from crossfade.platforms.aws.autoscaling.refreshes import Refreshes
from crossfade.platforms.aws.autoscaling.templates import Templates, platform, user_data_of
from crossfade.platforms.aws.autoscaling.user_data import require_told
from crossfade.platforms.aws.by_colour import Artifacts, ColourRuntime
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.secrets import SecretPins
from crossfade.platforms.aws.sight import Side, Sight


class GroupRuntime(ColourRuntime):
    """The hosts of one environment. A release is kept by the colour whose launch template version is its own."""

    noun = "instance"
    told = "a group is told how many to keep"
    asked = "the load balancer"
    keeper = "group"

    def __init__(
        self,
        clients: Clients,
        lookout: GroupLookout,
        finder: GroupFinder,
        templates: Templates,
        fence: Fence,
        *,
        artifacts: Artifacts,
        logs: HostsLogs,
        pins: SecretPins,
    ) -> None:
        super().__init__(clients, lookout, fence, artifacts=artifacts, pins=pins)
        self._finder, self._templates, self._logs = finder, templates, logs
        self._processes, self._refreshes = Processes(clients), Refreshes(clients)

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        sight = await self._lookout.look(service.key, fresh=True)  # says what of its place is missing, at once
        await self._refreshes.require_none(sight.place)
        require_ours((await self._finder.groups(sight.place)).values())
        base = (await self._templates.base())["LaunchTemplateData"]
        require_told(user_data_of(base), service)
        return await self._artifacts.pinned(service, env or {}, platform(base))

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:  # noqa: ARG002
        """A warm fleet is sent home by whoever comes next."""
        sight = await self._lookout.look(release.service.key)
        before = partial(self._fence.check, release.service.key, token)
        self._require_ours(sight, release)
        await self._send_home(sight, token)
        side = sight.side_of(release.number)
        if side is None:
            return None
        return await self._processes.resume((await self._finder.groups(sight.place))[side.colour], before)

    async def renew(self, release: Release, token: int) -> None:
        """By an instance refresh of ours: hosts of the same version, each in service before an old one drains."""
        key = release.service.key
        place, side = await self._keeps(release)
        await self._refreshes.require_none(place)
        await self._refreshes.begin(place.colour(side.colour).service, partial(self._fence.check, key, token))
        self._lookout.changed(key)

    async def _stop_renewing(self, place: Place, side: Side, before: Check) -> None:
        await self._refreshes.cancel(place.colour(side.colour).service, before)

    @abstractmethod
    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        """A command of the release's, once and apart from what serves."""

    def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        return self._logs.read(service, query)

    async def _suspend(self, sight: Sight, before: Check) -> None:
        await self._refreshes.require_none(sight.place)
        await self._processes.suspend(await self._finder.groups(sight.place), before)

    async def _register(self, release: Release, secrets: Mapping[str, str], sight: Sight, before: Check) -> str:  # noqa: ARG002
        return (await self._templates.write(release, secrets, before)).name

    async def _discard(self, release: Release, held: Collection[str], before: Check) -> None:
        await self._templates.forget(release, held, before)

    async def _tell(self, sight: Sight, side: Side, version: str, count: int, token: int) -> None:
        """One group's version and size; nothing when it has been told the same already."""
        if (side.definition, side.wanted) == (version, count):
            return
        place, key = sight.place, sight.place.key
        group = (await self._finder.groups(place))[side.colour]
        if count > group["MaxSize"]:
            raise WrongInputError(
                f"{count} instances are more than group {group['AutoScalingGroupName']} may have: {group['MaxSize']}",
                f"raise `scale: max` and run `crossfade infra apply -e {key.partition('@')[2].partition('/')[0]}`",
            )
        asked: dict[str, Any] = {
            "AutoScalingGroupName": group["AutoScalingGroupName"],
            **boots(group, dict(zip(("LaunchTemplateId", "Version"), version.split(":"), strict=True))),
            "MinSize": min(count, group["MinSize"]),
            "DesiredCapacity": count,
        }
        await self._clients.call(
            "autoscaling", "update_auto_scaling_group", partial(self._fence.check, key, token), **asked
        )
