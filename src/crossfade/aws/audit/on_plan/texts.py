"""Texts of a plan that somebody wrote: variables, scripts of hosts, commands, and everything else that is a text."""

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.audit.on_plan.access.statements import listed
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.written import PROVISIONER

_ARGUMENT = re.compile(r"(?:^|(?<=[\s\"']))--?([A-Za-z][\w-]*)[= ]+[\"']?(?!id=)([^\s\"'-][^\s\"']*)")
# DB_PASSWORD=... wherever a word of a script begins; db-password: "..." of YAML, "password": "..." of JSON. What
# follows a tag of YAML, as in `Password: !Ref DatabasePassword`, is the name of something.
_ASSIGNMENT = re.compile(r"""(?:^|(?<=[\s"';&|=(]))["']?([A-Za-z_]\w*)=["']?([^\s"']+)""", re.MULTILINE)
_ENTRY = re.compile(
    r"""(?:^[ \t-]*|[{,]\s*)["']?([A-Za-z_][\w-]*)["']?:[ \t]*(?!!\w)["']?([^\s"',{}[\]#|>]+)""", re.MULTILINE
)
# Where a build has names of parameters and secrets, whose values it fetches by itself:
# https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
_LOOKED_UP = re.compile(
    r"""^([ \t]*)["']?(?:parameter-store|secrets-manager)["']?:[ \t]*(?:[#&].*)?\n(?:\1[ \t]+\S.*\n?|[ \t]*\n)*"""
    r"""|(?<![\w-])(?:parameter-store|secrets-manager)["']?\s*:\s*\{[^{}]*\}""",
    re.MULTILINE,
)
_LARGEST = 1 << 20  # bytes of a script; AWS takes 16 KB
_GZIP = b"\x1f\x8b"
# Where a type keeps a text that is run, and every reader of it reads.
_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "aws_appconfig_hosted_configuration_version": ("content",),
    "aws_cloudformation_stack": ("template_body",),
    "aws_cloudfront_function": ("code",),
    "aws_codebuild_project": ("source.buildspec", "secondary_sources.buildspec"),
    "aws_eks_addon": ("configuration_values",),
    "aws_emr_cluster": ("configurations_json",),
    "aws_imagebuilder_component": ("data",),
    "aws_instance": ("user_data", "user_data_base64"),
    "aws_launch_configuration": ("user_data", "user_data_base64"),
    "aws_launch_template": ("user_data",),
    "aws_lightsail_instance": ("user_data",),
    "aws_s3_object": ("content", "content_base64"),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("on_create", "on_start"),
    "aws_spot_fleet_request": ("launch_specification.user_data",),
    "aws_spot_instance_request": ("user_data", "user_data_base64"),
    "aws_ssm_document": ("content",),
}
# Mappings of names to values that what runs gets, whatever has them.
_VARIABLES = frozenset(
    {
        *("environment", "environment_variables", "runtime_environment_variables", "variables"),
        *("default_arguments", "connection_properties", "provider_details", "airflow_configuration_options"),
        *("connector_configuration", "parameters", "configuration"),
    }
)
# Blocks that give one variable, a name and a value, which whoever runs there reads.
_PAIRS = frozenset({"environment_variable", "setting", "env"})
# And what others are shown, a name or a key and a value, which has to be there but not to stand in the configuration.
_SHOWN = frozenset({"custom_header", "header", "api_key"})
_READ_ELSEWHERE = frozenset(
    {
        "container_definitions",
        "container_properties",
        "ecs_properties",
        "node_properties",
        "tags",
        "tags_all",
        *_VARIABLES,
        *_PAIRS,
        *_SHOWN,
    }
)


def containers(task: Resource) -> list[Mapping[str, Any]]:
    """The containers of a task definition or of a job of Batch, as far as they are known."""
    found = listed(_parsed(task.values.get("container_definitions") or task.values.get("container_properties")))
    many = _parsed(task.values.get("node_properties"))  # of a job over several hosts
    ranges = listed(many.get("nodeRangeProperties")) if isinstance(many, Mapping) else []
    found += [one.get("container") for one in ranges if isinstance(one, Mapping)]
    several = _parsed(task.values.get("ecs_properties"))  # of a job of several containers
    tasks = listed(several.get("taskProperties")) if isinstance(several, Mapping) else []
    found += [one for each in tasks if isinstance(each, Mapping) for one in listed(each.get("containers"))]
    return [one for one in found if isinstance(one, dict)]


