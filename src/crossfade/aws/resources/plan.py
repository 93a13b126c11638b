"""A Terraform plan, any one, as `terraform show -json` writes it.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.aws.resources.references import References
from crossfade.aws.resources.resource import Resource
from crossfade.core.errors import WrongInputError

_CONVERT = "terraform show -json PLAN > plan.json"
_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-\d)[a-z]")
_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:([a-z]{2}(?:-[a-z]+)+-\d):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What there will be once the plan is applied, and in which region when the plan says it.

    `data` is what Terraform looks up only while it applies, such as a policy that names what does not exist yet.
    """

    resources: tuple[Resource, ...]
    data: tuple[Resource, ...] = ()
    region: str | None = None


def read_plan(path: Path | str) -> tuple[Resource, ...]:
    """The resources of a plan. WrongInputError when the file is none, with how to make one."""
    return open_plan(path).resources


def open_plan(path: Path | str) -> Plan:
    """As `read_plan`, with the region."""
    return understand(_document(Path(path)), str(path))


def understand(document: Mapping[str, Any], called: str) -> Plan:
    """A plan from its JSON; `called` is its name in messages."""
    try:
        root = _mapping(_mapping(document.get("planned_values")).get("root_module"))
        configuration = _mapping(_mapping(document.get("configuration")).get("root_module"))
        references = References(configuration, _addresses(root))
        unknown = _unknown(document)
        resources = tuple(_resources(root, references, unknown, "managed"))
        data = tuple(_resources(root, references, unknown, "data"))
        return Plan(resources=resources, data=data, region=_region(document, resources))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WrongInputError(
            f"{called} has a part that no plan has: {error!r}", f"make it again: {_CONVERT}"
        ) from None


def _document(path: Path) -> Mapping[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongInputError(f"{path} cannot be read: {error.strerror}", f"make one: {_CONVERT}") from None
    if raw[:4] == b"PK\x03\x04":  # a plan as Terraform saves it is a zip
        raise WrongInputError(f"{path} is a plan in Terraform's own format", f"convert it: {_CONVERT}")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise WrongInputError(f"{path} is no JSON, so it is no plan", f"make one: {_CONVERT}") from None
    if not isinstance(document, dict) or "planned_values" not in document:
        what = "a state" if isinstance(document, dict) and "values" in document else "no plan"
        raise WrongInputError(f"{path} is JSON, but {what}: it has no planned_values", f"make one: {_CONVERT}")
    return document


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _modules(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A module and all below it. A loop and not a recursion: what is nested too deep is somebody's joke."""
    waiting = [module]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(here.get("child_modules", ())))


def _addresses(root: Mapping[str, Any]) -> Iterator[str]:
    for module in _modules(root):
        for resource in module.get("resources", ()):
            yield resource["address"]


def _unknown(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """By address the keys whose values are known after the apply, whole or in part of a list."""
    return {
        change["address"]: frozenset(
            key
            for key, unknown in _mapping(_mapping(change.get("change")).get("after_unknown")).items()
            if unknown is True or (isinstance(unknown, list) and True in unknown)
        )
        for change in document.get("resource_changes", ())
    }


def _resources(
    root: Mapping[str, Any], references: References, unknown: Mapping[str, frozenset[str]], mode: str
) -> Iterator[Resource]:
    for module in _modules(root):
        for found in module.get("resources", ()):
            if found.get("mode", "managed") != mode:
                continue
            address = found["address"]
            yield Resource(
                address=address,
                type=found["type"],
                values={key: value for key, value in found.get("values", {}).items() if value is not None},
                refers=references.of(address),
                where=address,
                unknown=unknown.get(address, frozenset()),
                written=references.written(address),
            )


def _region(document: Mapping[str, Any], resources: tuple[Resource, ...]) -> str | None:
    """From the provider's block, else from the zones and ARNs that are named."""
    return _of_provider(document) or next(filter(None, map(_named_in, resources)), None)


def _of_provider(document: Mapping[str, Any]) -> str | None:
    providers = _mapping(_mapping(document.get("configuration")).get("provider_config"))
    # The provider without an alias is the one that most resources are made by.
    for name in sorted(providers, key=lambda name: "." in name):
        expression = _mapping(_mapping(providers[name].get("expressions")).get("region"))
        names = [reference.removeprefix("var.") for reference in expression.get("references", ())]
        variables = _mapping(document.get("variables"))
        given = [expression.get("constant_value"), *(_mapping(variables.get(name)).get("value") for name in names)]
        region = next((value for value in given if isinstance(value, str)), None)
        if region and _mapping(providers[name]).get("name", name) == "aws":
            return region
    return None


def _named_in(resource: Resource) -> str | None:
    zone = _ZONE.fullmatch(str(resource.values.get("availability_zone", "")))
    if zone:
        return zone[1]
    arns = (_ARN.match(value) for value in resource.values.values() if isinstance(value, str))
    return next((arn[1] for arn in arns if arn), None)
