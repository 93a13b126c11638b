"""Checks that are lines of a table: each finds what it names, where the provider has it, and nothing beside it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.terraform import PROVIDER, find_terraform
from tests.unit.aws.audit.test_kinds import found, made

from crossfade.aws.audit.on_plan.attributes import Attribute, attributes
from crossfade.aws.audit.rule import rules
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource

LINES = [(rule, line) for rule, lines in attributes().items() for line in lines]
TYPES = Path(__file__).parents[1] / "cost" / "provider" / "types.txt"


def holding(line: Attribute, value: Any) -> Resource:
    """A resource with a value at the line's path; None leaves the last part of it out."""
    *outer, last = line.at.split(".")
    values: dict[str, Any] = {} if value is None else {last: value}
    for key in reversed(outer):
        values = {key: values if key.endswith("properties") else [values]}
    return made(f"{line.type}.x", **values)


def is_found(rule: str, resource: Resource) -> bool:
    return (rule, resource.address) in found(resource)


@pytest.mark.parametrize(("rule", "line"), LINES, ids=[f"{line.type}.{line.at}" for _, line in LINES])
def test_a_line_finds_what_it_names_and_nothing_beside_it(rule: str, line: Attribute) -> None:
    """Each wrong value and, where that is as bad, none at all; another value and what only the apply tells is none."""
    spoilt = [holding(line, False if value == "false" else value) for value in line.wrong]
    spoilt += [holding(line, line.least - 1)] if line.least else []
    spoilt += [holding(line, None)] if (line.unsaid or line.given) and not line.inside else []
    assert spoilt
    for resource in spoilt:
        assert {each for each in found(resource) if each == (rule, resource.address)}
    right = holding(line, line.least or "something else")
    own = {mark.what for mark in line.marks(Inventory((right,)))}
    assert not own
    if not line.unsaid and not line.given:
        assert not {mark.what for mark in line.marks(Inventory((holding(line, None),)))}


def test_what_makes_it_no_matter_is_none() -> None:
    """Firehose keeps nothing of its own where a stream brings it."""
    name = "aws_kinesis_firehose_delivery_stream.x"
    assert is_found("CF-DAT-016", made(name))
    assert not is_found("CF-DAT-016", made(name, kinesis_source_configuration=[{"role_arn": "arn"}]))
    assert not is_found("CF-DAT-016", made(name, {"msk_source_configuration.msk_cluster_arn": ("a.b",)},
                                           msk_source_configuration=[{"topic_name": "t"}]))  # fmt: skip


def test_a_volume_that_is_no_share_needs_no_encryption_on_the_way() -> None:
    """Only within its block an attribute that is left out is wrong."""
    task = "aws_ecs_task_definition.t"
    assert not is_found("CF-DAT-003", made(task, volume=[{"name": "scratch"}]))
    assert is_found("CF-DAT-003", made(task, volume=[{"efs_volume_configuration": [{"file_system_id": "fs-1"}]}]))


def test_any_of_several_is_enough() -> None:
    """One old version in a list, and one block of many."""
    old = made("aws_vpn_connection.x", tunnel2_ike_versions=["ikev2", "ikev1"])
    assert is_found("CF-TLS-005", old)
    traced = made("aws_apigatewayv2_stage.x", route_settings=[{}, {"data_trace_enabled": True}])
    assert is_found("CF-OBS-010", traced)


def test_what_is_given_later_is_given() -> None:
    """A group that the same plan makes has no name yet."""
    name = "aws_api_gateway_stage.x"
    assert is_found("CF-OBS-006", made(name))
    later = Resource(address=name, type="aws_api_gateway_stage", later=frozenset({"access_log_settings"}))
    assert not is_found("CF-OBS-006", later)
    assert not is_found("CF-OBS-006", made(name, {"access_log_settings": ("aws_cloudwatch_log_group.g",)}))


def test_every_line_is_of_a_rule_and_of_a_type_that_there_is() -> None:
    """A name with a slip in it would never find anything."""
    types = set(TYPES.read_text(encoding="utf-8").split())
    assert attributes().keys() <= rules().keys()
    assert {line.type for _, line in LINES} <= types


@pytest.mark.long  # all that the provider has takes seconds to tell, and most commits change none of the lines
def test_every_line_names_what_the_provider_has(tmp_path: Path) -> None:
    """The paths are those of its schema."""
    terraform = find_terraform(tmp_path)
    shutil.copy(Path(__file__).parent / "systems" / "providers.tf", tmp_path)
    terraform.init(tmp_path, backend=True)
    read = json.loads(terraform.run(tmp_path, "providers", "schema", "-json").stdout)
    schemas = read["provider_schemas"][PROVIDER]["resource_schemas"]
    for _, line in LINES:
        for path in (line.at, *line.unless):
            assert _has(schemas[line.type]["block"], path.split(".")), f"{line.type}.{path}"


def _has(block: dict[str, Any], path: list[str]) -> bool:
    key, *rest = path
    if key in block.get("attributes", {}):
        return not rest or block["attributes"][key]["type"][0] == "map"
    inner = block.get("block_types", {}).get(key)
    return inner is not None and (not rest or _has(inner["block"], rest))