def pods(job: Resource) -> Iterator[Mapping[str, Any]]:
    """The pods of a job of Batch on EKS."""
    for properties in blocks(job.values, "eks_properties"):
        yield from blocks(properties, "pod_properties")


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text or "null")
    except (TypeError, ValueError, RecursionError):
        return None


def variables(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    """Addresses, names and values of all that is given to what runs."""
    for task in inventory.of("aws_ecs_task_definition", "aws_batch_job_definition"):
        for container in containers(task):
            yield from _named(task, container.get("environment"))
            logs = container.get("logConfiguration")
            options = logs.get("options") if isinstance(logs, Mapping) else None
            for name, value in options.items() if isinstance(options, Mapping) else ():
                yield task.address, str(name).replace("-", "_"), str(value)
            words = [str(word) for key in ("command", "entryPoint") for word in container.get(key) or ()]
            for name, value in _ARGUMENT.findall(" ".join(words)):
                yield task.address, name.replace("-", "_"), value
    for resource in inventory.all:
        steps = {PROVISIONER: resource.written[PROVISIONER]} if PROVISIONER in resource.written else {}
        for name, value in (*_mapped({**resource.values, **steps}), *_paired(resource.values, _PAIRS)):
            yield resource.address, name, value
        for script in scripts(resource) if steps or resource.type in _SCRIPTS else ():
            for pattern in (_ASSIGNMENT, _ENTRY, _ARGUMENT):
                for name, value in pattern.findall(_LOOKED_UP.sub("", script)):
                    yield resource.address, name, value


def shown(resource: Resource) -> Iterator[tuple[str, str]]:
    """Names and values of headers and the like that somebody typed."""
    return _paired(resource.written, _SHOWN)


def scripts(host: Resource) -> Iterator[str]:
    """What a host runs when it starts, which everybody on it can read, and what Terraform runs once it has made it."""
    for step in blocks(host.written, PROVISIONER):
        for text in (step.get("command"), *(step.get("inline") or ())):
            if isinstance(text, str):
                yield text
    for path in _SCRIPTS.get(host.type, ()):
        # The provider plans only a hash of some; the text stands in the configuration.
        for text in [*_at(host.written, path.split("."))] or [*_at(host.values, path.split("."))]:
            yield _decoded(text)


def written_texts(resource: Resource) -> Iterator[tuple[str, str]]:
    """All texts of a resource by what each is, of scripts only what is no variable: those are looked at one by one."""
    own = {*_SCRIPTS.get(resource.type, ()), *(f"{PROVISIONER}.{key}" for key in ("command", "inline"))}
    for path, text in texts({**resource.values, **resource.written}):
        if path not in own:
            yield path, text
    for script in scripts(resource):
        yield "its script", _ASSIGNMENT.sub("", script)


def texts(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    """All texts by their dotted paths, but those that are looked at variable by variable."""
    for key, value in values.items():
        if key in _READ_ELSEWHERE:
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str):
                yield f"{under}{key}", one
            elif isinstance(one, Mapping):
                yield from texts(one, f"{under}{key}.")


def _mapped(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if key in _VARIABLES and isinstance(value, Mapping):
            yield from ((str(name), text) for name, text in value.items() if isinstance(text, str))
        for block in value if isinstance(value, list) else ():
            yield from _mapped(block) if isinstance(block, Mapping) else ()


def _paired(values: Mapping[str, Any], pairs: frozenset[str]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        for block in value if isinstance(value, list) else ():
            if not isinstance(block, Mapping):
                continue
            if key in pairs and block.get("type", "PLAINTEXT") == "PLAINTEXT":
                yield str(block.get("name") or block.get("key")), str(block.get("value", ""))
            yield from _paired(block, pairs)


def _named(resource: Resource, found: Any) -> Iterator[tuple[str, str, str]]:
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield resource.address, str(one.get("name")), str(one.get("value", ""))


def _decoded(text: str) -> str:
    """As cloud-init reads it: packed, in Base64, or as it is."""
    try:
        raw = b64decode(text, validate=True)
        return (zlib.decompressobj(wbits=31).decompress(raw, _LARGEST) if raw.startswith(_GZIP) else raw).decode()
    except (TypeError, ValueError, zlib.error):
        return text


def _at(values: Mapping[str, Any], path: list[str]) -> Iterator[str]:
    """Texts at a path, in every block that has it."""
    key, *rest = path
    if not rest:
        if isinstance(found := values.get(key), str) and found:
            yield found
        return
    for block in blocks(values, key):
        yield from _at(block, rest)
