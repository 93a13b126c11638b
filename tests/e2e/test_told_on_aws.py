"""What an app on AWS is told: addresses of its places, RDS's own password, and secrets as its release had them."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rig import Rig
from tests.rig.place import make
from tests.support.shipped import PACE, Shipped

pytestmark = pytest.mark.long

FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    replicas: 1
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    secrets: [JWT_SECRET]
    deploy: {{strategy: blue-green, keep_previous: 0s, rollback_on: {{min_requests: 0}}}}
environments:
  dev:
    platform: aws
    services:
      web:
        env:
          RELEASE: "{release}"
          DATABASE_HOST: {{from: database.host}}
          DATABASE_PASSWORD: {{from: database.password}}
          REDIS_HOST: {{from: cache.host}}
          AWS_S3_BUCKET: {{from: bucket.user-files}}
    cloud:
      region: us-east-1
      database: {{}}
      cache: {{}}
      buckets: {{user-files: {{}}}}
      secrets: {{JWT_SECRET: {{}}}}
"""
TOLD = {"DATABASE_HOST": "db.example", "REDIS_HOST": "cache.example", "AWS_S3_BUCKET": "told-dev-user-files"}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


class Told(Shipped):
    """An app whose place tells it what Terraform would, and the folder that it is shipped from."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        super().__init__(rig, folder)
        self.place = make(rig, "told", desired=0)
        self.vault = rig.client("secretsmanager")
        managed = self.vault.create_secret(Name="rds!db-1", SecretString=json.dumps({"password": "of RDS"}))["ARN"]
        self.jwt = self.vault.create_secret(Name="told/dev/JWT_SECRET", SecretString="one")["ARN"]
        ecs = rig.client("ecs")
        known = ecs.describe_task_definition(taskDefinition=self.place.definition)["taskDefinition"]
        container = known["containerDefinitions"][0]
        container["environment"] += [{"name": name, "value": value} for name, value in TOLD.items()]
        container["secrets"] = [
            {"name": "DATABASE_PASSWORD", "valueFrom": f"{managed}:password::"},
            {"name": "JWT_SECRET", "valueFrom": self.jwt},
        ]
        kept = ("family", "containerDefinitions", "cpu", "memory", "networkMode", "requiresCompatibilities")
        ecs.register_task_definition(**{name: known[name] for name in kept})

    def deploy(self, release: int) -> None:
        self.file(FILE.format(app="told", image=self.place.image, release=release))
        done = self.run("deploy", "-e", "dev", "--version", f"v{release}", "--json")
        assert done.code == 0, done.out + done.err

    def knows(self, name: str) -> str:
        """The value that a task of what serves really has."""
        url = f"http://{self.rig.address_of(self.place.load_balancer)}/env/{name}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return str(answer.read().decode())

    def definitions(self) -> list[Any]:
        """What each release's tasks are to read, by its variables."""
        ecs = self.rig.client("ecs")
        arns = ecs.list_task_definitions(familyPrefix=self.place.family)["taskDefinitionArns"]
        found = [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]
        return [{one["name"]: one["valueFrom"] for one in made["containerDefinitions"][0]["secrets"]} for made in found]


def test_tasks_get_addresses_and_secrets_and_go_back_with_their_own(rig: Rig, tmp_path: Path) -> None:
    """A newer value of a secret comes with the next release, and goes with it."""
    told = Told(rig, tmp_path)
    told.deploy(1)
    assert {name: told.knows(name) for name in TOLD} == TOLD
    assert (told.knows("DATABASE_PASSWORD"), told.knows("JWT_SECRET")) == ("of RDS", "one")
    told.vault.put_secret_value(SecretId=told.jwt, SecretString="two")
    told.deploy(2)
    assert (told.knows("RELEASE"), told.knows("JWT_SECRET")) == ("2", "two")
    pinned = {one["JWT_SECRET"] for one in told.definitions() if "JWT_SECRET" in one} - {told.jwt}
    assert len(pinned) == 2
    assert all(one.startswith(f"{told.jwt}:::") for one in pinned)
    back = told.run("rollback", "-e", "dev", "--json")
    assert back.code == 0, back.out + back.err
    assert (told.knows("RELEASE"), told.knows("JWT_SECRET")) == ("1", "one")
    assert told.knows("DATABASE_PASSWORD") == "of RDS"
    passwords = {one["DATABASE_PASSWORD"] for one in told.definitions() if "DATABASE_PASSWORD" in one}
    assert [one.endswith(":password::") for one in passwords] == [True]
