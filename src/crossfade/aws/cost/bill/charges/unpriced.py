"""What is billed and what nobody here can price: it is in the bill as unknown, so that a total never looks complete."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.usage import Usage

# Types of the AWS provider that are billed while they exist or when they are used.
_BILLED = frozenset(
    f"aws_{name}"
    for name in (
        *("eks_cluster", "eks_node_group", "eks_fargate_profile", "apprunner_service", "batch_compute_environment"),
        *("elastic_beanstalk_environment", "lightsail_instance", "lambda_function", "sfn_state_machine", "ec2_host"),
        *("spot_instance_request", "spot_fleet_request", "ec2_fleet", "gamelift_fleet", "workspaces_workspace"),
        *("rds_cluster", "rds_cluster_instance", "db_proxy", "docdb_cluster_instance", "neptune_cluster_instance"),
        *("redshift_cluster", "redshiftserverless_workgroup", "memorydb_cluster", "dax_cluster", "keyspaces_table"),
        *("elasticache_serverless_cache", "opensearch_domain", "elasticsearch_domain", "timestreamwrite_table"),
        *("efs_file_system", "fsx_lustre_file_system", "fsx_ontap_file_system", "fsx_openzfs_file_system"),
        *("fsx_windows_file_system", "backup_vault", "ebs_snapshot", "ami", "glacier_vault", "storagegateway_gateway"),
        *("elb", "ec2_transit_gateway_vpc_attachment", "vpn_connection", "ec2_client_vpn_endpoint", "dx_connection"),
        *("networkfirewall_firewall", "globalaccelerator_accelerator", "route53_health_check"),
        *("route53_resolver_endpoint", "vpc_ipam", "ec2_traffic_mirror_session", "wafv2_web_acl", "waf_web_acl"),
        *("wafregional_web_acl", "shield_protection", "acmpca_certificate_authority", "cloudhsm_v2_hsm"),
        *("config_configuration_recorder", "securityhub_account", "macie2_account", "inspector2_enabler"),
        *("directory_service_directory", "cognito_user_pool", "api_gateway_rest_api", "apigatewayv2_api"),
        *("appsync_graphql_api", "sqs_queue", "mq_broker", "msk_cluster", "msk_serverless_cluster", "kinesis_stream"),
        *("kinesis_firehose_delivery_stream", "kinesisanalyticsv2_application", "pipes_pipe", "glue_job"),
        *("glue_crawler", "emr_cluster", "emrserverless_application", "athena_workgroup", "mwaa_environment"),
        *("sagemaker_notebook_instance", "sagemaker_endpoint", "dms_replication_instance", "datasync_task"),
        *("transfer_server", "kendra_index", "synthetics_canary", "prometheus_workspace", "grafana_workspace"),
        *("cloudwatch_metric_stream", "evidently_project", "ses_dedicated_ip_assignment"),
    )
)
# Providers whose resources are on nobody's bill.
_FREE = ("aws", "random", "null", "local", "tls", "time", "archive", "template", "terraform", "external", "http")


def unpriced(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    del usage
    for resource in inventory.all:
        provider = resource.type.partition("_")[0]
        balancer = resource.type in {"aws_lb", "aws_alb"} and _other_balancer(resource.values.get("load_balancer_type"))
        if resource.type in _BILLED or balancer or provider not in _FREE:
            yield Charge(
                area="Other",
                item=resource.type + (f", {balancer}" if balancer else ""),
                quantity=Amount.of(1),
                unit="resources",
                rate=once(UNPRICED),
                addresses=(resource.address,),
            )


def _other_balancer(kind: object) -> str:
    return kind if isinstance(kind, str) and kind != "application" else ""
