"""Port 22 of instances with a public address: who comes through is whom a rule of their security groups lets in."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from tests.rig.ec2.guest.door import join
from tests.rig.emulator import Emulator
from tests.rig.wire import Json

SSH = 22
_OURS = ip_network("127.0.0.0/8")  # where the emulator's addresses are, and this machine listens


class Gates:
    """`open` one for an instance, which leads to where its port really is; `close` closes all."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._servers: dict[str, asyncio.Server] = {}  # by public address

    async def open(self, region: str, said: Json, real: Callable[[int], tuple[str, int]]) -> None:
        public = said.get("PublicIpAddress") or ""
        if not public or public in self._servers or ip_address(public) not in _OURS:
            return
        groups = [one["GroupId"] for interface in said["NetworkInterfaces"] for one in interface["Groups"]]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            who = writer.get_extra_info("peername")[0]
            if not await self._emulator.use("ec2", region, lambda client: _lets_in(client, groups, who)):
                writer.transport.abort()
                return
            await join(reader, writer, lambda: asyncio.open_connection(*real(SSH)))

        self._servers[public] = await asyncio.start_server(serve, public, SSH)

    async def close(self) -> None:
        for server in self._servers.values():
            server.close()


def _lets_in(client: Any, groups: list[str], who: str) -> bool:
    found = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": groups}])
    return any(
        not rule["IsEgress"]
        and rule["FromPort"] <= SSH <= rule["ToPort"]
        and ip_address(who) in ip_network(rule.get("CidrIpv4") or "0.0.0.0/32")
        for rule in found["SecurityGroupRules"]
    )
