"""One web service of processes on two Auto Scaling groups of the rig, to which CodeDeploy brings revisions."""

import asyncio
import base64
import io
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from tests.rig.groups import Groups
from tests.rig.place import APP, PORT
from tests.rig.revisions import log_group, place
from tests.support.on_ecs import PACE, Process
from tests.support.on_groups import OnGroups

from crossfade.adapters import ON_AWS
from crossfade.aws.places import Places
from crossfade.aws.terraform.revision import carried
from crossfade.core.service import HealthCheck, RollbackOn, Service, Strategy
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.journal import DryJournal
from crossfade.file.model import App
from crossfade.platforms.aws.codedeploy.deployments import UNDER_WAY

_RULES = RollbackOn.__dataclass_fields__
COMMAND = f"{sys.executable} app.py"


class OnRevisions(OnGroups):
    """`async with OnRevisions(rig, "shop") as shop`: nothing serves yet. The hooks are those that crossfade writes."""

    place: Groups

    def made(self) -> Groups:
        self.folder = Path(tempfile.mkdtemp(prefix="revisions-"))
        self._over: dict[str, Any] = {}  # deployments by id, as they ended
        return place(self.rig, self.app)

    def emptied(self) -> None:
        super().emptied()
        shutil.rmtree(self.folder)

    async def __aenter__(self) -> Self:
        self.place = self.made()
        await self.begin()
        return self

    async def begin(self) -> Process:
        name = f"process {len(self.processes)}"
        journal = DryJournal(SystemClock(), self.paper)
        places = Places(self.app, "dev")
        revision, group = carried(self.file()), log_group(places)
        made = Process(self.rig, places, journal, name, self.timing, self.compute, revision, group)
        self.processes.append(made)
        await made.orders.start()
        return made

    def file(self) -> App:
        """What of a file says how CodeDeploy brings it: hooks with short limits, in AWS's seconds."""
        web = {
            "source": ".",
            "command": COMMAND,
            "port": PORT,
            "build": "echo built > built",
            "health": {"path": "/health"},
        }
        checks = {"tries": 8, "every": "1s"}
        pipeline = {"by": "codedeploy", "repository": "acme/shop", "strategy": "hybrid", "checks": checks}
        cloud = {"compute": {"kind": "autoscaling"}, "pipeline": pipeline}
        given = {"app": self.app, "environment": "dev", "platform": "aws", "services": {"web": web}, "cloud": cloud}
        return App.model_validate(given)

    def service(  # type: ignore[override]
        self, release: str, fault: str = "", *, files: Mapping[str, str] | None = None, **how: Any
    ) -> Service:
        """Answers with `release`. `files` are beside the app in its source, texts by path."""
        rules = {name: how.pop(name) for name in list(how) if name in _RULES}
        known: dict[str, Any] = {"keep_previous": 600 / PACE, "timeout": 1200 / PACE, **how}
        source = self.folder / release
        source.mkdir(exist_ok=True)
        shutil.copy(APP, source / "app.py")
        for path, text in {"VERSION": release, **(files or {})}.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text)
        return Service(
            app=self.app,
            name="web",
            environment="dev",
            runtime=ON_AWS[self.compute],
            source=str(source),
            command=COMMAND,
            port=PORT,
            replicas=2,
            health=HealthCheck(path="/health"),
            drain=30 / PACE,
            env=(("RELEASE", release), ("FAULT", fault)),
            strategy=Strategy(**known, rollback_on=RollbackOn(**{"min_requests": 0, **rules})),
        )

    def hooks(self, *, limit: int = 600, exists: str = "DISALLOW", **scripts: str) -> dict[str, str]:
        """Files of a source with an appspec of its own, which starts the app; `scripts` are by event.

        `exists`: what is done with files that are there already, and not of the last revision.
        """
        given = {"ApplicationStart": f"#!/bin/sh\nsystemctl restart app@{PORT}\n", **scripts}
        hooks = {event: [{"location": f"{event}.sh", "timeout": limit}] for event in given}
        files = [{"source": "/", "destination": f"/opt/{self.app}/current"}]
        spec = {"version": 0.0, "os": "linux", "files": files, "file_exists_behavior": exists, "hooks": hooks}
        return {"appspec.yml": json.dumps(spec), **{f"{event}.sh": text for event, text in given.items()}}

    @asynccontextmanager
    async def without_agents(self) -> AsyncIterator[None]:
        """What a host is has no agent of CodeDeploy's, as where its installation failed."""
        ec2, name = self.rig.client("ec2"), {"LaunchTemplateName": f"{self.app}-dev"}
        asked = partial(ec2.describe_launch_template_versions, **name, Versions=["$Latest"])
        data = (await asyncio.to_thread(asked))["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        script = base64.b64decode(data["UserData"]).decode().replace("/tmp/install auto\n", "")
        written = partial(ec2.create_launch_template_version, **name)
        await asyncio.to_thread(
            written, LaunchTemplateData={**data, "UserData": base64.b64encode(script.encode()).decode()}
        )
        try:
            yield
        finally:
            await asyncio.to_thread(written, LaunchTemplateData=data)

    def shelve(self, bucket: str, key: str, files: Mapping[str, str]) -> None:
        """A revision of another hand, where ours are."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        self.rig.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())

    def healthy(self, colour: str) -> int:
        """How many hosts of a colour the load balancer finds well."""
        asked = {"TargetGroupArn": self.place.target_groups[colour]}
        found = self.rig.client("elbv2").describe_target_health(**asked)["TargetHealthDescriptions"]
        return sum(one["TargetHealth"]["State"] == "healthy" for one in found)

    def deployments(self, creator: str = "") -> list[Any]:
        """Of both colours, as CodeDeploy shows them; by whoever began them, or by one kind of creator."""
        codedeploy, found = self.rig.client("codedeploy"), []
        for name in self.place.groups.values():
            asked = {"applicationName": f"{self.app}-dev", "deploymentGroupName": name}
            for id_ in codedeploy.list_deployments(**asked)["deployments"]:
                told = self._over.get(id_) or codedeploy.get_deployment(deploymentId=id_)["deploymentInfo"]
                found.append(told)
                if told["status"] not in UNDER_WAY:
                    self._over[id_] = told
        return [one for one in found if creator in ("", one["creator"])]
