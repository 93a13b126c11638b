"""The watch: alarms, dashboard, the hosts' agent, secrets, budget, watchers of the account."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.aws.environment import secret_name
from crossfade.aws.places import COLOURS
from crossfade.aws.resources.areas.planned import GIB, bucket, gib, planned
from crossfade.aws.resources.hosts import host_names, on_hosts
from crossfade.aws.resources.names import prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.watch import OF_CACHE, OF_DATABASE, Alarm
from crossfade.file.model import App

_MODULE = "module.monitoring"
# Alarms on a number that is made of metrics, each of which is billed.
_SUMS = {"errors": ("of_app", "of_balancer"), "cache-hit-rate": ("hits", "misses")}
_HOST_PERIOD = 300  # seconds between EC2's own figures


def watching(app: App) -> Iterator[Resource]:
    for severity in ("critical", "warning"):
        yield planned(f"{_MODULE}.aws_sns_topic.{severity}", "cloud.notify", name=f"{prefix(app)}-{severity}")
        for contact in getattr(app.cloud.notify, severity):
            address = f'{_MODULE}.aws_sns_topic_subscription.{severity}["{contact}"]'
            yield planned(address, f"cloud.notify.{severity}", protocol="email" if "@" in contact else "sms")
    for index, alarm in enumerate(app.cloud.alarms):
        for target in _targets(app, alarm):
            yield _alarm(app, alarm, target, f"cloud.alarms.{index}")
    if app.cloud.dashboard:
        yield planned(f"{_MODULE}.aws_cloudwatch_dashboard.this[0]", "cloud.dashboard", dashboard_name=prefix(app))
    yield from _agent(app)
    yield from _guards(app)
    for variable in app.cloud.secrets:
        address = f'module.secrets.aws_secretsmanager_secret.this["{variable}"]'
        where = f"cloud.secrets.{variable}"
        yield planned(address, where, name=secret_name(app, variable))
    if app.cloud.budget is not None:
        limit = f"{app.cloud.budget.monthly:g}"
        yield planned("module.budget.aws_budgets_budget.this", "cloud.budget", limit_amount=limit, time_unit="MONTHLY")


def _targets(app: App, alarm: Alarm) -> list[str]:
    """What one alarm of the file becomes an alarm for: each colour of a service, each node or the one there is."""
    if alarm.on in ("cpu", "memory"):
        return host_names(app) if on_hosts(app) else _coloured(app.services)
    if alarm.on == "unhealthy-hosts":
        return _coloured(app.web)
    if alarm.on in OF_DATABASE:
        return ["database"]
    if alarm.on in OF_CACHE and (cache := app.cloud.cache) is not None:
        each = range(1, cache.replicas + 2)
        if cache.clustered:
            return [f"{shard:04d}-{node:03d}" for shard in range(1, cache.shards + 1) for node in each]
        return [f"{node:03d}" for node in each]
    return ["visitors"]


def _coloured(names: Iterable[str]) -> list[str]:
    return [f"{name}-{colour}" for name in names for colour in COLOURS]


def _alarm(app: App, alarm: Alarm, target: str, where: str) -> Resource:
    key = f"{alarm.on}-{target}-{alarm.limit:g}-{alarm.severity}"
    values: dict[str, Any] = {"alarm_name": f"{prefix(app)}-{key}", "threshold": _threshold(app, alarm)}
    if alarm.on in _SUMS:
        queries = [
            *({"id": each, "metric": [{"period": 60}]} for each in _SUMS[alarm.on]),
            {"id": "total", "metric": []},
        ]
        return planned(f'{_MODULE}.aws_cloudwatch_metric_alarm.sum["{key}"]', where, metric_query=queries, **values)
    period = _HOST_PERIOD if alarm.on == "cpu" and on_hosts(app) else 60
    return planned(f'{_MODULE}.aws_cloudwatch_metric_alarm.metric["{key}"]', where, period=period, **values)


def _threshold(app: App, alarm: Alarm) -> float:
    """As CloudWatch has it: a share of the disk is so many bytes there."""
    database = app.cloud.database
    if alarm.on == "db-free-storage" and database is not None:
        return gib(database.storage) * GIB * alarm.limit / 100
    return alarm.limit


def _agent(app: App) -> Iterator[Resource]:
    metrics, where = app.cloud.compute.metrics, "cloud.compute.metrics"
    if metrics is None or not on_hosts(app):
        return
    collected = {
        "cpu": {"measurement": ["cpu_usage_idle", "cpu_usage_iowait"], "totalcpu": True},
        "disk": {"measurement": ["used_percent"], "resources": list(metrics.disks)},
        "mem": {"measurement": ["mem_used_percent"]},
        "processes": {"measurement": [f"processes_{kind}" for kind in ("running", "sleeping", "dead", "total")]},
    }
    yield planned(
        f"{_MODULE}.aws_ssm_parameter.agent[0]",
        where,
        name=f"AmazonCloudWatch-{prefix(app)}",
        type="String",
        value=json.dumps({"metrics": {"namespace": metrics.namespace or app.name, "metrics_collected": collected}}),
    )
    for name in metrics.logs:
        yield planned(
            f'{_MODULE}.aws_cloudwatch_log_group.hosts["{name}"]',
            f"{where}.logs.{name}",
            name=f"/{prefix(app)}/{name}",
            retention_in_days=app.cloud.logs.keep,
        )


def _guards(app: App) -> Iterator[Resource]:
    guards = app.cloud.guards
    if guards.guardduty:
        yield planned(f"{_MODULE}.aws_guardduty_detector.this[0]", "cloud.guards.guardduty", enable=True)
    if guards.cloudtrail:
        records, where = f"{_MODULE}.aws_s3_bucket.trail[0]", "cloud.guards.cloudtrail"
        yield from bucket(records, where, bucket_prefix=f"{prefix(app)}-trail-")
        yield planned(f"{_MODULE}.aws_cloudtrail.this[0]", where, {"s3_bucket_name": (records,)}, name=prefix(app))
