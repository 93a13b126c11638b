"""The finder of a service's two Auto Scaling groups, by their names and colours."""

from collections.abc import Mapping

from crossfade.aws.places import COLOURS
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer
from crossfade.platforms.aws.place import Colour, Finder, Place


class GroupFinder(Finder):
    """Finds the places of one environment; `Colour.service` is the name of a group."""

    async def groups(self, place: Place) -> Mapping[str, Answer]:
        """Both groups as they are now, by colour."""
        return await self._groups(place.key)

    async def _groups(self, key: str) -> Mapping[str, Answer]:
        name = key.split("/")[1]
        names = {colour: self._places.coloured(name, colour) for colour in COLOURS}
        asked = {"AutoScalingGroupNames": list(names.values())}
        answer = await self._clients.call("autoscaling", "describe_auto_scaling_groups", **asked)
        known = {one["AutoScalingGroupName"]: one for one in answer["AutoScalingGroups"]}
        for called in names.values():
            if called not in known or known[called].get("Status"):  # only a group that is being deleted has one
                raise await self._missing(f"Auto Scaling group {called}")
        return {colour: {"Instances": [], **known[called]} for colour, called in names.items()}

    async def _find(self, key: str) -> Place:
        groups = await self._groups(key)
        colours = tuple(self._of_group(name, groups[name]) for name in COLOURS)
        found = await self._target_groups(colours)
        balancer = await self._balancer_of(found)
        rules, listeners, preview, url = await self._ways(balancer, colours)
        return Place(
            key=key,
            cluster="",
            colours=(colours[0], colours[1]),
            container="",
            port=found[0]["Port"],
            rules=rules,
            listeners=listeners,
            preview=preview,
            balancer=balancer["LoadBalancerArn"],
            url=url,
            launch={},
        )

    def _of_group(self, name: str, group: Answer) -> Colour:
        targets = group.get("TargetGroupARNs") or []
        if len(targets) != 1:
            raise PlatformError(
                f"group {group['AutoScalingGroupName']} registers its hosts with {len(targets)} target groups, not "
                "with one",
                self._apply,
            )
        return Colour(name=name, service=group["AutoScalingGroupName"], group=targets[0])
