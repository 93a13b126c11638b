"""Resources as a bill knows them, with what they refer to: what each attribute that is charged is changed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.aws.cost.bills import made

from crossfade.aws.resources.resource import Resource

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One resource, what it refers to by key, and what stands beside it. `given` is what its uses are told to be."""

    kind: str
    values: Values
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: tuple[Resource, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)

    def resources(self, values: Values, refers: Mapping[str, tuple[str, ...]]) -> tuple[Resource, ...]:
        return (made(f"{self.kind}.x", dict(refers), **values), *self.beside)


def scene(
    kind: str, beside: tuple[Resource, ...] = (), refers: Mapping[str, str] | None = None, **values: Any
) -> Scene:
    named = {key: tuple(address.split()) for key, address in (refers or {}).items()}
    return Scene(kind=kind, values=values, refers=named, beside=beside)


def _serverless(service: str, block: str) -> tuple[Scene, Scene]:
    """A cluster of capacity units, and an instance of one."""
    cluster, instance = f"aws_{service}_cluster", f"aws_{service}_cluster_instance"
    bounds: Values = {block: [{"min_capacity": 1, "max_capacity": 4}]}
    values: Values = {"engine": "aurora-mysql", "instance_class": "db.serverless"}
    beside = made(f"{instance}.i", {"cluster_identifier": (f"{cluster}.x",)}, **values)
    return (
        scene(cluster, (beside,), **bounds),
        scene(instance, (made(f"{cluster}.c", **bounds),), {"cluster_identifier": f"{cluster}.c"}, **values),
    )


OPEN = made("aws_subnet.open", map_public_ip_on_launch=True)
OPEN2 = made("aws_subnet.open2", map_public_ip_on_launch=True)
TEMPLATE = made("aws_launch_template.t", instance_type="m5.large")
CONFIGURED = made("aws_launch_configuration.c", instance_type="m5.xlarge")
EIP = made("aws_eip.e")
TASK = made("aws_ecs_task_definition.t", cpu="512", memory="1024", requires_compatibilities=["FARGATE"])
CLUSTER = made("aws_ecs_cluster.c")
SPARE = made(
    "aws_ecs_cluster_capacity_providers.p",
    {"cluster_name": ("aws_ecs_cluster.c",)},
    default_capacity_provider_strategy=[{"capacity_provider": "mine"}],
)
GROUP_OF_X = made(
    "aws_autoscaling_group.g",
    {"launch_template.id": ("aws_launch_template.x",), "launch_configuration": ("aws_launch_configuration.x",)},
    min_size=1,
    desired_capacity=2,
    max_size=3,
)
SERVICE_OF_X = made(
    "aws_ecs_service.s", {"task_definition": ("aws_ecs_task_definition.x",)}, launch_type="FARGATE", desired_count=2
)
CACHE = made(
    "aws_elasticache_replication_group.g",
    replication_group_id="g",
    engine="redis",
    node_type="cache.t3.small",
    num_node_groups=2,
    replicas_per_node_group=1,
)
DOCUMENTS_OF_X = made(
    "aws_docdb_cluster_instance.i", {"cluster_identifier": ("aws_docdb_cluster.x",)}, instance_class="db.r5.large"
)
BEGINS = {"target.ecs_parameters.task_definition_arn": "aws_ecs_task_definition.t"}
DISK = {"volume_size": 100, "volume_type": "gp3", "iops": 4000, "throughput": 200}

