"""Whether anybody would notice what goes wrong with what a plan makes."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.limits import LEAST_LOGS, MOST_LOGS
from crossfade.aws.audit.on_plan.data import databases
from crossfade.aws.audit.on_plan.edge import applications
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on, number
from crossfade.aws.audit.on_plan.texts import containers
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

_ERRORS = frozenset({"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"})
_SICKNESS = frozenset({"UnHealthyHostCount", "HealthyHostCount"})
_BILLED = (
    *("aws_instance", "aws_autoscaling_group", "aws_ecs_service", "aws_db_instance", "aws_rds_cluster"),
    *("aws_lb", "aws_nat_gateway", "aws_elasticache_replication_group", "aws_eks_cluster"),
)


def _watched(inventory: Inventory) -> frozenset[str]:
    """Metrics that some alarm looks at, by itself or in a formula."""
    alarms = list(inventory.of("aws_cloudwatch_metric_alarm"))
    names = {alarm.values.get("metric_name") for alarm in alarms}
    for alarm in alarms:
        for query in blocks(alarm.values, "metric_query"):
            names.update(metric.get("metric_name") for metric in blocks(query, "metric"))
    return frozenset(name for name in names if isinstance(name, str))


def errors_unseen(inventory: Inventory) -> Iterator[Mark]:
    if _ERRORS.isdisjoint(_watched(inventory)):
        for balancer in applications(inventory):
            yield Mark(balancer.address, "no alarm on HTTPCode_Target_5XX_Count")


def sickness_unseen(inventory: Inventory) -> Iterator[Mark]:
    if _SICKNESS.isdisjoint(_watched(inventory)):
        for balancer in applications(inventory):
            yield Mark(balancer.address, "no alarm on UnHealthyHostCount")


def nobody_told(inventory: Inventory) -> Iterator[Mark]:
    for alarm in inventory.of("aws_cloudwatch_metric_alarm"):
        topics = inventory.referred(alarm, "alarm_actions", "aws_sns_topic")
        if not alarm.values.get("alarm_actions") and "alarm_actions" not in alarm.unknown:
            yield Mark(alarm.address, "no alarm_actions")
        elif topics and not any(_subscribers(inventory, topic) for topic in topics):
            yield Mark(alarm.address, f"nobody subscribes to {topics[0].address}")


def _subscribers(inventory: Inventory, topic: Resource) -> tuple[Resource, ...]:
    return settings(inventory, topic, "aws_sns_topic_subscription", "topic_arn")


def logs_pile_up(inventory: Inventory) -> Iterator[Mark]:
    for group in inventory.of("aws_cloudwatch_log_group"):
        days = number(group.values.get("retention_in_days"))
        if not days:
            yield Mark(group.address, "retention_in_days is not set")
        elif days > MOST_LOGS:
            yield Mark(group.address, f"logs are kept for {days} days")


def logs_gone(inventory: Inventory) -> Iterator[Mark]:
    for group in inventory.of("aws_cloudwatch_log_group"):
        days = number(group.values.get("retention_in_days"))
        if days and days < LEAST_LOGS:
            yield Mark(group.address, f"logs are gone after {days} day{'' if days == 1 else 's'}")


def no_budget(inventory: Inventory) -> Iterator[Mark]:
    if any(inventory.of(*_BILLED)) and not any(inventory.of("aws_budgets_budget")):
        yield Mark("", "no aws_budgets_budget in the plan")


def gaps_in_the_trail(inventory: Inventory) -> Iterator[Mark]:
    for trail in inventory.of("aws_cloudtrail"):
        if not is_on(trail.values.get("enable_log_file_validation")):
            yield Mark(trail.address, "enable_log_file_validation is not true")
        if not is_on(trail.values.get("is_multi_region_trail")):
            yield Mark(trail.address, "is_multi_region_trail is not true")
        if trail.values.get("enable_logging") is False:
            yield Mark(trail.address, "enable_logging is false")


def writes_nowhere(inventory: Inventory) -> Iterator[Mark]:
    for task in inventory.of("aws_ecs_task_definition"):
        for container in containers(task):
            if not container.get("logConfiguration"):
                yield Mark(task.address, f"container {container.get('name', '')} has no logConfiguration")
    for build in inventory.of("aws_codebuild_project"):
        places = [first(build.values, "logs_config", place, "status") for place in ("cloudwatch_logs", "s3_logs")]
        if places[0] == "DISABLED" and places[1] in {None, "DISABLED"}:
            yield Mark(build.address, "both kinds of logs are DISABLED")


def database_unheard(inventory: Inventory) -> Iterator[Mark]:
    for database in (*databases(inventory), *inventory.of("aws_rds_cluster")):
        key = "enabled_cloudwatch_logs_exports"
        if not database.values.get(key) and key not in database.unknown:
            yield Mark(database.address, f"{key} is empty")
    for warehouse in inventory.of("aws_redshift_cluster"):
        named = str(warehouse.values.get("cluster_identifier") or "")
        told = settings(inventory, warehouse, "aws_redshift_logging", "cluster_identifier", named)
        if not told and not is_on(first(warehouse.values, "logging", "enable")):
            yield Mark(warehouse.address, "no aws_redshift_logging tells who signed in and what they asked")


CHECKS = {
    "CF-OBS-008": writes_nowhere,
    "CF-OBS-009": database_unheard,
    "CF-ACC-003": gaps_in_the_trail,
    "CF-OBS-001": errors_unseen,
    "CF-OBS-002": sickness_unseen,
    "CF-OBS-003": nobody_told,
    "CF-OBS-004": logs_pile_up,
    "CF-OBS-005": logs_gone,
    "CF-CST-001": no_budget,
}
