"""Logs: those of the groups that are there, and of what writes into groups that are not."""

from collections.abc import Iterator, Mapping

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.sizes import gigabytes
from crossfade.aws.cost.catalog.attribute import values
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_MONTH = 30  # days
_LONGEST = 365  # days of logs in the bill of a group that never removes any
# AWS makes a group for what these write.
_ALWAYS = (
    *("aws_lambda_function", "aws_glue_job", "aws_batch_job_definition", "aws_apprunner_service"),
    *("aws_sagemaker_endpoint", "aws_sagemaker_notebook_instance"),
)
# These write unless they are told to keep quiet, or to write elsewhere.
_UNLESS: Mapping[str, tuple[str, frozenset[str]]] = {
    "aws_codebuild_project": ("logs_config.cloudwatch_logs.status", frozenset({"DISABLED"})),
    "aws_flow_log": ("log_destination_type", frozenset({"s3", "kinesis-data-firehose"})),
    "aws_iot_logging_options": ("default_log_level", frozenset({"DISABLED"})),
}
# And these where somebody says so.
_WHERE: Mapping[str, str] = {
    "aws_api_gateway_stage": "access_log_settings.destination_arn",
    "aws_api_gateway_method_settings": "settings.logging_level",
    "aws_apigatewayv2_stage": "access_log_settings.destination_arn",
    "aws_appsync_graphql_api": "log_config.field_log_level",
    "aws_bedrock_model_invocation_logging_configuration": "logging_config.cloudwatch_config.log_group_name",
    "aws_cloudtrail": "cloud_watch_logs_group_arn",
    "aws_datasync_task": "cloudwatch_log_group_arn",
    "aws_db_instance": "enabled_cloudwatch_logs_exports",
    "aws_docdb_cluster": "enabled_cloudwatch_logs_exports",
    "aws_ec2_client_vpn_endpoint": "connection_log_options.enabled",
    "aws_elasticache_cluster": "log_delivery_configuration.destination_type",
    "aws_elasticache_replication_group": "log_delivery_configuration.destination_type",
    "aws_elasticsearch_domain": "log_publishing_options.cloudwatch_log_group_arn",
    "aws_fsx_windows_file_system": "audit_log_configuration.audit_log_destination",
    "aws_kinesis_firehose_delivery_stream": "extended_s3_configuration.cloudwatch_logging_options.enabled",
    "aws_kinesisanalyticsv2_application": "cloudwatch_logging_options.log_stream_arn",
    "aws_mq_broker": "logs.general",
    "aws_msk_cluster": "logging_info.broker_logs.cloudwatch_logs",
    "aws_mskconnect_connector": "log_delivery.worker_log_delivery.cloudwatch_logs.enabled",
    "aws_mwaa_environment": "logging_configuration",
    "aws_neptune_cluster": "enable_cloudwatch_logs_exports",
    "aws_networkfirewall_logging_configuration": "logging_configuration.log_destination_config.log_destination_type",
    "aws_opensearch_domain": "log_publishing_options.cloudwatch_log_group_arn",
    "aws_pipes_pipe": "log_configuration.cloudwatch_logs_log_destination.log_group_arn",
    "aws_rds_cluster": "enabled_cloudwatch_logs_exports",
    "aws_redshift_logging": "log_exports",
    "aws_route53_query_log": "cloudwatch_log_group_arn",
    "aws_route53_resolver_query_log_config": "destination_arn",
    "aws_sfn_state_machine": "logging_configuration.log_destination",
    "aws_storagegateway_gateway": "cloudwatch_log_group_arn",
    "aws_transfer_server": "structured_log_destinations",
    "aws_verifiedaccess_instance_logging_configuration": "access_logs.cloudwatch_logs.enabled",
    "aws_vpclattice_access_log_subscription": "destination_arn",
    "aws_vpn_connection": "tunnel1_log_options.cloudwatch_log_options.log_enabled",
    "aws_wafv2_web_acl_logging_configuration": "log_destination_configs",
}
_ELSEWHERE = ("kinesis-firehose", "arn:aws:s3", "arn:aws:firehose", "S3", "KinesisDataFirehose", "OFF", "NONE")


def logs(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    groups = list(inventory.of("aws_cloudwatch_log_group"))
    usual = [each for each in groups if (each.values.get("log_group_class") or "STANDARD") == "STANDARD"]
    if groups:
        yield from _of_groups(usual, usage) if usual else ()
    elif writers := tuple(each.address for each in _writers(inventory)):
        yield used("Watching", "Logs, coming in", "logs.in-gb", "GB", writers, usage)
        yield used("Watching", "Logs, kept", "logs.stored-gb-month", "GB-months", writers, usage)


def _of_groups(groups: list[Resource], usage: Month) -> Iterator[Charge]:
    size, addresses = gigabytes(usage.logs), tuple(group.address for group in groups)
    yield Charge(
        area="Watching",
        item="Logs, coming in",
        quantity=Amount.of(size),
        unit="GB",
        rate=once("logs.in-gb"),
        addresses=addresses,
        assumes=f"{plain(size)} GB, all log groups",
        usage="logs",
    )
    days = max(group.values.get("retention_in_days") or _LONGEST for group in groups)
    yield Charge(
        area="Watching",
        item="Logs, kept",
        quantity=Amount.of(size).times(days).over(_MONTH),
        unit="GB-months",
        rate=once("logs.stored-gb-month"),
        addresses=addresses,
        assumes=f"{plain(size)} GB a month, kept for {days} days at most",
        usage="logs",
    )


def _writers(inventory: Inventory) -> Iterator[Resource]:
    """What writes, or lets others write, into groups that AWS makes or that are there already."""
    yield from inventory.of(*_ALWAYS)
    for task in inventory.of("aws_ecs_task_definition"):
        if '"awslogs"' in str(task.values.get("container_definitions", "")):
            yield task
    for kind, (path, quiet) in _UNLESS.items():
        yield from (each for each in inventory.of(kind) if quiet.isdisjoint(map(str, values(each, path))))
    for kind, path in _WHERE.items():
        yield from (each for each in inventory.of(kind) if _writes(each, path))


def _writes(resource: Resource, path: str) -> bool:
    return any(not str(each).startswith(_ELSEWHERE) for each in values(resource, path))
