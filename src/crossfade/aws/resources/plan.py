"""A Terraform plan, any one, as `terraform show -json` writes it.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossfade.aws.resources.outside import OutsideValues
from crossfade.aws.resources.providers import AWS, CLOUD_CONTROL, provider
from crossfade.aws.resources.references import References
from crossfade.aws.resources.regions import Regions
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.written import WrittenValues
from crossfade.core.errors import WrongInputError

# Of what Terraform looked up before it planned, what tells whose all of it is.
_IDENTITIES = frozenset({"aws_caller_identity", "aws_organizations_organization"})
# What comes of a value, or of a depth, that no plan has.
MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_CONVERT = "terraform show -json PLAN > plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What there will be once the plan is applied, and in which region when the plan says it.

    `data` is what Terraform looks up only while it applies, such as a policy that names what does not exist yet, and
    whose account and organisation it is.
    `providers` are Terraform's providers, with what is written of them.
    `lacks` are sentences about what is not in it: where there are any, it is a part of the truth.
    """

    resources: tuple[Resource, ...]
    data: tuple[Resource, ...] = ()
    providers: tuple[Resource, ...] = ()
    region: str | None = None
    lacks: tuple[str, ...] = ()

    def on_aws(self, called: str) -> "Plan":
        """The plan itself. WrongInputError when nothing in it is AWS's."""
        others = sorted(set(map(provider, self.resources)) - {AWS})
        if others and AWS not in map(provider, (*self.resources, *self.data)):
            known = "of hashicorp/aws, the provider that is read here" if CLOUD_CONTROL in others else "on AWS"
            raise WrongInputError(
                f"nothing in {called} is {known}: its resources are of {', '.join(others)}",
                "name a plan with resources of the provider hashicorp/aws",
            )
        return self

    def placed(self, region: str | None) -> "Plan":
        """With what the plan does not place in `region`, where one is given."""
        if region is None:
            return self
        placed = (replace(each, region=region) if each.region is None else each for each in self.resources)
        return replace(self, resources=tuple(placed), region=self.region or region)


def open_plan(path: Path | str) -> Plan:
    """The plan in a file. WrongInputError when that has none, with how to make one."""
    return understand(_document(Path(path)), str(path))


def understand(document: Mapping[str, Any], called: str) -> Plan:
    """A plan from its JSON; `called` is its name in messages."""
    try:
        root = _mapping(_mapping(document.get("planned_values")).get("root_module"))
        configuration = _mapping(_mapping(document.get("configuration")).get("root_module"))
        variables, prior = _mapping(document.get("variables")), _prior(document)
        references = References(configuration, _addresses(root), variables, prior)
        unknown = _unknown(document)
        found = list(_found(root))
        placed = [(references.provider(each["address"]), each.get("values", {})) for each in found]
        placed += [(references.provider(each["address"]), values) for each, values in _looked_up(document)]
        regions = Regions(document, placed)
        made = {
            mode: tuple(_resource(each, references, regions, unknown) for each in found if _mode(each) == mode)
            for mode in ("managed", "data")
        }
        made["data"] += tuple(_resource(each, references, regions, unknown) for each in _whose(document))
        lacks, providers = tuple(_lacking(document, found)), tuple(_providers(document))
        return Plan(resources=made["managed"], data=made["data"], providers=providers, region=regions.home, lacks=lacks)
    except MISREAD as error:
        raise WrongInputError(
            f"{called} has a part that no plan has: {error!r}", f"make it again: {_CONVERT}"
        ) from None


def _providers(document: Mapping[str, Any]) -> Iterator[Resource]:
    for key, block in _mapping(_mapping(document.get("configuration")).get("provider_config")).items():
        said = WrittenValues({}, {}, OutsideValues({}, {}, {})).of((), block, {})
        yield Resource(address=f"provider.{key}", type="provider", written=said, where=f"provider.{key}")


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
        what = "what `terraform plan -json` tells while it works" if _is_told(raw) else "not JSON"
        raise WrongInputError(f"{path} is {what}, so it is not a plan", f"make one: {_CONVERT}") from None
    if not isinstance(document, dict) or "planned_values" not in document:
        what = "a state" if isinstance(document, dict) and "values" in document else "not a plan"
        raise WrongInputError(f"{path} is JSON, but {what}: it has no planned_values", f"make one: {_CONVERT}")
    return document


