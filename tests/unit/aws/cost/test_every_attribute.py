"""Every attribute of what is billed, changed alone: the bill is another one, or says what it does not know.

With those that are billed on top (`test_catalog.py`) these are all that somebody judged not to be free.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from tests.support import provider_schema
from tests.unit.aws.cost.bills import VIRGINIA, made, of
from tests.unit.aws.cost.scenes import SCENES, Scene, Values

from crossfade.aws.cost.catalog.attribute import places
from crossfade.aws.cost.catalog.catalog import Rated, by_code, verdicts
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

JUDGED: dict[str, Any] = yaml.safe_load((provider_schema.FOLDER / "judged.yaml").read_text())
# Of a disk without a size the bill says that it is unknown, "as large as the snapshot that it is made from".
SAID = {("aws_ebs_volume", "snapshot_id")}
Change = tuple[Values, Mapping[str, tuple[str, ...]]]

# By the attribute, or by the end of its path: what it is changed to.
VALUES: Mapping[str, tuple[Any, ...]] = {
    "allocated_storage": (401, 900),
    "ami": ("ami-1",),
    "aws_spot_instance_request.ami": ("windows-2022",),
    "ami_type": ("WINDOWS_CORE_2022_x86_64",),
    "backup_retention_period": (7,),
    "base": (3,),
    "billing_mode": ("PAY_PER_REQUEST",),
    "capacity_provider": ("mine",),
    "capacity_type": ("SPOT",),
    "compute_type": ("BUILD_GENERAL1_LARGE",),
    "container_definitions": ('[{"image": "amazon/aws-xray-daemon"}]',),
    "cpu": ("1024",),
    "cpu_architecture": ("ARM64",),
    "cpu_credits": ("unlimited", "standard"),
    "customer_owned_ipv4_pool": ("ipv4pool-coip-1",),
    "desired_capacity": (2.5,),
    "device_name": ("/dev/sdz", "/dev/xvda"),
    "ebs_optimized": (True, "true"),
    "enable_monitoring": (False,),
    "engine": ("mysql", "memcached", "valkey"),
    "engine_lifecycle_support": ("open-source-rds-extended-support-disabled",),
    "engine_version": ("11", "13", "5.0.6", "17"),
    "elasticsearch_version": ("7.4",),
    "image_id": ("ami-1",),
    "expression": ("ANOMALY_DETECTION_BAND(m1, 2)",),
    "fleet_arn": ("arn:aws:codebuild:us-east-1:1:fleet/f",),
    "host_id": ("h-1",),
    "host_resource_group_arn": ("arn:aws:resource-groups:us-east-1:1:group/g",),
    "instance_class": ("db.t4g.small",),
    "instance_type": ("m5.xlarge",),
    "instance_types": (["m5.xlarge"],),
    "internal": (True,),
    "iops": (5000, 13_000),
    "ip_address_type": ("dualstack-without-public-ipv4",),
    "launch_type": ("EC2", "FARGATE"),
    "load_balancer_type": ("network", "gateway"),
    "market_type": ("spot",),
    "max_allocated_storage": (2000,),
    "memory": ("2048",),
    "name": ("other",),
    "aws_route53_record.alias.name": ("shop-1.elb.amazonaws.com",),
    "no_device": (True, "true"),
    "node_type": ("cache.t3.small",),
    "on_demand_base_capacity": (2,),
    "on_demand_percentage_above_base_capacity": (100,),
    "operating_system_family": ("WINDOWS_SERVER_2022_CORE",),
    "override": ([{"instance_type": "m5.xlarge"}],),
    "period": (10,),
    "pipeline_type": ("V2",),
    "placement_tenancy": ("dedicated",),
    "public_ipv4_pool": ("ipv4pool-ec2-1",),
    "region": ("eu-west-1",),
    "requires_compatibilities": (["EC2", "FARGATE"],),
    "resource_id": ("replication-group/other",),
    "retention_in_days": (90,),
    "scalable_dimension": ("elasticache:replication-group:NodeGroups", "rds:cluster:ReadReplicaCount"),
    "scheduling_strategy": ("DAEMON",),
    "size_in_gib": (50,),
    "snapshot_retention_limit": (7,),
    "spot_price": ("0.05",),
    "ssl_support_method": ("vip",),
    "storage_throughput": (900,),
    "storage_type": ("io1",),
    "subnet_ids": (["a", "b"],),
    "support_type": ("STANDARD",),
    "subnets": (["a", "b", "c"],),
    "availability_zones": (["a", "b", "c"],),
    "aws_vpc_endpoint.subnet_configuration.subnet_id": ("a",),
    "aws_ecs_cluster.setting.value": ("disabled",),
    "table_class": ("STANDARD_INFREQUENT_ACCESS",),
    "tenancy": ("dedicated",),
    "tracing_config": ("Active",),
    "aws_lambda_function.tracing_config.mode": ("Active",),
    "aws_codebuild_project.logs_config.cloudwatch_logs.status": ("DISABLED",),
    "aws_scheduler_schedule.target.ecs_parameters.capacity_provider_strategy": ([{"capacity_provider": "mine"}],),
    "aws_scheduler_schedule.target.ecs_parameters.launch_type": ("EC2",),
    "throughput": (300,),
    "type": ("io1", "ARM_CONTAINER", "NS"),
    "virtual_name": ("ephemeral0",),
    "volume_size": (55,),
    "volume_type": ("io2",),
    "vpc_endpoint_type": ("Gateway",),
    "weight": (4,),
    "bucket": ("shop-other",),
    "bucket_prefix": ("shop-other-",),
}
USUAL = (7, True)  # of whatever is a switch or a number


def put(values: Values, path: str, value: Any) -> Values:
    """A copy with this at the path, in the first block of each name; without the value None it is gone."""
    made = copy.deepcopy(values)
    here, *rest = made, *path.split(".")
    for key in rest[:-1]:
        if not here.get(key):
            here[key] = [{}]
        here = here[key][0]
    if value is None:
        here.pop(rest[-1], None)
    else:
        here[rest[-1]] = value
    return made


def changes(scene: Scene, path: str) -> Iterator[Change]:
    """The scene with another value, without any, and with another thing that it refers to."""
    own = VALUES.get(f"{scene.kind}.{path}") or VALUES.get(path) or VALUES.get(path.rpartition(".")[2]) or USUAL
    for value in (*own, None):
        yield put(scene.values, path, value), scene.refers
    block = path.partition(".")[0]
    if isinstance(first := scene.values.get(block), list):
        yield {**scene.values, block: [*first, *first[:1]]}, scene.refers
    without = {key: addresses for key, addresses in scene.refers.items() if key != path}
    yield scene.values, without
    for other in scene.beside:
        yield scene.values, without | {path: (other.address,)}
        yield scene.values, without | {path: (*scene.refers.get(path, ()), other.address)}


def billed(resources: tuple[Resource, ...], usage: Mapping[str, Any]) -> list[tuple[object, ...]]:
    found = of(*resources, book=VIRGINIA, usage=Usage.model_validate(usage))
    return [(line.item, line.quantity, line.keys, line.monthly, line.note, line.unsaid) for line in found.lines]


@pytest.mark.parametrize("kind", by_code())
def test_an_attribute_that_code_reads_changes_the_bill(kind: str) -> None:
    """In at least one scene, with what it refers to beside it."""
    scenes = [(one, billed(one.resources(one.values, one.refers), one.usage)) for one in SCENES if one.kind == kind]
    assert scenes, "no scene has one"
    without_effect = [
        path
        for path in sorted(by_code()[kind])
        if (kind, path) not in SAID
        if all(
            billed(one.resources(*change), one.usage) == usual for one, usual in scenes for change in changes(one, path)
        )
    ]
    assert without_effect == []


def _of_line(line: Rated) -> tuple[list[str], list[str]]:
    """The paths that it puts into its texts, and those that are numbers."""
    texts = list(dict.fromkeys([*places(line.item), *places(line.price)]))
    factors = (path for path in line.times if not path.isdecimal())
    return texts, [path.removeprefix("#").partition("|")[0] for path in factors]


def _asked(line: Rated) -> list[str]:
    """The attributes of its own that bring it or keep it away."""
    return [path for path, _ in (*line.conditions, *line.exceptions) if ">" not in path]


@pytest.mark.parametrize("kind", [kind for kind, found in verdicts().items() if found.lines])
def test_an_attribute_that_a_table_names_changes_its_line(kind: str) -> None:
    """A text is another price, a number another quantity, and with what keeps it away there is no line."""
    without_effect = [
        (line.item, path)
        for line in verdicts()[kind].lines
        for path in dict.fromkeys([*_of_line(line)[0], *_of_line(line)[1], *_asked(line)])
        if not _changes(kind, line, path)
    ]
    assert without_effect == []


def _changes(kind: str, line: Rated, path: str) -> bool:
    """The bill, when of the line's attributes the one at this path is another."""
    texts, numbers = _of_line(line)
    counted = {each.removeprefix("#").partition("|")[0] for each in line.times if each.startswith("#")}
    values: Values = {}
    brought = dict(line.conditions[:1] if path not in dict(line.conditions) else [(path, dict(line.conditions)[path])])
    for each in dict.fromkeys([*texts, *numbers, *brought]):
        values = put(
            values,
            each,
            [1, 1] if each in counted else 2 if each in numbers else brought.get(each, "").removeprefix("^") or "a",
        )
    other = [1, 1, 1] if path in counted else 3 if path in numbers else "b"
    before = billed((made(f"{kind}.x", **values),), {})
    changes = (other, *(value for each, value in line.exceptions if each == path), None)
    return any(billed((made(f"{kind}.x", **put(values, path, value)),), {}) != before for value in changes)
