"""`restore database -e`: a database beside the one that serves, and what people do then."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.moto import REGION, moto

FILE = f"""
app: lost
services: {{web: {{image: acme/web, port: 8080, resources: {{cpu: 0.5, memory: 1G}}}}}}
environments:
  local: {{}}
  dev: {{platform: aws, cloud: {{region: {REGION}, database: {{}}}}}}
"""


def test_the_newest_snapshot_is_taken_and_the_way_on_is_said(tmp_path: Path) -> None:
    """Asked first; what serves is not touched."""
    (tmp_path / "crossfade.yaml").write_text(FILE)
    with moto() as endpoint:
        variables = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "CROSSFADE_"))}
        variables |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-m", "crossfade.cli.main", "restore", *words],
                env={**variables, "CROSSFADE_STATE": str(tmp_path / "state")},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )

        rds = _rds(endpoint)
        rds.create_db_instance(
            DBInstanceIdentifier="lost-dev", DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20
        )
        rds.create_db_snapshot(DBInstanceIdentifier="lost-dev", DBSnapshotIdentifier="lost-dev-before-web-1")
        unasked = run("database", "-e", "dev")
        assert (unasked.returncode, "confirm it with --yes" in unasked.stderr) == (3, True)
        other = run("cache", "-e", "dev", "--yes")
        assert (other.returncode, "dev has no store cache" in other.stderr) == (2, True)
        done = run("-e", "dev", "--from", "lost-dev-before-web-1", "--yes")
        assert done.returncode == 0, done.stderr
        assert "--db-instance-identifier lost-dev-restored --new-db-instance-identifier lost-dev" in done.stdout
        told = json.loads(run("-e", "dev", "--from", "lost-dev-before-web-1", "--yes", "--json").stdout)
        assert told["restored"]["name"] == "lost-dev-restored"
        there = {one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]}
        assert {"lost-dev", "lost-dev-restored"} <= there  # other tests of the process leave theirs


def _rds(endpoint: str) -> Any:
    import botocore.session

    how = {"endpoint_url": endpoint, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return botocore.session.Session().create_client("rds", REGION, **how)
