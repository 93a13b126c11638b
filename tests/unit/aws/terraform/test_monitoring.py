"""Who is told about what, and what hosts report."""

import json
import re
from typing import Any, get_args

import pytest
from tests.support.planned import Planned, Plans
from tests.unit.aws.terraform.files import app, on_hosts

from crossfade.aws.terraform.hcl import Expression
from crossfade.aws.terraform.modules import texts
from crossfade.aws.terraform.parts.monitoring import metrics_namespace, monitoring
from crossfade.file.cloud.watch import BELOW, Measure


def call(module: str, *blocks: Any) -> dict[str, Any]:
    (found,) = (one for one in blocks if one.kind == "module" and one.labels == (module,))
    return dict(item for item in found.body if isinstance(item, tuple))


def alarms(planned: Planned) -> dict[str, tuple[str, float, int, int]]:
    """(comparison, threshold, period, periods) by name without the environment."""
    prefix = f"{planned.app.name}-{planned.app.environment}-"
    return {
        one["alarm_name"].removeprefix(prefix): (
            one["comparison_operator"].partition("Than")[0],
            one["threshold"],
            one.get("period") or 60,
            one["evaluation_periods"],
        )
        for one in planned.of("aws_cloudwatch_metric_alarm").values()
    }


@pytest.mark.long
def test_tiketis_alarms_are_as_its_team_wants(plans: Plans) -> None:
    """CPU > 90 % 5 min, connections > 90, 5xx > 10/min; CPU > 70 % 10 min, cache hits < 80 %, free disk < 20 %."""
    found = alarms(plans.of("tiketi", "prod"))
    assert found["cpu-api-blue-90-critical"] == found["cpu-api-green-90-critical"] == ("Greater", 90, 60, 5)
    assert found["db-connections-database-90-critical"] == ("Greater", 90, 60, 5)
    assert found["errors-visitors-10-critical"] == ("Greater", 10, 60, 1)
    assert found["cpu-api-blue-70-warning"] == ("Greater", 70, 60, 10)
    assert found["db-free-storage-database-20-warning"] == ("Less", 0.2 * 20 * 1024**3, 60, 5)
    hits = {name: of for name, of in found.items() if name.startswith("cache-hit-rate")}
    assert set(hits.values()) == {("Less", 80, 60, 5)}
    assert len(hits) == 4  # two shards, each a primary and a replica
    assert len(found) == 11


@pytest.mark.long
def test_tiketis_contacts_are_as_its_team_wants(plans: Plans) -> None:
    """Critical alarms go out by SMS and mail, warnings by mail."""
    subscriptions = plans.of("tiketi", "prod").of("aws_sns_topic_subscription")
    told = {(address.split(".")[3].split("[")[0], one["protocol"]) for address, one in subscriptions.items()}
    assert told == {("critical", "sms"), ("critical", "email"), ("warning", "email")}


@pytest.mark.long
def test_codemates_alarms_are_as_its_team_wants(plans: Plans) -> None:
    """CPU > 80 % 5 min, unhealthy hosts > 0 2 min in both colours, connections, 5xx > 10 in 1 min; a dashboard."""
    planned = plans.of("codemate", "prod")
    found = alarms(planned)
    for service in ("frontend", "backend"):
        for colour in ("blue", "green"):
            assert found[f"cpu-{service}-{colour}-80-warning"] == ("Greater", 80, 60, 5)
            assert found[f"unhealthy-hosts-{service}-{colour}-0-critical"] == ("Greater", 0, 60, 2)
    assert found["errors-visitors-10-critical"] == ("Greater", 10, 60, 1)
    assert found["db-connections-database-80-warning"] == ("Greater", 80, 60, 5)
    assert planned.one("aws_cloudwatch_dashboard")["dashboard_name"] == "codemate-prod"


@pytest.mark.long
@pytest.mark.parametrize(
    ("system", "groups"),
    [
        ("codemate", ["/ecs/codemate-prod-frontend", "/ecs/codemate-prod-backend"]),
        ("teammoa", ["/teammoa-prod/hosts"]),
    ],
)
def test_logs_have_saved_questions(plans: Plans, system: str, groups: list[str]) -> None:
    """What went wrong, and who writes most: of each service on ECS, and of hosts in the one group they have."""
    found = plans.of(system, "prod").of("aws_cloudwatch_query_definition").values()
    assert {one["name"] for one in found} == {f"{system}-prod/errors", f"{system}-prod/most"}
    for one in found:
        assert sorted(one["log_group_names"]) == sorted(groups)


def test_the_dashboard_shows_what_a_service_lives_on() -> None:
    """Latency by three shares, healthy targets, the database's IOPS, what the cache had to drop."""
    text = texts("monitoring/cloudwatch")["dashboard.tf"]
    assert '["p50", "p95", "p99"]' in text
    assert {"HealthyHostCount", "ReadIOPS", "WriteIOPS", "Evictions"} <= set(re.findall(r'"(\w+)"', text))


