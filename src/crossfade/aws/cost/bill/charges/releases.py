"""How a push becomes a release: pipelines and builds."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.file.cloud.usage import Usage

_SIZES = {"BUILD_GENERAL1_SMALL": "small", "BUILD_GENERAL1_MEDIUM": "medium", "BUILD_GENERAL1_LARGE": "large"}


def releases(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for pipeline in inventory.of("aws_codepipeline"):
        yield Charge(
            area="Releases",
            item="Pipeline",
            quantity=Amount.of(1),
            unit="pipelines",
            rate=once("codepipeline.month"),
            addresses=(pipeline.address,),
        )
    projects = list(inventory.of("aws_codebuild_project"))
    if projects:
        wanted = {first(project.values, "environment", "compute_type") for project in projects}
        size = next((name for kind, name in reversed(_SIZES.items()) if kind in wanted), "small")
        arm = any(first(project.values, "environment", "type") == "ARM_CONTAINER" for project in projects)
        size = f"{size}-arm" if arm else size
        yield Charge(
            area="Releases",
            item=f"Builds, {size}",
            quantity=Amount.of(usage.builds),
            unit="minutes",
            rate=once(f"codebuild.minute.{size}"),
            addresses=tuple(project.address for project in projects),
            assumes=f"{usage.builds:,} minutes",
            usage="builds",
        )
