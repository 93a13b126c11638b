"""The monitoring: alarms, dashboard, the hosts' agent, the bill, and who is told."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import whole
from crossfade.aws.places import COLOURS
from crossfade.aws.resources.hosts import host_names, on_hosts, stay
from crossfade.aws.resources.names import identifier
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, from_module
from crossfade.file.cloud.watch import Alarm, Budget
from crossfade.file.model import App
from crossfade.file.units import GIB


def monitoring(app: App) -> Iterator[Block]:
    yield _monitoring(app)
    if app.cloud.budget:
        yield _budget(app.cloud.budget)


def metrics_namespace(app: App) -> str:
    """The name that metrics of the application's own appear under."""
    metrics = app.cloud.compute.metrics
    return metrics.namespace if metrics and metrics.namespace else app.name


def _monitoring(app: App) -> Block:
    cloud = app.cloud
    return block(
        "module",
        "monitoring",
        source=f"{MODULES}/monitoring/cloudwatch",
        name=NAME,
        critical_contacts=list(cloud.notify.critical) or None,
        warning_contacts=list(cloud.notify.warning) or None,
        alarms=[_alarm(alarm) for alarm in cloud.alarms],
        cluster=None if on_hosts(app) else _cluster(app),
        hosts=_hosts(app) if on_hosts(app) else None,
        load_balancer=_load_balancer(app),
        database=_database(app),
        cache=_cache(app),
        agent=_agent(app),
        log_days=cloud.logs.keep,
        log_groups=_log_groups(app),
        dashboard=cloud.dashboard,
        cloudtrail=cloud.guards.cloudtrail or None,
        guardduty=cloud.guards.guardduty or None,
    )


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "on": alarm.on,
        "limit": int(alarm.limit) if alarm.limit == int(alarm.limit) else alarm.limit,
        "minutes": round(alarm.stays / 60),
        "severity": alarm.severity,
    }


def _cluster(app: App) -> dict[str, Any]:
    services = {
        f"{name}-{colour}": Expression(f'module.service_{identifier(name)}.names["{colour}"]')
        for name in app.services
        for colour in COLOURS  # both have tasks in a deploy
    }
    return {"name": from_module("cluster", "name"), "services": services}


def _hosts(app: App) -> dict[str, Any]:
    """The dimensions of EC2's metrics: each host that stays by itself, a group as a whole."""
    if stay(app):
        return {name: {"InstanceId": Expression(f'module.hosts.instances["{name}"]')} for name in host_names(app)}
    return {name: {"AutoScalingGroupName": Expression(f'module.asg.groups["{name}"]')} for name in host_names(app)}


def _load_balancer(app: App) -> dict[str, Any]:
    groups = {
        f"{name}-{colour}": Expression(f'module.alb.target_groups["{name}"].{colour}.suffix')
        for name in app.web
        for colour in COLOURS
    }
    return {"arn_suffix": from_module("alb", "arn_suffix"), "target_groups": groups}


def _database(app: App) -> dict[str, Any] | None:
    database = app.cloud.database
    if database is None or database.host:
        return None
    return {"identifier": from_module("database", "identifier"), "storage_gib": -(-database.storage // GIB)}


def _cache(app: App) -> dict[str, Any] | None:
    cache = app.cloud.cache
    if cache is None:
        return None
    group = from_module("cache", "replication_group_id")
    return {"group": group, "shards": cache.shards, "replicas": cache.replicas, "cluster": cache.clustered}


def _agent(app: App) -> dict[str, Any] | None:
    metrics = app.cloud.compute.metrics
    if metrics is None or not on_hosts(app):
        return None
    return {
        "namespace": metrics_namespace(app),
        "disks": list(metrics.disks),
        "every_seconds": whole(metrics.every),
        "files": dict(metrics.logs),
        **({"names": dict(metrics.names)} if metrics.names else {}),
    }


def _log_groups(app: App) -> list[Expression]:
    """What instances write: of each service on ECS its own group, of hosts one for all."""
    if not on_hosts(app):
        return [Expression(f"module.service_{identifier(name)}.log_group_name") for name in app.services]
    return [from_module("hosts" if stay(app) else "asg", "log_group_name")]


def _budget(budget: Budget) -> Block:
    def share(percent: float | None) -> int | float | Expression:
        """A share that is taken back is null: the module's own default would tell somebody."""
        if percent is None:
            return Expression("null")
        return int(percent) if percent == int(percent) else percent

    return block(
        "module",
        "budget",
        source=f"{MODULES}/budgets",
        name=NAME,
        monthly=int(budget.monthly) if budget.monthly == int(budget.monthly) else budget.monthly,
        forecast_percent=share(budget.forecast),
        actual_percent=share(budget.actual),
        warning_topic_arn=from_module("monitoring", "warning_topic_arn"),
        critical_topic_arn=from_module("monitoring", "critical_topic_arn"),
        environment=Expression("var.tags.Environment") if budget.counts == "environment" else None,
    )