_BALANCER = {"load_balancer_type": "application", "internal": False}
_IN_SUBNETS = {"beside": (OPEN, OPEN2, EIP), "refers": {"subnets": "aws_subnet.open"}}
_MIXED = {
    "min_size": 1,
    "desired_capacity": 4,
    "max_size": 6,
    "mixed_instances_policy": [
        {
            "instances_distribution": [{"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 50}],
            "launch_template": [{"override": [{"instance_type": "m5.large"}]}],
        }
    ],
}
_OF_TEMPLATE = {"launch_template.id": "aws_launch_template.t"}


# Where no scene of its kind shows an attribute, a later one does.
def _hosts(kind: str) -> Iterator[Scene]:
    """Alone: in a subnet, of an old class, and with what a template says."""
    yield scene(kind, (TEMPLATE, OPEN), {"subnet_id": OPEN.address}, instance_type="t3.medium")
    yield scene(kind, instance_type="m3.large")
    for key in ("launch_template.id", "launch_template.name"):
        yield scene(kind, (TEMPLATE,), {key: TEMPLATE.address})
    yield scene(
        kind,
        (made("aws_launch_template.d", block_device_mappings=[{"device_name": "/dev/sdf", "ebs": [DISK]}]),),
        {"launch_template.id": "aws_launch_template.d"},
        instance_type="m5.large",
        root_block_device=[DISK],
        ebs_block_device=[{"device_name": "/dev/sdf", **DISK}],
    )


SCENES: tuple[Scene, ...] = (
    scene("aws_mwaa_environment", environment_class="mw1.small"),
    scene("aws_fsx_windows_file_system", storage_capacity=300),
    scene("aws_cloudfront_distribution", viewer_certificate=[{"ssl_support_method": "sni-only"}]),
    *(scene(kind, **_IN_SUBNETS, **_BALANCER) for kind in ("aws_alb", "aws_lb")),
    *(
        scene(
            kind,
            (EIP, OPEN),
            {"subnet_mapping.allocation_id": "aws_eip.e"},
            load_balancer_type="network",
            subnet_mapping=[{"subnet_id": "a"}, {"subnet_id": "b"}],
        )
        for kind in ("aws_alb", "aws_lb")
    ),
    scene("aws_elb", availability_zones=["a", "b"]),
    scene("aws_elb", (OPEN,), {"subnets": "aws_subnet.open"}),
    scene(
        "aws_appautoscaling_target",
        (CACHE,),
        resource_id="replication-group/g",
        scalable_dimension="elasticache:replication-group:Replicas",
        min_capacity=1,
        max_capacity=3,
    ),
    scene(
        "aws_autoscaling_group",
        (TEMPLATE, CONFIGURED, OPEN),
        _OF_TEMPLATE | {"vpc_zone_identifier": "aws_subnet.open"},
        min_size=1,
        desired_capacity=2,
        max_size=3,
    ),
    scene("aws_autoscaling_group", (TEMPLATE, CONFIGURED), {"launch_configuration": CONFIGURED.address}, min_size=1),
    scene("aws_autoscaling_group", (TEMPLATE,), {"launch_template.name": TEMPLATE.address}, min_size=1),
    scene(
        "aws_autoscaling_group",
        (TEMPLATE,),
        {"mixed_instances_policy.launch_template.launch_template_specification": TEMPLATE.address},
        **_MIXED,
    ),
    scene("aws_launch_template", (GROUP_OF_X,), instance_type="m5.large"),
    scene("aws_launch_template", (GROUP_OF_X,), instance_type="t3.medium"),
    scene("aws_launch_template", (GROUP_OF_X,), instance_type="m3.large"),
    scene(
        "aws_launch_template",
        (GROUP_OF_X,),
        instance_type="m5.large",
        block_device_mappings=[{"device_name": "/dev/xvda", "ebs": [DISK]}],
    ),
    scene("aws_launch_configuration", (GROUP_OF_X,), instance_type="m3.large"),
    scene(
        "aws_launch_configuration",
        (GROUP_OF_X,),
        instance_type="m5.large",
        root_block_device=[DISK],
        ebs_block_device=[{"device_name": "/dev/sdf", **DISK}],
    ),
    *(each for kind in ("aws_instance", "aws_spot_instance_request") for each in _hosts(kind)),
    scene("aws_ebs_volume", **{"size": 100, **{key: value for key, value in DISK.items() if key != "volume_size"}}),
    scene("aws_ebs_volume", snapshot_id="snap-1"),
    scene("aws_ebs_volume", size=100, type="gp3"),
    scene("aws_cloudwatch_log_group", retention_in_days=30),
    scene("aws_cloudwatch_metric_alarm", period=300),
    scene("aws_cloudwatch_metric_alarm", metric_query=[{"metric": [{"period": 60}]}, {"expression": "m1 / m2"}]),
    scene("aws_codebuild_project", environment=[{"compute_type": "BUILD_GENERAL1_SMALL", "type": "LINUX_CONTAINER"}]),
    scene("aws_codepipeline", pipeline_type="V1"),
    scene(
        "aws_db_instance",
        engine="postgres",
        engine_version="13",
        instance_class="db.t4g.micro",
        allocated_storage=400,
        storage_type="gp3",
    ),
    Scene(kind="aws_db_instance", values={"engine": "mysql"}, usage={"db_backups": "100G"}),
    scene(
        "aws_db_instance",
        (made("aws_db_instance.p", engine="mysql", instance_class="db.t4g.small", allocated_storage=50),),
        {"replicate_source_db": "aws_db_instance.p"},
        instance_class="db.t4g.small",
    ),
    scene("aws_dms_replication_instance", replication_instance_class="dms.t3.medium", allocated_storage=60),
    scene(
        "aws_dynamodb_table",
        (
            made(
                "aws_appautoscaling_target.t",
                resource_id="table/orders",
                scalable_dimension="dynamodb:table:ReadCapacityUnits",
                min_capacity=5,
                max_capacity=50,
            ),
            made(
                "aws_appautoscaling_target.i",
                resource_id="table/orders/index/by-day",
                scalable_dimension="dynamodb:index:WriteCapacityUnits",
                min_capacity=5,
                max_capacity=50,
            ),
        ),
        name="orders",
        billing_mode="PROVISIONED",
        read_capacity=5,
        write_capacity=5,
        global_secondary_index=[{"name": "by-day", "read_capacity": 5, "write_capacity": 5}],
    ),
    scene(
        "aws_ecs_cluster",
        (made("aws_ecs_service.s", {"cluster": ("aws_ecs_cluster.x",)}),),
        setting=[{"name": "containerInsights", "value": "enabled"}],
    ),
    scene(
        "aws_ecs_service",
        (TASK, CLUSTER, SPARE, made("aws_ecs_task_definition.u", cpu="1024", memory="2048")),
        {"task_definition": TASK.address},
        desired_count=2,
    ),
    scene("aws_ecs_service", (TASK,), {"task_definition": TASK.address}, launch_type="FARGATE", desired_count=2),
    scene(
        "aws_ecs_service",
        (TASK,),
        {"task_definition": TASK.address},
        desired_count=4,
        capacity_provider_strategy=[
            {"capacity_provider": "FARGATE", "base": 1, "weight": 1},
            {"capacity_provider": "FARGATE_SPOT", "weight": 1},
        ],
    ),
    scene("aws_ecs_task_definition", (SERVICE_OF_X,), cpu="512", memory="1024", requires_compatibilities=["FARGATE"]),
    scene(
        "aws_ecs_task_definition",
        (made("aws_ecs_service.s", {"task_definition": ("aws_ecs_task_definition.x",)}),),
        cpu="512",
        memory="1024",
        requires_compatibilities=["FARGATE"],
    ),
    scene("aws_eip"),
    scene(
        "aws_eip",
        (made("aws_instance.i", instance_type="m5.large", associate_public_ip_address=True),),
        {"instance": "aws_instance.i"},
    ),
    scene(
        "aws_eip",
        (made("aws_instance.i", instance_type="m5.large", associate_public_ip_address=True),),
        {"network_interface": "aws_instance.i"},
    ),
    scene("aws_eks_cluster", version="1.33"),
    scene(
        "aws_eks_node_group",
        (TEMPLATE, OPEN),
        {"subnet_ids": OPEN.address},
        instance_types=["m5.large"],
        scaling_config=[{"min_size": 1, "desired_size": 2, "max_size": 3}],
    ),
    scene("aws_eks_node_group", (TEMPLATE,), {"launch_template.id": TEMPLATE.address}),
    scene("aws_eks_node_group", (TEMPLATE,), {"launch_template.name": TEMPLATE.address}),
    scene("aws_elasticache_cluster", engine="redis", node_type="cache.t3.micro", num_cache_nodes=1),
    scene("aws_elasticache_cluster", (CACHE,), {"replication_group_id": CACHE.address}),
    scene(
        "aws_elasticache_replication_group",
        engine="redis",
        node_type="cache.t3.micro",
        num_node_groups=2,
        replicas_per_node_group=1,
    ),
    scene("aws_nat_gateway", allocation_id="eipalloc-1", secondary_allocation_ids=["eipalloc-2"]),
    scene("aws_nat_gateway", (EIP,), {"allocation_id": EIP.address}, allocation_id="eipalloc-1"),
    scene(
        "aws_rds_cluster",
        (
            made(
                "aws_rds_cluster_instance.i",
                {"cluster_identifier": ("aws_rds_cluster.x",)},
                engine="aurora-postgresql",
                instance_class="db.r6g.large",
            ),
        ),
        engine="aurora-postgresql",
        engine_version="13",
    ),
    scene("aws_rds_cluster", engine="postgres", engine_version="13", db_cluster_instance_class="db.m5d.large"),
    scene(
        "aws_rds_cluster_instance",
        (made("aws_rds_cluster.c", engine="aurora-postgresql", engine_version="13"),),
        {"cluster_identifier": "aws_rds_cluster.c"},
        engine="aurora-postgresql",
        instance_class="db.r6g.large",
    ),
    *_serverless("rds", "serverlessv2_scaling_configuration"),
    *_serverless("neptune", "serverless_v2_scaling_configuration"),
    scene("aws_route53_record", type="A"),
    scene("aws_docdb_cluster", (DOCUMENTS_OF_X,), engine_version="3.6.0"),
    scene(
        "aws_docdb_cluster_instance",
        (made("aws_docdb_cluster.c", engine_version="3.6.0"),),
        {"cluster_identifier": "aws_docdb_cluster.c"},
        instance_class="db.r5.large",
    ),
    scene("aws_redshift_cluster", node_type="dc2.large"),
    scene("aws_opensearch_domain", engine_version="Elasticsearch_7.4"),
    scene("aws_elasticsearch_domain", elasticsearch_version="7.10"),
    scene("aws_lambda_function", tracing_config=[{"mode": "PassThrough"}]),
    scene("aws_sfn_state_machine"),
    *(scene(f"aws_{kind}") for kind in ("api_gateway_stage", "cloudtrail", "ec2_client_vpn_endpoint", "mq_broker")),
    *(scene(f"aws_{kind}") for kind in ("msk_cluster", "neptune_cluster", "vpn_connection")),
    scene("aws_sns_topic", tracing_config="PassThrough"),
    scene("aws_scheduler_schedule", (TASK,), BEGINS, target=[{"ecs_parameters": [{"launch_type": "FARGATE"}]}]),
    scene("aws_scheduler_schedule", (TASK,), BEGINS, target=[{"ecs_parameters": [{"task_count": 1}]}]),
    Scene(kind="aws_s3_bucket", values={"bucket": "shop-files"}, usage={"buckets": {"files": "100G"}}),
    Scene(kind="aws_s3_bucket", values={"bucket_prefix": "shop-files-"}, usage={"buckets": {"files": "100G"}}),
    scene("aws_secretsmanager_secret"),
    scene("aws_vpc_endpoint", vpc_endpoint_type="Interface"),
    scene("aws_vpc_endpoint", vpc_endpoint_type="Interface", subnet_configuration=[{"subnet_id": "a"}]),
)
