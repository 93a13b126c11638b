"""A database on a host of its own, as Terraform's module makes it on the rig: PostgreSQL in Docker's place."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from tests.rig import Rig
from tests.rig.ec2.machine import missing

from crossfade.aws.places import DUMPS, ENGINE, Places

_BIN = next((path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
_LIMIT = 120.0  # seconds that a busy machine may take to boot it
# As its image does it: the data first, then the server, for whoever is on the host.
_SERVER = """
data=/var/lib/postgresql/db
as="runuser -u postgres -- env PATH=$PATH"
install -d -o postgres "$data" /run/postgresql
cd /
if ! [ -e "$data/PG_VERSION" ]; then
  $as initdb -D "$data" -U app --auth=trust
  echo "CREATE DATABASE $POSTGRES_DB" | $as postgres --single -D "$data" postgres
fi
exec $as postgres -D "$data" -k /run/postgresql -c listen_addresses=
"""


def why_not() -> str:
    """Why there is none here; empty when there can be."""
    if _BIN is None or shutil.which("psql") is None:
        return "needs PostgreSQL's server and client"
    return missing()


class DatabaseHost:
    """`ask("SELECT 1")` asks the one that serves, or another one in it."""

    def __init__(self, rig: Rig, places: Places, name: str = "shop") -> None:
        self.rig, self.name, self.bucket = rig, name, f"{places.prefix}-backups-1"
        path = f"{_BIN}:{os.environ['PATH']}"
        rig.images.add("postgres:15", ["bash", "-c", _SERVER], environment={"PATH": path, "POSTGRES_DB": name})
        rig.client("s3").create_bucket(Bucket=self.bucket)
        tags = {**places.tags(), DUMPS: self.bucket, ENGINE: "postgres"}
        begun = "docker run --detach --restart always --name database postgres:15"
        said = f"#!/bin/bash\nset -e\ndnf install -y docker\n{begun}\n"
        made = rig.client("ec2").run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            UserData=said,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        )
        self.id = str(made["Instances"][0]["InstanceId"])
        end = time.monotonic() + _LIMIT
        while self._there("pg_isready", "--username=app", f"--dbname={name}")["code"] != 0:
            assert time.monotonic() < end, "the database does not answer"
            time.sleep(0.1)

    def ask(self, statement: str, database: str = "") -> str:
        asked = ("psql", "--username=app", f"--dbname={database or self.name}", "-qAt", "-c", statement)
        answer = self._there(*asked)
        assert answer["code"] == 0, answer["out"]
        return str(answer["out"].strip())

    def stop(self) -> None:
        self.rig.ask("POST", f"/instances/{self.id}/run", {"argv": ["docker", "rm", "--force", "database"]})

    def dumps(self) -> list[str]:
        found = self.rig.client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def _there(self, *words: str) -> Any:
        try:
            argv = ["docker", "exec", "database", *words]
            return self.rig.ask("POST", f"/instances/{self.id}/run", {"argv": argv})
        except (OSError, ValueError):  # its machine is not there yet
            return {"code": 1, "out": ""}
