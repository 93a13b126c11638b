"""The compute of an environment: what runs its services, how it grows, and where its images are kept."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field

from crossfade import cron
from crossfade.file.cloud.words import Days, InstanceClass
from crossfade.file.part import Clash, Part
from crossfade.file.parts.schedule import SCHEDULE, wrong_times
from crossfade.file.units import GIB, Duration, Percent, Size, Text, Whole

Kind = Literal["fargate", "autoscaling", "hosts"]
Address = Literal["fixed", "private"]
Architecture = Literal["x86", "arm"]

SERVICE = LOG = Text(
    r"[a-z][a-z0-9-]{0,30}", "a name of 1 to 31 lower-case letters, digits and hyphens that begins with a letter"
)


PUBLIC_KEY = Text(
    r"(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{32,2048}={0,3}(?: [\w.@-]{1,64})?",
    "a public key in one line, such as ssh-ed25519 AAAA... deploy",
)
USER = Text(r"[a-z_][a-z0-9_-]{0,31}", "a user's name")


DAY_AND_TIME = Text(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", "a day and a time, such as 2026-12-01T19:50")


class Moment(Part):
    """From when on a service has at least and at most so many instances, until the next moment of its schedule."""

    schedule: Annotated[str, SCHEDULE] | None = Field(
        default=None, description="When, each time, in five words of cron.", examples=["0 1 * * *"]
    )
    at: Annotated[str, DAY_AND_TIME] | None = Field(
        default=None, description="When, once.", examples=["2026-12-01T19:50"]
    )
    timezone: str = Field(default="UTC", description="In which that is meant.", examples=["Asia/Seoul"])
    min: Annotated[int, Whole(0, 5000)] | None = Field(
        default=None, description="Never fewer from then on. Default: as the scale says.", examples=[1]
    )
    max: Annotated[int, Whole(1, 5000)] | None = Field(
        default=None, description="Never more from then on. Default: as the scale says.", examples=[20]
    )

    def impossible(self) -> Iterator[Clash]:
        if (self.schedule is None) == (self.at is None):
            yield Clash((), "a moment that is given twice or not at all", "schedule for each time, or at for once")
            return
        wrong = tuple(wrong_times(self.schedule, self.timezone))
        yield from wrong
        if self.schedule and not wrong and not cron.on_aws(self.schedule):
            found = f'"{self.schedule}", for which AWS has no words'
            yield Clash(("schedule",), found, "days of the month or days of the week, in a moment each")
        if self.at and not _is_a_day(self.at):
            yield Clash(("at",), f'"{self.at}"', "a day and a time that exist")


def _is_a_day(at: str) -> bool:
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return False
    return True


class Scale(Part):
    """How many instances a service has on AWS, and what makes it more or fewer. Each target keeps its average near."""

    min: Annotated[int, Whole(0, 5000)] = Field(default=1, description="Never fewer.", examples=[2])
    max: Annotated[int, Whole(1, 5000)] = Field(default=1, description="Never more.", examples=[6])
    cpu: Annotated[float, Percent(least=1)] | None = Field(
        default=None, description="Target for the CPU. Default: does not count.", examples=["70%"]
    )
    memory: Annotated[float, Percent(least=1)] | None = Field(
        default=None, description="Target for the memory. Default: does not count.", examples=["80%"]
    )
    requests: Annotated[int, Whole(1, 10_000_000)] | None = Field(
        default=None,
        description="Target for the requests of an instance in a minute. Default: does not count.",
        examples=[1000],
    )
    out_after: Annotated[float, Duration(most=3600)] = Field(
        default=60.0, description="Pause after growing.", examples=["60s"]
    )
    in_after: Annotated[float, Duration(most=7200)] = Field(
        default=300.0, description="Pause after shrinking.", examples=["300s"]
    )

    schedule: dict[Annotated[str, LOG], Moment] = Field(
        default={},
        description="Nights, weekends and sales: from when on `min` and `max` are others, by name. Fargate only.",
        examples=[{"night": {"schedule": "0 1 * * *", "min": 1}, "day": {"schedule": "0 7 * * *", "min": 2}}],
    )

    def impossible(self) -> Iterator[Clash]:
        if self.min > self.max:
            yield Clash(("max",), f"max {self.max} below min {self.min}", f"{self.min} or more")
        for name, moment in self.schedule.items():
            least, most = self.bounds(moment)
            if least > most:
                yield Clash(("schedule", name), f"min {least} above max {most}", f"a max of {least} or more")

    def bounds(self, moment: Moment) -> tuple[int, int]:
        """Those of a moment; what it does not say is as at all other times."""
        least, most = (moment.min, moment.max)
        return self.min if least is None else least, self.max if most is None else most


Measure = Literal[
    "cpu_usage_idle",
    "cpu_usage_iowait",
    "disk_used_percent",
    "mem_used_percent",
    "processes_running",
    "processes_sleeping",
    "processes_dead",
    "processes_total",
]


class HostMetrics(Part):
    """What the CloudWatch agent reports of each host: CPU, disks, memory, processes."""

    namespace: str = Field(
        default="", description="Name they appear under. Default: the app's name.", examples=["BlueGreen/Application"]
    )
    disks: tuple[str, ...] = Field(default=("/",), description="Mount points to watch.", examples=[["/", "/opt"]])
    every: Annotated[float, Duration(least=10, most=3600)] = Field(
        default=60.0, description="How often.", examples=["60s"]
    )
    names: dict[Measure, Annotated[str, Text(r"[\w./-]{1,255}", "letters, digits and . / _ -")]] = Field(
        default={},
        description="Names of your own for what the agent measures: "
        "`cpu_usage_idle`, `cpu_usage_iowait`, `disk_used_percent`, `mem_used_percent`, and `processes_running`, "
        "`_sleeping`, `_dead` and `_total`.",
        examples=[{"cpu_usage_idle": "CPU_IDLE"}],
    )
    logs: dict[Annotated[str, LOG], str] = Field(
        default={},
        description="Files of the host that become log groups, by name. Their folders are readable for the agent, "
        "which runs as `cwagent` and not as root.",
        examples=[{"access": "/var/log/nginx/access.log"}],
    )

    @property
    def folders(self) -> list[str]:
        """Of the log files: of `/var/log/app/*/a.log` /var/log/app, for what a pattern stands for may come later."""
        plain = (re.split(r"[*?\[{]", path, maxsplit=1)[0] for path in self.logs.values())
        return sorted({path.rpartition("/")[0] for path in plain} - {""})

    def impossible(self) -> Iterator[Clash]:
        known: dict[str, str] = {one: one for one in get_args(Measure) if one not in self.names}
        for measure, name in self.names.items():
            if (other := known.setdefault(name, measure)) != measure:
                yield Clash(("names", measure), f"{name}, as {other} is called", "a name of its own")


# What nginx takes for one word: nothing that would end it, begin a variable or another directive.
_PATH = Text(r"/[\w.~%@:+,=!*/-]*", 'a path that begins with "/", of letters, digits and . _ ~ % @ : + , = ! * / -')


class Proxy(Part):
    """nginx on each host, in front of its processes."""

    balance: Literal["round_robin", "least_conn", "ip_hash"] = Field(
        default="least_conn", description="Which process gets the next request.", examples=["least_conn"]
    )
    max_fails: Annotated[int, Whole(0, 1000)] = Field(
        default=1, description="Failed tries after which a process is left out.", examples=[2]
    )
    fail_timeout: Annotated[float, Duration(least=1, most=3600)] = Field(
        default=10.0, description="For how long, and the time in which the tries are counted.", examples=["30s"]
    )
    keepalive: Annotated[int, Whole(0, 10_000)] = Field(
        default=32, description="Idle connections to the processes that stay open.", examples=[32]
    )
    health: Annotated[str, _PATH] | None = Field(
        default=None, description="Path that nginx answers itself. Default: none.", examples=["/nginx-health"]
    )
    health_timeout: Annotated[float, Duration(least=1, most=60)] | None = Field(
        default=None,
        description="How long it waits for a process that is asked for the service's own health: to connect, to send "
        "and to read, each. Default: as for every request.",
        examples=["2s"],
    )
    websockets: Annotated[str, _PATH] | None = Field(
        default=None, description="Path of WebSockets, which are not buffered. Default: none.", examples=["/ws/"]
    )
    websocket_timeout: Annotated[float, Duration(least=1)] = Field(
        default=3600.0, description="When a silent WebSocket is closed.", examples=["7d"]
    )
    fresh: dict[Annotated[str, _PATH], Annotated[float, Duration()]] = Field(
        default={},
        description="How long browsers may keep what is under a path.",
        examples=[{"/static/": "30d", "/media/": "7d"}],
    )


class Compute(Part):
    """What runs the services: containers on Fargate, hosts in an Auto Scaling group, or hosts that stay."""

    kind: Kind = Field(
        default="fargate",
        description="`fargate` runs each instance as a task of ECS; `autoscaling` runs a host for each, made anew with "
        "each release; `hosts` are as many servers that stay, to each of which a release is brought over SSH.",
        examples=["autoscaling"],
    )
    address: Address = Field(
        default="fixed",
        description="How `hosts` are reached: at fixed public addresses, or at private ones through Session Manager.",
        examples=["private"],
    )
    keys: tuple[Annotated[str, PUBLIC_KEY], ...] = Field(
        default=(),
        description="Public keys that `hosts` let in; the private one is named with `ssh: {key: ...}`.",
        examples=[["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7lq0d2rX3vWvcrOaHcJ8mYqO2nZ3hF8YdTQqzL1b2k deploy"]],
    )
    user: Annotated[str, USER] = Field(
        default="ec2-user", description="Whom a deploy logs in to `hosts` as.", examples=["deploy"]
    )
    architecture: Architecture = Field(
        default="x86", description="Processor of Fargate tasks; `arm` costs a fifth less.", examples=["arm"]
    )
    spot: Annotated[float, Percent()] = Field(
        default=0.0,
        description="Share of Fargate tasks above the minimum that may run on spare capacity.",
        examples=["50%"],
    )
    instance: Annotated[str, InstanceClass()] = Field(
        default="t3.small", description="Class of the hosts.", examples=["t3.micro"]
    )
    disk: Annotated[int, Size(least=GIB, most=16384 * GIB)] = Field(
        default=20 * GIB, description="Disk of each host.", examples=["20G"]
    )
    processes: Annotated[int, Whole(1, 64)] = Field(
        default=1,
        description="Copies on each host, on ports from the service's own upwards, behind its nginx.",
        examples=[4],
    )
    proxy: Proxy | None = Field(
        default=None,
        description="nginx on each host. Default: with several `processes`, as in `cloud.compute.proxy`.",
        examples=[{"max_fails": 2, "fail_timeout": "30s"}],
    )
    warmup: Annotated[float, Duration(most=7200)] = Field(
        default=300.0, description="How long a new host may take before its health counts.", examples=["300s"]
    )
    metrics: HostMetrics | None = Field(
        default=None,
        description="Runs the CloudWatch agent on the hosts. Default: no agent.",
        examples=[{"disks": ["/", "/opt"]}],
    )
    checks: dict[Annotated[str, SERVICE], str] = Field(
        default={},
        description="Commands that ECS runs in the containers of a service, by its name, beside the balancer's checks.",
        examples=[{"api": "wget -qO- http://localhost:3001/health"}],
    )
    read_only: bool = Field(
        default=False,
        strict=True,
        description="Fargate tasks cannot write to their own disk, but for /tmp.",
        examples=[True],
    )
    insights: bool = Field(
        default=False,
        strict=True,
        description="Container Insights for the cluster (billed by the metric).",
        examples=[True],
    )


class Registry(Part):
    """Where images are kept: one ECR repository a service."""

    keep: Annotated[int, Whole(1, 1000)] = Field(default=10, description="Newest images that stay.", examples=[10])
    expire: Annotated[int, Days(1)] = Field(default=30, description="When the untagged rest goes.", examples=["30d"])
    immutable: bool = Field(
        default=True, strict=True, description="A tag never moves to another image.", examples=[False]
    )
    scan: bool = Field(default=True, strict=True, description="Looks for known holes on push.", examples=[True])
