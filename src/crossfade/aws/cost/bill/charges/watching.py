"""Logs, metrics, alarms, dashboards, traces."""

import json
from collections.abc import Iterator, Mapping

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.computing.fleet import hosts
from crossfade.aws.cost.bill.charges.logs import logs
from crossfade.aws.cost.money import exact
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

FREE_TRACES = 100_000  # a month, always: https://aws.amazon.com/xray/pricing/
_FAST = 60  # seconds: an alarm with a shorter period costs more
_BAND = "ANOMALY_DETECTION_BAND"
_OF_BAND = 3  # metrics: the one that is watched, and both ends of its band
# What can send traces, and where it is said.
_TRACED: Mapping[str, tuple[str, ...]] = {
    "aws_api_gateway_stage": ("xray_tracing_enabled",),
    "aws_appsync_graphql_api": ("xray_enabled",),
    "aws_ecs_task_definition": (),
    "aws_lambda_function": ("tracing_config", "mode"),
    "aws_sfn_state_machine": ("tracing_configuration", "enabled"),
    "aws_sns_topic": ("tracing_config",),
}


def watching(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    yield from logs(inventory, usage)
    yield from _metrics(inventory, usage)
    yield from _insights(inventory)
    for alarm in inventory.of("aws_cloudwatch_metric_alarm"):
        yield _alarm(alarm)
    if usage.traces:
        yield Charge(
            area="Watching",
            item="Traces",
            quantity=Amount.of(max(0, usage.traces - FREE_TRACES)).over(1_000_000),
            unit="1,000,000 traces",
            rate=once("xray.traces-1m"),
            assumes=f"{usage.traces:,} traces, of which the first {FREE_TRACES:,} a month are always free",
            usage="traces",
            keep=True,
        )
    elif traced := tuple(each.address for each in inventory.of(*_TRACED) if _traces(each)):
        yield used("Watching", "Traces", "xray.traces-1m", "1,000,000 traces", traced, usage)


def _traces(resource: Resource) -> bool:
    """Whether it sends traces: an attribute or a block says so, or a container of the task is X-Ray's daemon."""
    if resource.type == "aws_ecs_task_definition":
        return "xray-daemon" in str(resource.values.get("container_definitions", ""))
    said = first(resource.values, *_TRACED[resource.type])
    return said is True or str(said) in {"Active", "true"}


def _metrics(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    agents = [each for each in inventory.of("aws_ssm_parameter") if "AmazonCloudWatch" in each.values.get("name", "")]
    groups = list(inventory.of("aws_autoscaling_group"))
    for agent in agents:
        reported = _reported(agent)
        for group in groups:
            yield Charge(
                area="Watching",
                item="Metrics of hosts",
                quantity=hosts(group, usage).times(reported),
                unit="metrics",
                rate=once("cloudwatch.metric-month"),
                addresses=(agent.address, group.address),
                assumes=f"{reported} metrics of each host",
                usage="instances",
            )
    yield Charge(
        area="Watching",
        item="Metrics of your own",
        quantity=Amount.of(usage.metrics),
        unit="metrics",
        rate=once("cloudwatch.metric-month"),
        assumes=f"{usage.metrics:,} metrics",
        usage="metrics",
    )


def _insights(inventory: Inventory) -> Iterator[Charge]:
    for cluster in inventory.of("aws_ecs_cluster"):
        settings = {each.get("name"): each.get("value") for each in blocks(cluster.values, "setting")}
        if settings.get("containerInsights", "disabled") != "disabled":
            yield Charge(
                area="Watching",
                item="Container Insights",
                quantity=Amount.of(1),
                unit="clusters",
                rate=once("cloudwatch.insights-month"),
                addresses=(cluster.address,),
                note="billed by the metric, of which there are more with every task",
            )


def _reported(agent: Resource) -> int:
    """How many metrics the agent's configuration asks of each host: each measurement of each disk is one."""
    try:
        collected = json.loads(agent.values.get("value", ""))["metrics"]["metrics_collected"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return sum(
        len(each.get("measurement", ())) * max(1, len(each.get("resources", ())) if name != "cpu" else 1)
        for name, each in collected.items()
        if isinstance(each, dict)
    )


def _alarm(alarm: Resource) -> Charge:
    """An alarm on a sum of metrics is billed for each of them, on an anomaly for the metric and both ends of its band.

    https://aws.amazon.com/cloudwatch/pricing/
    """
    queries = blocks(alarm.values, "metric_query")
    metrics = [each for each in queries if each.get("metric")]
    periods = [first(each, "metric", "period") for each in metrics] or [alarm.values.get("period")]
    fast = any(exact(period) < _FAST for period in periods if period)
    formulas = [str(each.get("expression") or "") for each in queries]
    band = any(_BAND in each for each in formulas)
    asks = any(each.lstrip().upper().startswith("SELECT") for each in formulas)
    key = "cloudwatch.fast-alarm-month" if fast else "cloudwatch.alarm-month"
    return Charge(
        area="Watching",
        item="Alarms on a query" if asks else "Alarms, fast" if fast else "Alarms",
        quantity=Amount.of(max(1, len(metrics)) * (_OF_BAND if band else 1)),
        unit="metrics alarmed on",
        rate=once(UNPRICED if asks else key),
        addresses=(alarm.address,),
        note="billed for each metric that its query finds" if asks else "",
    )
