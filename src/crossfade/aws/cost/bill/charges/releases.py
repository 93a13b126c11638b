"""Charges of releases: pipelines and builds."""

from collections import defaultdict
from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_SIZE = "BUILD_GENERAL1_"
# CodeBuild's kind of machine -> how its price is called. https://aws.amazon.com/codebuild/pricing/
_MACHINES = {
    "LINUX_CONTAINER": "",
    "ARM_CONTAINER": "-arm",
    "LINUX_GPU_CONTAINER": "-gpu",
    "WINDOWS_CONTAINER": "-windows",
    "WINDOWS_SERVER_2019_CONTAINER": "-windows",
    "WINDOWS_SERVER_2022_CONTAINER": "-windows",
}


def releases(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for pipeline in inventory.of("aws_codepipeline"):
        if pipeline.values.get("pipeline_type", "V1") == "V2":
            minute, item = "codepipeline.minute", "Pipeline, minutes of actions"
            yield used("Releases", item, minute, "minutes", (pipeline.address,), usage)
        else:
            yield Charge(
                area="Releases",
                item="Pipeline",
                quantity=Amount.of(1),
                unit="pipelines",
                rate=once("codepipeline.month"),
                addresses=(pipeline.address,),
            )
    yield from _builds(inventory, usage)


def _builds(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    """The minutes are of all projects; where machines differ, each project is taken to build as long as any other."""
    by_machine: dict[str, list[Resource]] = defaultdict(list)
    for project in inventory.of("aws_codebuild_project"):
        by_machine[_machine(project)].append(project)
    every = sum(map(len, by_machine.values()))
    for machine, projects in by_machine.items():
        share = Amount.of(usage.builds).times(len(projects)).over(every)
        yield Charge(
            area="Releases",
            item=f"Builds, {machine}",
            quantity=share,
            unit="minutes",
            rate=once(f"codebuild.minute.{machine}" if " " not in machine else UNPRICED),
            addresses=tuple(each.address for each in projects),
            assumes=f"{usage.builds:,} minutes" + (f", shared by {every} projects" if len(by_machine) > 1 else ""),
            usage="builds",
        )


def _machine(project: Resource) -> str:
    """small, 2xlarge-arm; as CodeBuild calls it where a price would be of another kind, such as that of a Lambda."""
    size = str(first(project.values, "environment", "compute_type") or f"{_SIZE}SMALL")
    kind = str(first(project.values, "environment", "type") or "LINUX_CONTAINER")
    if not size.startswith(_SIZE) or kind not in _MACHINES or first(project.values, "environment", "fleet"):
        return f"{kind} {size}"
    return size.removeprefix(_SIZE).lower() + _MACHINES[kind]
