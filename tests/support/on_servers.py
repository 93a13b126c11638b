"""Hosts that stay behind a load balancer of the rig: real sshds on loopback, reached where a rule of AWS lets in."""

import os
import shutil
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.rig import Rig
from tests.rig.place import journal, weights
from tests.support.ports import free_port
from tests.support.sshd import SshHosts

from crossfade.aws.places import COLOURS, HOST, Places

PACE = 20.0  # how much faster than AWS the rig is
DELAY = 20  # seconds of AWS in which a target drains
SERVICE = "web"
RUNNER = "127.0.0.1"  # who deploys, as hosts see it


class Guard:
    """Before an sshd: a port that answers where the security group has a rule for it, and refuses where it has none."""

    def __init__(self, rig: Rig, group: str, at: str, to: tuple[str, int]) -> None:
        self._ec2, self._group, self._to = rig.client("ec2"), group, to
        self._listener = socket.create_server((at, 0))
        self.port: int = self._listener.getsockname()[1]
        self.refused = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                mine, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(mine,), daemon=True).start()

    def _lets_in(self) -> bool:
        """A security group knows its rules, however often the API refuses to say them."""
        while True:
            with suppress(self._ec2.exceptions.ClientError):
                return bool(rules(self._ec2, self._group))

    def _lead(self, mine: socket.socket) -> None:
        with mine:
            if not self._lets_in():
                self.refused += 1
                return
            with suppress(OSError), socket.create_connection(self._to) as theirs:
                back = threading.Thread(target=_pipe, args=(theirs, mine), daemon=True)
                back.start()
                _pipe(mine, theirs)
                back.join()


def rules(ec2: Any, group: str) -> list[str]:
    """What the group's rules for SSH from the runner say they are for."""
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return [
        one.get("Description", "")
        for one in found
        if not one["IsEgress"] and one["FromPort"] == 22 and one["CidrIpv4"] == f"{RUNNER}/32"
    ]


