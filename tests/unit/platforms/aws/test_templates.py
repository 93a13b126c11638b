"""Versions of the launch template: those of releases that nobody comes back to go, and no others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.rig.groups import template_data
from tests.support.in_moto import InMoto, in_moto

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced

WEB = Service(app="shop", name="web", environment="dev", runtime="autoscaling", image="web")
RELEASES = "shop-dev-releases"


def release(number: int) -> Release:
    return Release(number=number, service=WEB, version=f"v{number}", digest=f"web@sha256:{number}", config_hash="c")


@pytest.fixture
def aws() -> Iterator[InMoto]:
    """With both launch templates, as `infra apply` makes them."""
    from tests.rig.ec2.versions import mend  # moto takes a second, also of who only collects tests

    mend()
    with in_moto() as aws:
        data = template_data("web:1", "/shop-dev/hosts", "sg-1")
        aws.aws("ec2").create_launch_template(LaunchTemplateName="shop-dev", LaunchTemplateData=data)
        aws.aws("ec2").create_launch_template(
            LaunchTemplateName=RELEASES, LaunchTemplateData={"InstanceType": "t3.micro"}
        )
        yield aws


def numbers(aws: InMoto) -> list[int]:
    found = aws.aws("ec2").describe_launch_template_versions(LaunchTemplateName=RELEASES)["LaunchTemplateVersions"]
    return sorted(one["VersionNumber"] for one in found)


async def test_versions_of_a_release_that_is_forgotten_go(aws: InMoto) -> None:
    """Both that were written of it; no other's, nor one of the same number from before a journal was lost."""
    templates = Templates(aws.clients, aws.places)
    for one in (release(1), release(2), release(1), replace(release(1), digest="web@sha256:lost")):
        await templates.write(one, {}, unfenced)
    assert numbers(aws) == [1, 2, 3, 4, 5]
    await templates.forget(release(1), (), unfenced)
    assert numbers(aws) == [1, 3, 5]
    await templates.forget(release(1), (), unfenced)
    again = await templates.write(release(3), {}, unfenced)
    assert (again.number, numbers(aws)) == ("6", [1, 3, 5, 6])


async def test_a_version_that_a_group_has_or_that_is_the_default_stays(aws: InMoto) -> None:
    """AWS would not delete a default one, and to a group without its version nothing could be launched."""
    templates = Templates(aws.clients, aws.places)
    held, default, gone = [await templates.write(release(1), {}, unfenced) for _ in range(3)]
    aws.aws("ec2").modify_launch_template(LaunchTemplateName=RELEASES, DefaultVersion=default.number)
    await templates.forget(release(1), {held.name}, unfenced)
    assert numbers(aws) == [1, int(held.number), int(default.number)]
    assert int(gone.number) not in numbers(aws)


class Refusing(Clients):
    """An EC2 that says of a version why it is not deleted, in an answer that is none of its errors."""

    def __init__(self, inner: Clients, code: str) -> None:
        super().__init__()
        self._inner, self._code = inner, code

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation != "delete_launch_template_versions":
            return await self._inner.call(service, operation, before, **parameters)
        why = {"Code": self._code, "Message": "try again"}
        told = [{"VersionNumber": int(one), "ResponseError": why} for one in parameters["Versions"]]
        return {"UnsuccessfullyDeletedLaunchTemplateVersions": told}


async def test_a_version_that_stays_although_it_was_to_go_is_told(aws: InMoto) -> None:
    """AWS calls that a success; one that is gone already is what was wanted."""
    await Templates(aws.clients, aws.places).write(release(1), {}, unfenced)
    gone = Refusing(aws.clients, "launchTemplateVersionDoesNotExist")
    await Templates(gone, aws.places).forget(release(1), (), unfenced)
    with pytest.raises(
        PlatformError, match=rf"version 2 of launch template {RELEASES} could not be deleted: try again"
    ):
        await Templates(Refusing(aws.clients, "unexpectedError"), aws.places).forget(release(1), (), unfenced)
