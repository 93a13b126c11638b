"""Instances of EC2: the emulator keeps what is said of them, and each has a machine that runs and ends with it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

import asyncio
import base64
import contextlib
import logging
from pathlib import Path
from typing import Any

from tests.rig.balancer.balancer import Balancer
from tests.rig.balancer.targets import Key
from tests.rig.ec2.gates import Gates
from tests.rig.ec2.guest.facts import Facts
from tests.rig.ec2.machine import Machine, missing
from tests.rig.ecs.images import Image, Images
from tests.rig.emulator import Emulator
from tests.rig.logs import Logs
from tests.rig.wire import Call, Json

from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports

_log = logging.getLogger(__name__)
_FOLLOWED = {"RunInstances", "StartInstances", "StopInstances", "TerminateInstances", "RebootInstances"}
_ADDRESSED = "AssociateAddress"
_ANY_IMAGE = "ami-12c6146b"  # one that the emulator knows: what a machine is made of is this machine
OUT = "out.sock"  # in the machines' folder: by which they find AWS


class Instances:
    """Machines by an instance's id. `endpoint_port` is where they find AWS."""

    def __init__(  # noqa: PLR0917  each is of another kind
        self, emulator: Emulator, balancer: Balancer, images: Images, logs: Logs, ports: Ports, folder: Path
    ) -> None:
        self._emulator, self._balancer, self._images, self._logs, self._ports = emulator, balancer, images, logs, ports
        self.folder = folder
        self.endpoint_port = 0
        self.machines: dict[str, Machine] = {}
        self._ids: dict[str, str] = {}  # by private address
        self._streams: set[tuple[str, str]] = set()
        self._work: set[asyncio.Task[Any]] = set()
        self._gates = Gates(emulator)
        balancer.reach = self._reach

    async def close(self) -> None:
        await self._gates.close()
        await asyncio.gather(*(machine.kill() for machine in self.machines.values()))

    async def follow(self, call: Call) -> None:
        """Somebody asked EC2 itself: whoever runs now has a machine, and who does not has none."""
        if call.operation == _ADDRESSED:
            await self._let_in(call.region)
        if call.operation not in _FOLLOWED:
            return
        found = await self._emulator.use("ec2", call.region, _read)
        for one in found:
            id_, state = one["InstanceId"], one["State"]["Name"]
            machine = self.machines.get(id_)
            if state == "running" and machine is None:
                user_data = await self._emulator.use(
                    "ec2", call.region, lambda client, id_=id_: _user_data(client, id_)
                )
                await self.begin(call.region, one, user_data)
            elif state != "running" and machine is not None and machine.running:
                self._later(machine.end())

    async def launch(self, region: str, template: Json, tags: dict[str, str], subnet: str) -> Json:
        """A new one from a launch template's data, as the API shows it; its machine begins to boot."""
        said: Json = {
            "ImageId": _ANY_IMAGE,
            "InstanceType": template.get("InstanceType") or "t3.micro",
            "MinCount": 1,
            "MaxCount": 1,
            "TagSpecifications": [
                {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}
            ],
            **({"SubnetId": subnet} if subnet else {}),
        }
        made = await self._emulator.use("ec2", region, lambda client: client.run_instances(**said)["Instances"][0])
        user_data = base64.b64decode(template.get("UserData") or "").decode()
        await self.begin(region, made, user_data)
        return made

    async def begin(self, region: str, said: Json, user_data: str) -> None:
        """A machine for an instance, once, although two calls may tell of it; none where none can be made here."""
        if missing() or said["InstanceId"] in self.machines:
            return
        facts = Facts(
            id=said["InstanceId"],
            region=region,
            zone=said["Placement"]["AvailabilityZone"],
            address=said["PrivateIpAddress"],
            user_data=user_data,
            endpoint_port=self.endpoint_port,
            tags={one["Key"]: one["Value"] for one in said.get("Tags") or []},
        )
        machine = self.machines[facts.id] = Machine(
            facts, self.folder, self._ports, lambda told: self._told(facts, told)
        )
        self._ids[facts.address] = facts.id
        await machine.start()

    async def terminate(self, region: str, id_: str) -> None:
        """What it runs is told to end; then it is gone."""
        machine = self.machines.get(id_)
        if machine is not None:
            await machine.end()
            for key in [key for key in self._balancer.addresses if key[0] in (id_, machine.facts.address)]:
                self._balancer.addresses.pop(key)

        def end(client: Any) -> None:
            with contextlib.suppress(client.exceptions.ClientError):
                client.terminate_instances(InstanceIds=[id_])

        await self._emulator.use("ec2", region, end)

    def running(self, id_: str) -> bool:
        return id_ in self.machines and self.machines[id_].running

    def shown(self) -> list[Json]:
        """Each, with the end of its console and where its open ports really are."""
        return [
            {
                "id": id_,
                "address": one.facts.address,
                "running": one.running,
                "booted": one.booted,
                "ports": {str(port): f"127.0.0.1:{real}" for port, real in one.open_ports.items()},
                "console": one.console[-100:],
            }
            for id_, one in self.machines.items()
        ]

    def pull(self, reference: str) -> Image:
        return self._images.pull(reference)

    def _reach(self, key: Key) -> None:
        """A port of an instance becomes reachable when somebody makes it a target."""
        machine = self.machines.get(self._ids.get(key[0], key[0]))
        if machine is not None and key not in self._balancer.addresses:
            self._balancer.addresses[key] = machine.open(key[1])

    def _told(self, facts: Facts, told: Json) -> None:
        if told.get("sshd"):
            self._later(self._let_in(facts.region))
        if told.get("log"):
            self._later(self._write(facts.region, told["log"], told["stream"], told["line"]))

    async def _let_in(self, region: str) -> None:
        """Who has a public address and an sshd is reached, as far as rules go."""
        for one in await self._emulator.use("ec2", region, _read):
            machine = self.machines.get(one["InstanceId"])
            if machine is not None and machine.running and machine.sshd:
                await self._gates.open(region, one, machine.open)

    async def _write(self, region: str, group: str, stream: str, line: str) -> None:
        if (group, stream) not in self._streams:
            self._streams.add((group, stream))
            with contextlib.suppress(LookupError, Exception):
                await self._logs.open(region, group, stream, create=False)
        self._logs.write(region, group, stream, line)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _read(client: Any) -> list[Json]:
    return [one for held in client.describe_instances()["Reservations"] for one in held["Instances"]]


def _user_data(client: Any, id_: str) -> str:
    said = client.describe_instance_attribute(InstanceId=id_, Attribute="userData")["UserData"].get("Value") or ""
    with contextlib.suppress(ValueError):
        return base64.b64decode(said).decode()
    return str(said)
