"""The load balancers: listeners, rules and weights as the emulator keeps them, targets and their health as they are."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.rig.balancer import certificate, config, targets
from tests.rig.balancer.check import check
from tests.rig.balancer.plane import Plane
from tests.rig.balancer.routes import forwarded, routes, stays
from tests.rig.balancer.targets import Group, Key, State, Target
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import AwsError, Call, Json

from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports

_SHORTEST = 0.05  # seconds between two checks, however fast the pace
_IDLE = 60.0  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html


class Balancer:
    """Answers for targets itself, and follows what the emulator was told of everything else.

    `addresses` says where a target really listens: tasks are processes of this machine.
    """

    def __init__(
        self, emulator: Emulator, knobs: Knobs, ports: Ports, folder: Path, heard: Callable[[str], None]
    ) -> None:
        self._emulator, self._knobs, self._ports = emulator, knobs, ports
        self._plane = Plane(folder, heard)
        self._syncing = asyncio.Lock()
        self._regions: dict[str, list[tuple[Json, list[Json]]]] = {}
        self._names: dict[str, str] = {}  # load balancers by their DNS names
        self.groups: dict[str, Group] = {}
        self.listeners: dict[str, tuple[str, int]] = {}  # the load balancer and the real port, by a listener's ARN
        self.addresses: dict[Key, tuple[str, int]] = {}
        self.reach: Callable[[Key], None] = lambda _key: None  # told of each target before anybody goes there

    async def start(self) -> None:
        await self._plane.start()

    async def close(self) -> None:
        for group in self.groups.values():
            self._end(group)
        await self._plane.close()

    # What the API does

    async def register(self, call: Call) -> Json:
        group = self.group(call.params["TargetGroupArn"])
        for one in call.params["Targets"]:
            self.add(group, (one["Id"], int(one.get("Port") or group.number("Port"))))
        return {}

    async def deregister(self, call: Call) -> Json:
        group = self.group(call.params["TargetGroupArn"])
        for one in call.params["Targets"]:
            for target in group.find(one["Id"], one.get("Port")):
                self.remove(group, target)
        return {}

    async def describe_health(self, call: Call) -> Json:
        group = self.group(call.params["TargetGroupArn"])
        return {"TargetHealthDescriptions": list(group.shown(call.params.get("Targets") or []))}

    async def settled(self) -> None:
        """Once the data plane does all that the API has said."""
        async with self._syncing:  # what is being read is not published yet
            await self._plane.settled()

    def address(self, name: str, protocol: str) -> str | None:
        """Where a load balancer's listener of that protocol really is, by its DNS name."""
        arn = self._names.get(name)
        for listener, _ in self._listening():
            if listener["LoadBalancerArn"] == arn and listener["Protocol"].lower() == protocol:
                return f"127.0.0.1:{self.listeners[listener['ListenerArn']][1]}"
        return None

    def serving(self, id_: str) -> int:
        """How many targets of the group with this id get requests."""
        return next((len(group.serving()) for group in self.groups.values() if group.id == id_), 0)

    def hosts(self) -> Iterator[tuple[str, str, int, int]]:
        """Each group that a load balancer uses: ids of both, how many targets are healthy and how many are not."""
        pairs = {
            (listener["LoadBalancerArn"].partition(":loadbalancer/")[2], arn)
            for listener, rules in self._listening()
            for rule in rules
            for arn, _ in forwarded(rule)
        }
        for balancer, arn in sorted(pairs):
            if arn in self.groups:
                states = [target.health.state for target in self.groups[arn].targets.values()]
                yield balancer, self.groups[arn].id, states.count(State.HEALTHY), states.count(State.UNHEALTHY)

    def group(self, arn: str) -> Group:
        if arn not in self.groups:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return self.groups[arn]

    def add(self, group: Group, key: Key) -> None:
        """Register a target; one that drains begins anew, one that is there stays as it is."""
        old = group.targets.get(key)
        if old is not None and old.health is not targets.DRAINING:
            return
        if old is not None and old.life:
            old.life.cancel()
        self.reach(key)
        target = group.targets[key] = Target(*key)
        target.life = asyncio.create_task(self._check(group, target))
        self._publish()

    def remove(self, group: Group, target: Target) -> None:
        """Deregister it: no new requests, and it drains until the delay has passed.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html: "even
        though target deregistration is complete, the status of the target is displayed as draining until the
        deregistration delay expires."
        """
        if target.health is targets.DRAINING:
            return
        if target.life:
            target.life.cancel()
        target.health = targets.DRAINING
        target.life = asyncio.create_task(self._drain(group, target))
        self._publish()

    async def _drain(self, group: Group, target: Target) -> None:
        if group.used:
            await asyncio.sleep(self._knobs.real(group.deregistration_delay))
        group.targets.pop(target.key, None)
        self._publish()

    async def _check(self, group: Group, target: Target) -> None:
        """A target of a group that nobody uses is not checked; a group that gets used begins with `initial`."""
        await asyncio.sleep(self._knobs.real(self._knobs.lag))
        while True:
            if group.used:
                complaint = await self._ask(group, target)
                healthy, unhealthy = group.number("HealthyThresholdCount"), group.number("UnhealthyThresholdCount")
                if target.judge(complaint, healthy=healthy, unhealthy=unhealthy):
                    self._publish()
            await asyncio.sleep(max(_SHORTEST, self._knobs.real(group.number("HealthCheckIntervalSeconds"))))

    async def _ask(self, group: Group, target: Target) -> targets.Health | None:
        host, port = self.addresses.get(target.key, target.key)
        asked = group.spec.get("HealthCheckPort", "traffic-port")
        port, path = port if asked == "traffic-port" else int(asked), group.spec.get("HealthCheckPath", "/")
        codes = group.spec.get("Matcher", {}).get("HttpCode", "200")
        timeout = max(1.0, self._knobs.real(group.number("HealthCheckTimeoutSeconds")))
        return await check(host, port, path, codes=codes, timeout=timeout)

    # What the emulator was told

    async def follow(self, call: Call) -> None:
        """Something of this region was changed: read it again and make the data plane do it."""
        async with self._syncing:
            groups, listeners, names = await self._emulator.use("elbv2", call.region, _read)
            self._names |= names
            gone = {arn for arn in self.groups if arn.split(":")[3] == call.region} - groups.keys()
            for arn in gone:
                self._end(self.groups.pop(arn))
            for arn, (spec, attributes) in groups.items():
                group = self.groups.setdefault(arn, Group(arn, spec, attributes))
                group.spec, group.attributes = spec, attributes
            self._regions[call.region] = listeners
            for arn in self.listeners.keys() - {listener["ListenerArn"] for listener, _ in self._listening()}:
                self._ports.give_back(self.listeners.pop(arn)[1])
            self._follow_use()
            self._publish()

    def _follow_use(self) -> None:
        used = {arn for _, rules in self._listening() for rule in rules for arn, _ in forwarded(rule)}
        for arn, group in self.groups.items():
            if group.used and arn not in used:
                for target in group.targets.values():
                    if target.health is not targets.DRAINING:
                        target.health, target.passed, target.failed = targets.REGISTERING, 0, 0
            group.used = arn in used

    def _listening(self) -> list[tuple[Json, list[Json]]]:
        return [one for listeners in self._regions.values() for one in listeners]

    def _end(self, group: Group) -> None:
        for target in group.targets.values():
            if target.life:
                target.life.cancel()

    def _publish(self) -> None:
        """All that is so now, in the order in which one names the other."""
        folder = self._plane.folder
        files: dict[str, list[Json]] = {}
        for group in self.groups.values():
            files[config.endpoints_file(group)] = [config.assignment(group, self.addresses)]
        files["cds"] = [config.cluster(group, folder, _IDLE) for group in self.groups.values()]
        names = {arn: group.id for arn, group in self.groups.items()}
        kept = {arn: policy for arn, group in self.groups.items() if (policy := stays(group.attributes))}
        shown = []
        for listener, rules in self._listening():
            arn = listener["ListenerArn"]
            if arn not in self.listeners:
                self.listeners[arn] = (listener["LoadBalancerArn"], self._ports.take(()))
            port = self.listeners[arn][1]
            files[config.routes_file(port)] = [config.route_configuration(port, routes(rules, names, kept))]
            tls = certificate.make(folder) if listener["Protocol"] == "HTTPS" else None
            shown.append(config.listener(arn, port, folder, _IDLE, tls))
        files["lds"] = shown
        self._plane.publish(files, self._knobs.real(self._knobs.lag))


Told = tuple[dict[str, tuple[Json, dict[str, str]]], list[tuple[Json, list[Json]]], dict[str, str]]


def _read(client: Any) -> Told:
    """Groups with their attributes, listeners with their rules, and load balancers by name."""
    groups = {}
    for spec in client.describe_target_groups()["TargetGroups"]:
        told = client.describe_target_group_attributes(TargetGroupArn=spec["TargetGroupArn"])["Attributes"]
        groups[spec["TargetGroupArn"]] = spec, {one["Key"]: one["Value"] for one in told}
    listeners = []
    names = {}
    for balancer in client.describe_load_balancers()["LoadBalancers"]:
        names[balancer["DNSName"]] = balancer["LoadBalancerArn"]
        for listener in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            rules = client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            for rule in rules:
                if rule["IsDefault"]:
                    rule["Actions"] = listener["DefaultActions"]  # the emulator's default rule keeps its first ones
            listeners.append((listener, rules))
    return groups, listeners, names