def _is_told(raw: bytes) -> bool:
    """One JSON a line. https://developer.hashicorp.com/terraform/internals/machine-readable-ui"""
    try:
        return "@message" in json.loads(raw.partition(b"\n")[0])
    except (TypeError, ValueError, RecursionError):
        return False


def _lacking(document: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """https://developer.hashicorp.com/terraform/internals/json-format#plan-representation"""
    if document.get("errored"):
        yield "Terraform failed while it made this plan, so it is a part of what there will be"
    elif document.get("complete") is False:
        yield "Terraform says that this plan is not complete: a target or a deferral leaves something out"
    deferred = [
        str(_mapping(each.get("resource_change")).get("address")) for each in document.get("deferred_changes") or ()
    ]
    if deferred:
        yield f"put off to a later plan, and not in this one: {', '.join(deferred)}"
    known = {each["address"] for each in found}
    changes = document.get("resource_changes") or ()
    lost = [each["address"] for each in changes if each["address"] not in known and _stays(each)]
    if lost:
        yield f"changes of {len(lost)} resources that planned_values does not have, such as {lost[0]}: it was stripped"
    if found and not document.get("configuration"):
        yield "it has no configuration: what refers to what, and regions of providers, are not known"
    if not found and not lost:
        gone = sum(each.get("mode", "managed") == "managed" for each in changes)
        yield f"it takes {gone:,} away and leaves no resources" if gone else "it has no resources"


def _stays(change: Mapping[str, Any]) -> bool:
    """Whether there will be the resource once the change is made."""
    managed = change.get("mode", "managed") == "managed" and not change.get("deposed")
    return managed and _mapping(change.get("change")).get("actions") not in (["delete"], ["forget"], None)


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
    """By address the paths of values that are known after the apply, whole or in part of a list."""
    return {
        change["address"]: frozenset(_paths(_mapping(_mapping(change.get("change")).get("after_unknown"))))
        for change in document.get("resource_changes", ())
    }


def _paths(unknown: Any, prefix: str = "") -> Iterator[str]:
    """Dotted, those of blocks as well."""
    for key, value in _mapping(unknown).items():
        path = f"{prefix}{key}"
        if value is True or (isinstance(value, list) and True in value):
            yield path
        for each in value if isinstance(value, list) else [value]:
            yield from _paths(each, f"{path}.")


def _later(given: frozenset[str], unknown: frozenset[str]) -> frozenset[str]:
    """Of what is given that which is unknown, itself or as part of what is."""
    return frozenset(path for path in given if any(path == each or path.startswith(f"{each}.") for each in unknown))


def _found(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for module in _modules(root):
        yield from module.get("resources", ())


def _prior(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was there before, and what Terraform looked up while it planned."""
    return _mapping(_mapping(_mapping(document.get("prior_state")).get("values")).get("root_module"))


def _looked_up(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What Terraform looked up while it planned, and what of it tells where the provider works."""
    for each in _found(_prior(document)):
        values = _mapping(each.get("values"))
        if each.get("type") == "aws_region":
            yield each, {"region": values.get("region") or values.get("name")}
        elif each.get("type") == "aws_availability_zones":
            yield each, {"names": values.get("names")}


def _whose(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (each for each in _found(_prior(document)) if each.get("mode") == "data" and each.get("type") in _IDENTITIES)


def _mode(found: Mapping[str, Any]) -> str:
    return str(found.get("mode", "managed"))


def _resource(
    found: Mapping[str, Any], references: References, regions: Regions, unknown: Mapping[str, frozenset[str]]
) -> Resource:
    address, kind, values = found["address"], found["type"], found.get("values", {})
    if not isinstance(kind, str):
        raise TypeError(f"type of {address} is {kind!r}")
    not_told = unknown.get(address, frozenset())
    return Resource(
        address=address,
        type=kind,
        values={key: value for key, value in values.items() if value is not None},
        refers=references.of(address),
        where=address,
        region=regions.at(references.provider(address), values),
        unknown=not_told,
        written=references.written(address, values),
        later=_later(references.given(address), not_told) if not_told else frozenset(),
        mixed=references.mixed(address) if not_told else frozenset(),
    )
