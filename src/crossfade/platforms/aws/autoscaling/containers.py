"""`Runtime` and `Sizer` on hosts that run one container each: commands of a release run in one more of its image."""

from collections.abc import Mapping
from functools import partial

from crossfade.core.release import Release
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.aws.autoscaling.boot import boots
from crossfade.platforms.aws.autoscaling.errands import HostErrands
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.runtime import GroupRuntime
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.clients import Clients, unfenced
from crossfade.platforms.aws.database.backups import Backups
from crossfade.platforms.aws.images.images import Images
from crossfade.platforms.aws.secrets import SecretPins
from crossfade.platforms.aws.sight import Sight


class ContainerRuntime(GroupRuntime):
    """The hosts of one environment, each of which boots an image."""

    def __init__(
        self,
        clients: Clients,
        lookout: GroupLookout,
        finder: GroupFinder,
        templates: Templates,
        fence: Fence,
        *,
        errands: HostErrands,
        artifacts: Images,
        logs: HostsLogs,
        pins: SecretPins,
        backups: Backups,
    ) -> None:
        super().__init__(clients, lookout, finder, templates, fence, artifacts=artifacts, logs=logs, pins=pins)
        self._errands, self._backups = errands, backups

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        """On a host of the release, or while it has none on one of those that serve, which then nobody takes away."""
        key, service = release.service.key, release.service
        if command == service.hooks.migrate:
            await self._backups.take(release, limit, unfenced)
        sight = await self._lookout.look(key, fresh=True)
        side = sight.side_of(release.number)
        if side is not None:
            text = await self._templates.text(side.definition)
        else:  # before its first host: a migration comes ahead of them
            await self._suspend(sight, unfenced)
            if not sight.tasks:
                await self._begin_one(sight)
            text = await self._templates.told(release, secrets)
        look = partial(self._lookout.look, key, fresh=True)
        return await self._errands.run(look, release, text, command, env, limit)

    async def _begin_one(self, sight: Sight) -> None:
        """A host that is nobody's where there is none at all, such as after `down`: it goes once a release serves."""
        side = min(sight.sides.values(), key=lambda side: (side.weight, side.colour))
        base, group = await self._templates.base(), (await self._finder.groups(sight.place))[side.colour]
        template = {"LaunchTemplateId": base["LaunchTemplateId"], "Version": str(base["VersionNumber"])}
        asked = {"AutoScalingGroupName": group["AutoScalingGroupName"], **boots(group, template), "DesiredCapacity": 1}
        await self._clients.call("autoscaling", "update_auto_scaling_group", **asked)
