"""Task definitions: read once each, for they never change, and registered for a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.ecs.definition import container_of, defined, release_in
from crossfade.platforms.aws.refusals import AwsError
from crossfade.telling.traces import LOOKED_AT, telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One task definition: whose release it is, and where its container writes."""

    arn: str
    release: Release | None
    log_group: str = ""
    log_prefix: str = ""

    @property
    def number(self) -> int:
        return self.release.number if self.release else 0


class Definitions:
    """The task definitions of one environment, by service a family."""

    def __init__(self, clients: Clients, places: Places) -> None:
        self._clients, self._places = clients, places
        self._known: dict[str, Definition] = {}
        self._lines: dict[str, str] = {}  # by task that ended

    def family(self, key: str) -> str:
        return self._places.family(key.split("/")[1])

    async def of(self, arn: str, container: str) -> Definition:
        if arn not in self._known:
            found = (await self._clients.call("ecs", "describe_task_definition", taskDefinition=arn))["taskDefinition"]
            logs = container_of(found, container).get("logConfiguration", {})
            options = logs.get("options", {}) if logs.get("logDriver") == "awslogs" else {}
            self._known[arn] = Definition(
                arn=arn,
                release=release_in(found),
                log_group=options.get("awslogs-group", ""),
                log_prefix=options.get("awslogs-stream-prefix", ""),
            )
        return self._known[arn]

    async def register(self, release: Release, secrets: Mapping[str, str], container: str, before: Check) -> Definition:
        """One for this release, made of Terraform's newest. Done twice it is there twice, which harms nobody."""
        template, tags = await self.template(release.service.key)
        asked: dict[str, Any] = defined(template, tags, release, secrets, container)
        container_of(asked, container)
        answer = await self._clients.call("ecs", "register_task_definition", before, **asked)
        return await self.of(answer["taskDefinition"]["taskDefinitionArn"], container)

    async def template(self, key: str) -> tuple[Answer, list[Answer]]:
        """The newest task definition of a service that is not a release's, with its tags."""
        family = self.family(key)
        token: dict[str, str] = {}
        while True:
            page = await self._clients.call(
                "ecs", "list_task_definitions", familyPrefix=family, sort="DESC", status="ACTIVE", **token
            )
            for arn in page["taskDefinitionArns"]:
                found = await self._described(arn)
                if found and release_in(found["taskDefinition"]) is None:
                    return found["taskDefinition"], found.get("tags", [])
            if not page.get("nextToken"):
                raise PlatformError(
                    f"task definition {family} of Terraform no longer exists",
                    f"`crossfade infra apply -e {self._places.environment}` makes it",
                )
            token = {"nextToken": page["nextToken"]}

    async def secrets(self, key: str, container: str) -> Mapping[str, str]:
        """Where the value of each secret is, as Terraform's definition names them."""
        template, _ = await self.template(key)
        return {one["name"]: one["valueFrom"] for one in container_of(template, container).get("secrets", ())}

    async def registered(self, release: Release) -> list[str]:
        """All that were registered for a release."""
        family = self.family(release.service.key)
        arns = await self._clients.all(
            "ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=family, sort="DESC", status="ACTIVE"
        )
        found = []
        for arn in arns:
            described = await self._described(arn)
            known = release_in(described["taskDefinition"]) if described else None
            if known and (known.number, known.digest) == (release.number, release.digest):
                found.append(arn)
        return found

    async def deregister(self, arn: str, before: Check) -> None:
        await self._clients.call("ecs", "deregister_task_definition", before, taskDefinition=arn)

    async def last_line(self, definition: Definition, container: str, task: str) -> str:
        """The line in which a task that ended says why: of a stack trace the error, else the last one; empty where it
        wrote nothing, or where that is not to be read.
        """
        if task not in self._lines:
            self._lines[task] = telling(await self.lines(definition, container, task, LOOKED_AT))
        return self._lines[task]

    async def lines(self, definition: Definition, container: str, task: str, number: int) -> list[str]:
        """The last lines of a task, oldest first."""
        if not definition.log_group:
            return []
        try:
            answer = await self._clients.call(
                "logs",
                "get_log_events",
                logGroupName=definition.log_group,
                logStreamName=stream(definition, container, task),
                limit=max(1, number),
                startFromHead=False,
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return []
            raise
        return [event["message"] for event in answer["events"]]

    async def _described(self, arn: str) -> Answer | None:
        """None for one that was deleted meanwhile."""
        try:
            return await self._clients.call("ecs", "describe_task_definition", taskDefinition=arn, include=["TAGS"])
        except AwsError as error:
            if error.code == "ClientException":
                return None
            raise


def stream(definition: Definition, container: str, task: str) -> str:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"""
    return f"{definition.log_prefix}/{container}/{task}"
