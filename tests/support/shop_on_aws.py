"""An app on the rig as a person ships it: one web service, and clients that count what they lose."""

import http.client
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from tests.rig import Rig, groups, revisions
from tests.rig.place import APP, make
from tests.rig.rig import REGION
from tests.support.shipped import LIMIT, PACE, Shipped, asked, repeated

KILLED = ("-m", "tests.support.killed_on_aws")  # crossfade, and it dies at a write of its journal

FILE = """
app: {app}
services:
  web:
    {runs}
    port: 8080
    replicas: 2
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    env: {{RELEASE: "{release}", FAULT: "{fault}"}}
    deploy:
      strategy: blue-green
      bake: {bake}
      keep_previous: {keep}
      timeout: {timeout}
      rollback_on: {{min_requests: 0}}
environments:
  local: {{}}
  dev: {{platform: aws, cloud: {{region: {region}, secrets: {{KEY: {{}}}}, {cloud}}}}}
  stage: {{platform: aws, cloud: {{region: {region}, {cloud}}}}}
"""


USUAL = {"fault": "", "bake": "0s", "keep": "0s", "timeout": "120s"}


@dataclass
class Visitors:
    """Clients that ask all the time: what was answered, and what went wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


class Shop(Shipped):
    """An app of its own on the rig, and the folder that it is shipped from: as tasks of ECS."""

    cloud: ClassVar[str] = "compute: {kind: fargate}"
    place: Any

    def __init__(self, rig: Rig, app: str, folder: Path, *, pace: float = PACE) -> None:
        super().__init__(rig, folder, pace=pace)
        self.place = self.made(rig, app)
        self.home = f"{app}@dev"
        self.write(1)

    def made(self, rig: Rig, app: str) -> Any:
        """The place, as `infra apply` would make it."""
        return make(rig, app)

    def runs(self, image: str) -> str:
        """What the service is made of, in the file."""
        return f"image: {image or self.place.image}\n    resources: {{cpu: 0.25, memory: 512M}}"

    def write(self, release: int, *, image: str = "", region: str = REGION, **how: str) -> None:
        """`how` is another fault, bake, keep or timeout than a release has otherwise."""
        known = {"app": self.place.app, "runs": self.runs(image), "release": release, "region": region}
        self.file(FILE.format(**known, cloud=self.cloud, **(USUAL | how)))

    def sizes(self) -> list[int]:
        """How many each colour is told to keep, the smaller first."""
        services = list(self.place.services.values())
        found = self.rig.client("ecs").describe_services(cluster=self.place.cluster, services=services)["services"]
        return sorted(one["desiredCount"] for one in found)

    def killed(self, release: int, when: str, count: int) -> bool:
        """Deploy, and die at that write; the next command sees to the rest. False: it had fewer writes.

        Every third time that is `abort`, else the same deploy again.
        """
        self.write(release)
        version = f"v{release}"
        died = self.run("deploy", "-e", "dev", "--version", version, program=KILLED, KILL_AT=f"{when} {count}")
        if died.code != -signal.SIGKILL:
            assert died.code == 0, died.err
            return False
        if release % 3:
            ran = self.run("deploy", "-e", "dev", "--version", version)
            assert ran.code == 0, (when, count, ran.err)
        else:
            ran = self.run("abort", "-e", "dev")
            assert ran.code in {0, 3}, (when, count, ran.err)  # 3: it was over, only its record was not
        status = json.loads(self.run("status", "-e", "dev", "--json").out)
        assert [one["rollout"] for one in status["services"]] == [None], (when, count)
        return True

    @contextmanager
    def unruled(self) -> Iterator[None]:
        """The colour that no visitor is sent to is in no rule any more, as when somebody took it out by hand."""
        elb = self.rig.client("elbv2")
        rules, _ = self._take_out()
        try:
            yield
        finally:
            for rule in rules:
                elb.modify_rule(RuleArn=rule["RuleArn"], Actions=rule["Actions"])

    def delete_target_group(self) -> None:
        """That of the colour that no visitor is sent to, as somebody does by hand."""
        _, group = self._take_out()
        self.rig.client("elbv2").delete_target_group(TargetGroupArn=group)

    def _take_out(self) -> tuple[list[Any], str]:
        """The rules as they were, and the target group that they lead to no more."""
        elb = self.rig.client("elbv2")
        rules = elb.describe_rules(RuleArns=[self.place.rule, self.place.preview_rule])["Rules"]
        groups = rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
        kept = [one for one in groups if one["Weight"]]
        for rule in rules:
            actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": kept}}]
            elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)
        return rules, next(one["TargetGroupArn"] for one in groups if not one["Weight"])

    @contextmanager
    def visited(self) -> Iterator[Visitors]:
        address = self.rig.address_of(self.place.load_balancer)
        _await_the_first_answer(address)  # of what the place began with
        with visited(address) as visitors:
            yield visitors


class OnGroups(Shop):
    """The same as a container on each host of two Auto Scaling groups."""

    cloud = "compute: {kind: autoscaling}"

    def made(self, rig: Rig, app: str) -> Any:
        return groups.make(rig, app)

    def runs(self, image: str) -> str:
        name = self.place.repository
        return f"image: {image or name}@{self.rig.images.add(f'{name}:1', [sys.executable, str(APP)])}"

    def sizes(self) -> list[int]:
        asked = {"AutoScalingGroupNames": list(self.place.groups.values())}
        found = self.rig.client("autoscaling").describe_auto_scaling_groups(**asked)["AutoScalingGroups"]
        return sorted(one["DesiredCapacity"] for one in found)

    def end(self) -> None:
        """Nothing runs there any more."""
        groups.empty(self.rig, self.place)


class OnRevisions(OnGroups):
    """The same as processes, which CodeDeploy brings to the hosts of two groups; nothing runs there at first."""

    cloud = """compute: {kind: autoscaling}, pipeline: {by: codedeploy, repository: acme/shop, strategy: hybrid,
    checks: {tries: 8, every: 1s}}"""

    def made(self, rig: Rig, app: str) -> Any:
        source = self.folder / "source"
        source.mkdir()
        shutil.copy(APP, source / "app.py")
        return revisions.place(rig, app)

    def runs(self, image: str) -> str:
        return f"source: source\n    command: {sys.executable} app.py\n    build: 'true'"


@contextmanager
def visited(address: str) -> Iterator[Visitors]:
    """Two clients that ask `host:port` all the time."""
    visitors = Visitors()
    connections = [http.client.HTTPConnection(address, timeout=10) for _ in range(2)]
    with repeated(*(partial(_visit, one, visitors) for one in connections)):
        yield visitors
    for one in connections:
        one.close()


def _await_the_first_answer(address: str) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            if asked(address, "/")[0] == 200:
                return
        time.sleep(0.1)
    raise AssertionError("nothing answers")


def _visit(connection: http.client.HTTPConnection, visitors: Visitors) -> None:
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        said = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        visitors.lost[type(error).__name__] += 1
        connection.close()
    else:
        visitors.answers[said] += answer.status == 200
        if answer.status != 200:
            visitors.lost[str(answer.status)] += 1
