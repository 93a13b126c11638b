"""A database on a host of its own, as Terraform's module makes it on the rig: its server in Docker's place."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig import Rig
from tests.rig.ec2.machine import missing

from crossfade.aws.places import DUMPS, ENGINE, Places

PASSWORD = "4f1c0ffee5ec2e7"  # as the host makes one
_POSTGRES = next((path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), Path())
_PLACES = f"{_POSTGRES}:{os.environ['PATH']}:/usr/sbin"
_LIMIT = 120.0  # seconds that a busy machine may take to boot it
# As their images do it: the data first, then the server, for whoever is on the host.
_OF_POSTGRES = """
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
# MariaDB is there by MySQL's names, too: Debian has no MySQL. The same TLS is asked for as on a host of Terraform's.
_OF_MYSQL = """
data=/var/lib/mysql/db
install -d "$data" /run/mysqld
how="--no-defaults --user=root --datadir=$data"
if ! [ -d "$data/mysql" ]; then
  mariadb-install-db $how --auth-root-authentication-method=normal --skip-test-db
  cat > "$data/first.sql" << END
CREATE DATABASE $PREFIX_DATABASE;
CREATE USER $PREFIX_USER@'%' IDENTIFIED BY '$PREFIX_PASSWORD';
GRANT ALL ON $PREFIX_DATABASE.* TO $PREFIX_USER@'%';
ALTER USER root@localhost IDENTIFIED BY '$PREFIX_ROOT_PASSWORD';
END
  first="--init-file=$data/first.sql"
fi
exec $SERVER $how $first --socket=/run/mysqld/mysqld.sock --skip-networking --require-secure-transport=ON
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """What its image starts, what is on it, and how one asks there."""

    server: str
    programs: tuple[str, ...]
    asks: str  # a line for a shell of its container's, which gets $STATEMENT and $DATABASE
    packages: str


def _of_mysql(server: str, client: str, dump: str) -> Engine:
    brand = "MARIADB" if client == "mariadb" else "MYSQL"
    script = _OF_MYSQL.replace("$PREFIX", f"${brand}").replace("$SERVER", server)
    asks = (
        f'export MYSQL_PWD="${brand}_PASSWORD"; exec {client} --user=app --default-character-set=utf8mb4 '
        '--batch --skip-column-names "$DATABASE" -e "$STATEMENT"'
    )
    packages = "mariadb-server-core and mariadb-client"
    return Engine(script, (server, client, dump, "mariadb-install-db"), asks, packages)


ENGINES = {
    "postgres": Engine(
        _OF_POSTGRES,
        ("initdb", "psql"),
        'exec psql --username=app --dbname="$DATABASE" -qAt -c "$STATEMENT"',
        "postgresql",
    ),
    "mysql": _of_mysql("mysqld", "mysql", "mysqldump"),
    "mariadb": _of_mysql("mariadbd", "mariadb", "mariadb-dump"),
}


def why_not(engine: str = "postgres") -> str:
    """Why there is none here; empty when there can be."""
    there = ENGINES[engine]
    absent = [name for name in there.programs if shutil.which(name, path=_PLACES) is None]
    return f"needs {', '.join(absent)} (Debian: {there.packages})" if absent else missing()


class DatabaseHost:
    """`ask("SELECT 1")` asks the one that serves, or another one in it."""

    def __init__(self, rig: Rig, places: Places, engine: str = "postgres") -> None:
        self.rig, self.name, self.bucket = rig, places.app, f"{places.prefix}-backups-1"
        self.asking = f'DATABASE="$1" STATEMENT="$2"; {ENGINES[engine].asks}'
        image, brand = f"{engine}:1", engine.upper()
        rig.images.add(image, ["bash", "-c", ENGINES[engine].server], environment={"PATH": _PLACES})
        rig.client("s3").create_bucket(Bucket=self.bucket)
        tags = {**places.tags(), DUMPS: self.bucket, ENGINE: engine}
        # As the module's user data gives them: by name, so that no list of processes shows a password.
        given = {f"{brand}_{name}": PASSWORD for name in ("PASSWORD", "ROOT_PASSWORD")}
        given |= {f"{brand}_USER": "app", f"{brand}_{'DB' if engine == 'postgres' else 'DATABASE'}": self.name}
        exported = " ".join(f"{name}={text}" for name, text in given.items())
        named = " ".join(f"--env {name}" for name in given)
        begun = f"docker run --detach --restart always --name database {named} {image}"
        said = f"#!/bin/bash\nset -e\ndnf install -y docker\nexport {exported}\n{begun}\n"
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
        while (said := self._there(self.name, "SELECT 1"))["code"] != 0:
            assert time.monotonic() < end, f"the database does not answer: {said['out']}"
            time.sleep(0.1)

    def ask(self, statement: str, database: str = "") -> str:
        answer = self._there(database or self.name, statement)
        assert answer["code"] == 0, answer["out"]
        return str(answer["out"].strip())

    def stop(self) -> None:
        self.rig.ask("POST", f"/instances/{self.id}/run", {"argv": ["docker", "rm", "--force", "database"]})

    def dumps(self) -> list[str]:
        found = self.rig.client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def run(self, *argv: str) -> str:
        """What a command on the host says."""
        return str(self.rig.ask("POST", f"/instances/{self.id}/run", {"argv": argv})["out"])

    def _there(self, database: str, statement: str) -> Any:
        try:
            argv = ["docker", "exec", "database", "sh", "-c", self.asking, "sh", database, statement]
            return self.rig.ask("POST", f"/instances/{self.id}/run", {"argv": argv})
        except (OSError, ValueError) as error:  # its machine is not there yet
            return {"code": 1, "out": str(error)}
