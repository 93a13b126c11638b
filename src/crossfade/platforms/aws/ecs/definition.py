"""A release as ECS runs it: a task definition that is Terraform's newest one with the release in it."""

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.core.wire import decode, encode
from crossfade.platforms.aws.clients import Answer
from crossfade.platforms.local.runtimes.docker.image import parse

# On the container, which a tag is too short for: whoever finds a task knows its release without any journal.
LABEL = "crossfade.release"
TAG = "crossfade:release"
_UNITS = 1024  # of CPU, in a core
_MIB = 1 << 20
_LONGEST_STOP = 120  # seconds that Fargate waits at most between SIGTERM and SIGKILL
# What RegisterTaskDefinition takes of what DescribeTaskDefinition says.
_KEPT = (
    "containerDefinitions",
    "cpu",
    "ephemeralStorage",
    "executionRoleArn",
    "family",
    "memory",
    "networkMode",
    "pidMode",
    "proxyConfiguration",
    "requiresCompatibilities",
    "runtimePlatform",
    "taskRoleArn",
    "volumes",
)


def defined(
    template: Answer, tags: list[Answer], release: Release, secrets: Mapping[str, str], container: str
) -> dict[str, Any]:
    """What RegisterTaskDefinition is told: `template` as DescribeTaskDefinition gives it, with the release in it.

    Roles, network, logs and what runs beside the container are Terraform's, and so are the variables that only it
    knows; image, command, size, settings and secrets are the release's. `secrets` says where the value of each comes
    from, as ECS takes it.
    """
    service = release.service
    asked = {name: template[name] for name in _KEPT if template.get(name) not in (None, [], "")}
    asked["containerDefinitions"] = [
        _container(one, release, secrets) if one["name"] == container else one
        for one in template["containerDefinitions"]
    ]
    if service.resources.cpu is not None:
        asked["cpu"] = str(round(service.resources.cpu * _UNITS))
    if service.resources.memory is not None:
        asked["memory"] = str(service.resources.memory // _MIB)
    kept = [tag for tag in tags if tag["key"] != TAG]
    return {**asked, "tags": [*kept, {"key": TAG, "value": str(release.number)}]}


def container_of(definition: Answer, name: str) -> Answer:
    """The container that answers requests. PlatformError where there is none of that name."""
    for one in definition["containerDefinitions"]:
        if one["name"] == name:
            container: Answer = one
            return container
    arn = definition.get("taskDefinitionArn", definition["family"])
    raise PlatformError(
        f"{arn} has no container {name}, which the release is to run in", "`crossfade infra plan` shows what is missing"
    )


def release_in(definition: Answer) -> Release | None:
    """The release that a task definition was registered for; None for one that is not ours.

    PlatformError for one that says it is, and has another image: somebody copied it and put that in.
    """
    for container in definition["containerDefinitions"]:
        told = container.get("dockerLabels", {}).get(LABEL)
        if not told:
            continue
        try:
            release = decode(Release, json.loads(told))
        except (ValueError, ValidationError):
            return None
        if container["image"] != release.digest:
            name = definition["taskDefinitionArn"].rpartition("/")[2]
            raise PlatformError(
                f"{name} is not crossfade's: it says release {release.label} and has the image {container['image']}",
                "something else deploys here too: have it run `crossfade deploy`, and ECS the definition before",
            )
        return release
    return None


def require_told(definition: Answer, name: str, service: Service) -> None:
    """WrongInputError when the place does not tell what the file takes from it."""
    container = container_of(definition, name)
    known = {one["name"] for kind in ("environment", "secrets") for one in container.get(kind, ())}
    unknown = [variable for variable in service.told if variable not in known]
    if unknown:
        raise WrongInputError(
            f"the place of {service.key} does not tell {', '.join(unknown)} yet",
            f"`crossfade infra apply -e {service.environment}` has it do so",
        )


def platform(definition: Answer) -> str:
    """What its containers are made for, as Docker says it: linux/amd64 where it is not said.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html
    """
    arm = (definition.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64"
    return "linux/arm64" if arm else "linux/amd64"


def _container(template: Answer, release: Release, secrets: Mapping[str, str]) -> Answer:
    service = release.service
    own = {
        **dict(service.env),
        **({"PORT": str(service.port)} if service.kind == "web" else {}),
        **release.variables,
    }
    known = {one["name"]: one["value"] for one in template.get("environment", ()) if one["name"] not in secrets}
    where = {one["name"]: one["valueFrom"] for one in template.get("secrets", ()) if one["name"] not in own}
    made = {
        **template,
        "image": release.digest,
        "environment": _pairs({**known, **own}, "value"),
        "secrets": _pairs({**where, **secrets}, "valueFrom"),
        "stopTimeout": max(1, min(math.ceil(service.grace), _LONGEST_STOP)),
        "portMappings": _ports(service),
        "dockerLabels": {**template.get("dockerLabels", {}), LABEL: _told(release)},
    }
    made.pop("command", None)
    made.pop("repositoryCredentials", None)
    if service.login and release.digest.startswith(f"{parse(service.image).repository}@"):  # where the file found it
        made["repositoryCredentials"] = {"credentialsParameter": service.login}
    if service.container.command:
        made["command"] = list(service.container.command)
    elif service.command:
        made["command"] = ["/bin/sh", "-c", service.command]
    return made


def _ports(service: Service) -> list[Answer]:
    """None of a worker, whom nobody asks anything."""
    if service.kind == "worker":
        return []
    return [{"containerPort": service.port, "hostPort": service.port, "protocol": "tcp"}]


def _pairs(values: Mapping[str, str], called: str) -> list[Answer]:
    return [{"name": name, called: value} for name, value in sorted(values.items())]


def _told(release: Release) -> str:
    """Without what only a process of one machine needs."""
    return json.dumps({**encode(release), "path": ""}, separators=(",", ":"), sort_keys=True)
