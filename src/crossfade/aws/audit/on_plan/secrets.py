"""What of a plan should be secret and is not."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.secret import looks_secret
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

_ASSIGNMENT = re.compile(r"""^\s*(?:export\s+|-e\s+|Environment=)?["']?([A-Za-z_]\w*)=["']?([^\s"']+)""", re.MULTILINE)


def containers(task: Resource) -> list[Mapping[str, Any]]:
    """The containers of a task definition, as far as they are known."""
    try:
        found = json.loads(task.values.get("container_definitions", "[]"))
    except (TypeError, ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def in_plain_sight(inventory: Inventory) -> Iterator[Mark]:
    for address, name, value in _variables(inventory):
        if why := looks_secret(name, value):
            yield Mark(address, f"{name} {why}")


def _variables(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    for task in inventory.of("aws_ecs_task_definition"):
        for container in containers(task):
            yield from _named(task, container.get("environment"))
    for build in inventory.of("aws_codebuild_project"):
        variables = (
            one for place in blocks(build.values, "environment") for one in blocks(place, "environment_variable")
        )
        yield from _named(build, [one for one in variables if one.get("type", "PLAINTEXT") == "PLAINTEXT"])
    for function in inventory.of("aws_lambda_function"):
        given = first(function.values, "environment", "variables") or {}
        yield from _named(function, [{"name": name, "value": value} for name, value in given.items()])
    for host in inventory.of("aws_launch_template", "aws_instance", "aws_launch_configuration"):
        for name, value in _ASSIGNMENT.findall(_start_script(host)):
            yield host.address, name, value


def _start_script(host: Resource) -> str:
    """What a host runs when it starts, which everybody on it can read."""
    text = str(host.values.get("user_data", ""))
    encoded = text if host.type == "aws_launch_template" else host.values.get("user_data_base64")
    try:
        return b64decode(encoded, validate=True).decode() if encoded else text
    except (TypeError, ValueError):
        return text


def _named(resource: Resource, variables: Any) -> Iterator[tuple[str, str, str]]:
    for one in variables or ():
        if isinstance(one, dict):
            yield resource.address, str(one.get("name")), str(one.get("value", ""))


def never_rotated(inventory: Inventory) -> Iterator[Mark]:
    for secret in inventory.of("aws_secretsmanager_secret"):
        # What `rotate` in the file becomes: somebody is told when the secret is due (docs/adr/0016).
        reminded = "RotateEvery" in (secret.values.get("tags") or {})
        if not reminded and not settings(inventory, secret, "aws_secretsmanager_secret_rotation", "secret_id"):
            yield Mark(secret.address, "no aws_secretsmanager_secret_rotation")


def credentials_for_any_request(inventory: Inventory) -> Iterator[Mark]:
    for host in inventory.of("aws_instance", "aws_launch_template", "aws_launch_configuration"):
        options = first(host.values, "metadata_options", "http_tokens")
        if options != "required" and (options or not blocks(host.values, "launch_template")):
            yield Mark(host.address, 'metadata_options.http_tokens is not "required"')


CHECKS = {
    "CF-SEC-001": in_plain_sight,
    "CF-SEC-002": never_rotated,
    "CF-SEC-007": credentials_for_any_request,
}