@pytest.mark.long
def test_codemates_budget_is_as_its_team_wants(plans: Plans) -> None:
    """Told when the forecast passes 80 %, and when the bill passes 100 %."""
    planned = plans.of("codemate", "prod")
    budget = planned.one("aws_budgets_budget")
    assert planned.app.cloud.budget is not None
    assert float(budget["limit_amount"]) == planned.app.cloud.budget.monthly
    assert {(one["notification_type"], one["threshold"], one["threshold_type"]) for one in budget["notification"]} == {
        ("FORECASTED", 80, "PERCENTAGE"),
        ("ACTUAL", 100, "PERCENTAGE"),
    }


@pytest.mark.long
def test_bluegreens_agent_is_as_its_team_wants(plans: Plans) -> None:
    """BlueGreen/Application: CPU idle and iowait, disk of / and /opt, memory, processes, every 60 s; both logs."""
    planned = plans.of("bluegreen", "prod")
    agent = planned.app.cloud.compute.metrics
    assert agent is not None
    (metrics,) = (one for one in monitoring(planned.app) if one.labels == ("monitoring",))
    assert call("monitoring", metrics)["agent"] == {
        "namespace": "BlueGreen/Application",
        "disks": ["/", "/opt"],
        "every_seconds": 60,
        "files": {"access": "/var/log/nginx/access.log", "app": "/opt/bluegreen/logs/app.log"},
        "names": {
            "cpu_usage_idle": "CPU_IDLE",
            "cpu_usage_iowait": "CPU_IOWAIT",
            "disk_used_percent": "DISK_USED",
            "mem_used_percent": "MEM_USED",
            "processes_running": "PROCESSES_RUNNING",
            "processes_sleeping": "PROCESSES_SLEEPING",
        },
    }
    parameter = planned.resources["module.monitoring.aws_ssm_parameter.agent[0]"]
    assert parameter["name"] == "AmazonCloudWatch-bluegreen-prod"
    groups = {one["name"] for one in planned.of("aws_cloudwatch_log_group").values()}
    assert {"/bluegreen-prod/access", "/bluegreen-prod/app"} <= groups
    assert planned.one("aws_budgets_budget")["limit_amount"] == "100"


@pytest.mark.long
def test_the_agents_configuration_is_one(plans: Plans) -> None:
    """What the agent will read is JSON with the measures of the document."""
    value = plans.of("bluegreen", "prod").resources["module.monitoring.aws_ssm_parameter.agent[0]"]["value"]
    collected = json.loads(value)["metrics"]["metrics_collected"]
    named = {
        one["name"]: one.get("rename", "")
        for kind in ("cpu", "disk", "mem", "processes")
        for one in collected[kind]["measurement"]
    }
    assert named == {
        "cpu_usage_idle": "CPU_IDLE",
        "cpu_usage_iowait": "CPU_IOWAIT",
        "disk_used_percent": "DISK_USED",
        "mem_used_percent": "MEM_USED",
        "processes_running": "PROCESSES_RUNNING",
        "processes_sleeping": "PROCESSES_SLEEPING",
        "processes_dead": "",
        "processes_total": "",
    }
    assert collected["disk"]["resources"] == ["/", "/opt"]
    assert set(collected) == {"cpu", "disk", "mem", "processes"}


@pytest.mark.parametrize("measure", get_args(Measure))
def test_every_measure_of_the_file_is_known_to_the_module(measure: str) -> None:
    """No measure that the file allows is without a metric, and low is bad for the same ones."""
    text = texts("monitoring/cloudwatch")["measures.tf"]
    (own,) = re.findall(rf"^    {measure} = {{$(.*?)^    }}$", text, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^ +below += (true|false)$", own, re.MULTILINE) == [str(measure in BELOW).lower()]


def test_measures_of_what_is_not_there_are_not_asked_for() -> None:
    """Without a database of RDS and a cache the module hears of neither."""
    given = call("monitoring", *monitoring(app(database={"engine": "mysql", "host": True, "instance": "t3.small"})))
    assert {"database", "cache", "hosts", "agent"}.isdisjoint(given)
    assert given["cluster"]["services"] == {
        f"web-{colour}": Expression(f'module.service_web.names["{colour}"]') for colour in ("blue", "green")
    }


def test_hosts_are_watched_as_a_group() -> None:
    """On hosts the Auto Scaling group stands for the services."""
    given = call("monitoring", *monitoring(on_hosts(compute={"metrics": {"disks": ["/", "/opt"]}})))
    assert given["hosts"] == {"hosts": {"AutoScalingGroupName": Expression('module.asg.groups["hosts"]')}}
    assert "cluster" not in given
    assert given["agent"]["namespace"] == "shop"
    assert metrics_namespace(on_hosts(compute={"metrics": {"namespace": "Shop/App"}})) == "Shop/App"


def test_a_share_that_is_taken_back_tells_nobody() -> None:
    """`forecast` and `actual` are what the file says, also when it says something else than the module's default."""
    budget = call("budget", *monitoring(app(budget={"monthly": 99.5, "forecast": "50%", "counts": "environment"})))
    assert (budget["monthly"], budget["forecast_percent"], budget["actual_percent"]) == (99.5, 50, 100)
    assert budget["environment"] == Expression("var.tags.Environment")
