"""How long a bill takes: from the largest example's file, and from Terraform plans of growing size."""

import json
import tempfile
from math import log
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade
from crossfade.aws.resources.expect import expected
from crossfade.file.load import load_every

NOUN = "cost"
HOW = """\
Whole processes, timed from outside. The file is the example with the most resources, and the bill is of all its
environments. The plans have modules of ten resources each, a service with its task definition, scaling, logs, alarms
and what they refer to, as `terraform show -json` writes them: 1,000 resources are 100 such modules.
"""
EXAMPLES = Path(__file__).parents[1] / "examples"
SIZES = (10, 1000, 4000, 16000)
_MODULE = 10  # resources of a module


async def measure(scale: Scale) -> Result:
    taken: dict[str, list[float]] = {}
    file = largest()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        plans = {size: state / f"{size}.json" for size in SIZES}
        for size, path in plans.items():
            path.write_text(json.dumps(plan(size)), encoding="utf-8")
        ways = {f"-f examples/{file.parent.name}/{file.name}": ("cost", "-f", str(file), "--json")}
        ways |= {f"--plan, {size:,} resources": ("cost", "--plan", str(path), "--json") for size, path in plans.items()}
        for _ in range(scale.repeats):
            for name, words in ways.items():
                taken.setdefault(name, []).append(crossfade(*words, state=state).ms)
    medians = {name: median(values) for name, values in taken.items()}
    of_file, _, of_plan, *_ = medians.values()
    # Of the fastest runs, because another program's turn at the processor would count as growth; and beyond what an
    # almost empty plan takes, because Python's start does not grow.
    start, _, some, many = [min(values) for values in taken.values()][1:]
    growth = log((many - start) / (some - start), SIZES[-1] / SIZES[-2])
    return Result(
        noun=NOUN,
        title="Bills",
        how=HOW,
        figures=[
            Figure(name="the largest example's file, median", value=of_file, unit="ms", most=500),
            Figure(name="a plan of 1,000 resources, median", value=of_plan, unit="ms", most=500),
            Figure(name="exponent of growth, from 4,000 to 16,000 resources", value=growth, most=1.2),
        ],
        tables=(Table.of("crossfade cost, ms", {f"`{name}`": times for name, times in taken.items()}),),
        data={"ms": taken},
    )


def largest() -> Path:
    """The example whose environments have the most resources."""
    return max(
        EXAMPLES.glob("*/crossfade.yaml"),
        key=lambda file: sum(len(expected(app)) for app in load_every(file).values() if app.platform == "aws"),
    )


def plan(resources: int) -> dict[str, Any]:
    """A plan with so many resources."""
    names = [f"service_{number}" for number in range(resources // _MODULE)]
    modules = [{"address": f"module.{name}", "resources": list(_planned(name))} for name in names]
    calls = {name: {"module": _CONFIGURED, "expressions": {"name": {"constant_value": name}}} for name in names}
    region = {"expressions": {"region": {"constant_value": "us-east-1"}}, "name": "aws"}
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [], "child_modules": modules}},
        "configuration": {"provider_config": {"aws": region}, "root_module": {"module_calls": calls}},
    }


def _planned(name: str) -> list[dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {
        "aws_ecs_service.this": {"name": name, "desired_count": 2, "launch_type": "FARGATE"},
        "aws_ecs_task_definition.this": {"family": name, "cpu": "512", "memory": "1024"},
        "aws_appautoscaling_target.this": {"min_capacity": 2, "max_capacity": 6},
        "aws_cloudwatch_log_group.this": {"name": f"/ecs/{name}", "retention_in_days": 30},
        'aws_cloudwatch_metric_alarm.this["cpu"]': {"period": 60, "threshold": 80},
        'aws_cloudwatch_metric_alarm.this["memory"]': {"period": 60, "threshold": 80},
        "aws_ecr_repository.this": {"name": name},
        "aws_s3_bucket.this": {"bucket_prefix": name},
        "aws_secretsmanager_secret.this": {"name": f"{name}/password"},
        "aws_iam_role.this": {"name": name, "assume_role_policy": '{"Version":"2012-10-17","Statement":[]}'},
    }
    return [
        {
            "address": f"module.{name}.{address}",
            "mode": "managed",
            "type": address.partition(".")[0],
            "values": {**found, "tags": {"Name": name}, "tags_all": {"Name": name, "ManagedBy": "crossfade"}},
        }
        for address, found in values.items()
    ]


_REFERENCES: dict[str, dict[str, list[str]]] = {
    "aws_ecs_service.this": {"name": ["var.name"], "task_definition": ["aws_ecs_task_definition.this.arn"]},
    "aws_ecs_task_definition.this": {"family": ["var.name"], "execution_role_arn": ["aws_iam_role.this.arn"]},
    "aws_appautoscaling_target.this": {"resource_id": ["aws_ecs_service.this.name", "aws_ecs_service.this"]},
    "aws_cloudwatch_metric_alarm.this": {"alarm_name": ["var.name", "each.key"]},
} | {
    f"aws_{kind}.this": {"name": ["var.name"]}
    for kind in ("cloudwatch_log_group", "ecr_repository", "s3_bucket", "secretsmanager_secret", "iam_role")
}
_CONFIGURED: dict[str, Any] = {
    "resources": [
        {"address": address, "expressions": {key: {"references": found} for key, found in keys.items()}}
        for address, keys in _REFERENCES.items()
    ]
}