def _pipe(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while part := one.recv(1 << 16):
            other.sendall(part)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


class OnServers:
    """An app's place as `infra apply` makes it for `compute: {kind: hosts}`, on the rig, with `count` hosts.

    `environment` is that of whoever deploys. `close()` leaves nothing behind but the rig.
    """

    def __init__(self, rig: Rig, app: str, count: int = 2) -> None:
        self.rig, self.app, self.places = rig, app, Places(app, "dev")
        self.ec2 = rig.client("ec2")
        self.ssh = SshHosts(count)
        self.port = free_port()
        self.guards: list[Guard] = []
        self.instances: list[str] = []
        self._lay_out(count)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
            **self.rig.environment,
            "CROSSFADE_AWS_PACE": f"{PACE:g}",
            "CROSSFADE_ADDRESS": RUNNER,
            "PATH": f"{self.ssh.root / 'tools'}:{os.environ['PATH']}",
        }

    @property
    def url(self) -> str:
        return f"http://{self.rig.address_of(self.load_balancer)}"

    def rules(self) -> list[str]:
        return rules(self.ec2, self.group)

    def serving(self) -> list[str]:
        """The hosts that get requests."""
        told = self.rig.client("elbv2").describe_target_health(TargetGroupArn=self.target_groups["blue"])
        return [
            one["Target"]["Id"] for one in told["TargetHealthDescriptions"] if one["TargetHealth"]["State"] == "healthy"
        ]

    def close(self) -> None:
        for guard in self.guards:
            guard.close()
        self.ssh.close()
        self.rig.take_down(self.load_balancer, self.target_groups.values())

    def _lay_out(self, count: int) -> None:
        elb, tags = self.rig.client("elbv2"), _tags(self.places)
        vpc = self.ec2.create_vpc(CidrBlock="127.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"127.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]["SubnetId"]
            for at, zone in enumerate("ab")
        ]
        made = self.ec2.create_security_group(GroupName=f"{self.places.prefix}-app", Description="hosts", VpcId=vpc)
        self.group = made["GroupId"]
        balancer = elb.create_load_balancer(
            Name=self.places.prefix, Subnets=subnets, SecurityGroups=[self.group], Tags=tags
        )
        self.load_balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.target_groups = {colour: self._target_group(elb, colour, vpc) for colour in COLOURS}
        elb.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=weights(self.target_groups, blue=100, green=0),
            Tags=tags,
        )
        journal(self.rig, self.places.journal)
        for number in range(count):
            self._host(number, subnets[0])
        self._client()

    def _target_group(self, elb: Any, colour: str, vpc: str) -> str:
        made = elb.create_target_group(
            Name=self.places.coloured(SERVICE, colour),
            Protocol="HTTP",
            Port=self.port,
            VpcId=vpc,
            TargetType="instance",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
            Matcher={"HttpCode": "200"},
            Tags=_tags(self.places, SERVICE, colour),
        )
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(DELAY)}
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def _host(self, number: int, subnet: str) -> None:
        """An instance as EC2 knows it, whose machine is one of our sshds."""
        host = self.ssh.hosts[number]
        made = self.ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "Groups": [self.group],
                    "AssociatePublicIpAddress": True,
                    "PrivateIpAddress": host.ip,
                }
            ],
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [*_tags(self.places), {"Key": HOST, "Value": str(number + 1)}],
                }
            ],
        )
        instance = made["Instances"][0]["InstanceId"]
        self.instances.append(instance)
        key = (host.root / "host.pub").read_text().split()[:2]
        self.rig.client("ssm").put_parameter(
            Name=f"/{self.places.prefix}/host-keys/{instance}", Type="String", Value=" ".join(key)
        )
        self.rig.ask("PUT", "/targets", {"id": instance, "port": self.port, "host": host.ip, "at": self.port})
        self.guards.append(Guard(self.rig, self.group, RUNNER, (host.ip, host.port)))

    def sessions(self) -> list[str]:
        """What Session Manager was asked for."""
        return self._said.read_text().splitlines() if self._said.exists() else []

    def _sessions(self, tools: Path) -> None:
        """The AWS CLI as far as it leads to sshd of private instances, for who has none but these."""
        self._said = self.ssh.root / "sessions"
        program = f"exec {sys.executable} {Path(__file__).with_name('lead.py')}"
        pairs = zip(self.instances, self.ssh.hosts, strict=True)
        lead = [f"{instance}) {program} {host.ip} {host.port} ;;" for instance, host in pairs]
        (tools / "aws").write_text(_SESSION.format(said=self._said, cases="\n".join(lead)))
        (tools / "session-manager-plugin").write_text("#!/bin/sh\n")
        for name in ("aws", "session-manager-plugin"):
            (tools / name).chmod(0o755)

    def _client(self) -> None:
        """An ssh for which the instances' public addresses are our guards."""
        found = self.ec2.describe_instances(InstanceIds=self.instances)["Reservations"]
        public = {one["InstanceId"]: one["PublicIpAddress"] for each in found for one in each["Instances"]}
        self.addresses = [public[instance] for instance in self.instances]
        lines = [
            f"Host {address}\n  HostName {RUNNER}\n  Port {guard.port}\n"
            for address, guard in zip(self.addresses, self.guards, strict=True)
        ]
        config, tools = self.ssh.root / "ssh_config", self.ssh.root / "tools"
        config.write_text("".join(lines))
        tools.mkdir()
        self._sessions(tools)
        (tools / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
        (tools / "ssh").chmod(0o755)


_SESSION = """#!/bin/sh
# aws ssm start-session --region REGION --target INSTANCE --document-name DOCUMENT --parameters portNumber=PORT
echo "$@" >> {said}
case "$6" in
{cases}
esac
"""


def _tags(places: Places, service: str = "", colour: str = "") -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in places.tags(service, colour).items()]
