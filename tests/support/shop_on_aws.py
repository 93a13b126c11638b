"""An app on the rig as a person ships it: one web service, and clients that count what they lose."""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.rig import Rig
from tests.rig.place import make
from tests.rig.rig import REGION
from tests.support.shipped import LIMIT, PACE, Shipped, asked, repeated

KILLED = ("-m", "tests.support.killed_on_aws")  # crossfade, and it dies at a write of its journal

FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    replicas: 2
    resources: {{cpu: 0.25, memory: 512M}}
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
  dev: {{platform: aws, cloud: {{region: {region}}}}}
"""


USUAL = {"fault": "", "bake": "0s", "keep": "0s", "timeout": "120s"}


@dataclass
class Visitors:
    """Clients that ask all the time: what was answered, and what went wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


class Shop(Shipped):
    """An app of its own on the rig, and the folder that it is shipped from."""

    def __init__(self, rig: Rig, app: str, folder: Path, *, pace: float = PACE) -> None:
        super().__init__(rig, folder, pace=pace)
        self.place = make(rig, app)
        self.home = f"{app}@dev"
        self.write(1)

    def write(self, release: int, *, image: str = "", region: str = REGION, **how: str) -> None:
        """`how` is another fault, bake, keep or timeout than a release has otherwise."""
        known = {"app": self.place.app, "image": image or self.place.image, "release": release, "region": region}
        self.file(FILE.format(**known, **(USUAL | how)))

    @contextmanager
    def unruled(self) -> Iterator[None]:
        """The colour that no visitor is sent to is in no rule any more, as when somebody took it out by hand."""
        elb = self.rig.client("elbv2")
        rules = elb.describe_rules(RuleArns=[self.place.rule, self.place.preview_rule])["Rules"]
        groups = rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
        kept = [one for one in groups if one["Weight"]]
        for rule in rules:
            elb.modify_rule(
                RuleArn=rule["RuleArn"], Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": kept}}]
            )
        try:
            yield
        finally:
            for rule in rules:
                elb.modify_rule(RuleArn=rule["RuleArn"], Actions=rule["Actions"])

    @contextmanager
    def visited(self) -> Iterator[Visitors]:
        address = self.rig.address_of(self.place.load_balancer)
        _await_the_first_answer(address)  # of what the place began with
        with visited(address) as visitors:
            yield visitors


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
