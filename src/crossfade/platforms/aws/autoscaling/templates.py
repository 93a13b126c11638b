"""Versions of the launch template: read once each, for they never change, and written for a release."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.platforms.aws.autoscaling.user_data import bucket_in, release_in, secrets_in, written
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.refusals import AwsError, absent

_AT_ONCE = 200  # versions that one call deletes
_GONE = "launchTemplateVersionDoesNotExist"
# A1, or a `g` behind the generation, whatever comes after it: t4g, c7gn, m6gd, im4gn. Of g4dn it is the family.
_ARM = re.compile(r"a1|[a-z]+\d+g[a-z]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """One version of a launch template, and whose release it boots."""

    template: str  # its id
    number: str
    release: Release | None

    @property
    def name(self) -> str:
        """`lt-0123:7`: versions are numbered by template."""
        return f"{self.template}:{self.number}"


class Templates:
    """The launch templates of one environment: Terraform's, which says what a host is, and the one that groups use."""

    def __init__(self, clients: Clients, places: Places) -> None:
        self._clients, self._places = clients, places
        self._known: dict[tuple[str, str], TemplateVersion] = {}
        self._releases = f"{places.prefix}-releases"

    async def of(self, template: str, number: str) -> TemplateVersion:
        """By its number, or by what stands for one: `$Default` is another tomorrow, and asked for each time."""
        if (template, number) not in self._known:
            found = _version((await self._versions(LaunchTemplateId=template, Versions=[number]))[0])
            self._known[template, found.number] = found
            return found
        return self._known[template, number]

    async def write(self, release: Release, secrets: Mapping[str, str], before: Check) -> TemplateVersion:
        """One for this release, complete: what a host is comes from Terraform's newest, its image by id and no name.

        Rolled back to by AWS itself, a template that names its image by a parameter would be refused.
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
        """
        data = dict((await self.base())["LaunchTemplateData"])
        text = await self._written(data, release, secrets)
        data["UserData"] = base64.b64encode(text.encode()).decode()
        asked: dict[str, Any] = {"LaunchTemplateName": self._releases, "LaunchTemplateData": data}
        asked["VersionDescription"] = f"crossfade release {release.label}"[:255]
        asked["ClientToken"] = uuid4().hex  # a call whose answer was lost is the same one again
        try:
            made = await self._clients.call("ec2", "create_launch_template_version", before, **asked)
        except AwsError as error:
            if "NotFound" in error.code:
                raise await self._missing(self._releases) from error
            raise
        version = _version(made["LaunchTemplateVersion"])  # asked for right now, EC2 may not know it yet
        self._known[version.template, version.number] = version
        return version

    async def text(self, name: str) -> str:
        """The user data of a version, by its name."""
        template, _, number = name.partition(":")
        found = await self._versions(LaunchTemplateId=template, Versions=[number])
        return user_data_of(found[0]["LaunchTemplateData"])

    async def told(self, release: Release, secrets: Mapping[str, str]) -> str:
        """The user data that a version for this release would have now."""
        return await self._written((await self.base())["LaunchTemplateData"], release, secrets)

    async def _written(self, data: Answer, release: Release, secrets: Mapping[str, str]) -> str:
        return written(user_data_of(data), release, secrets, await self._clients.region())

    async def base(self) -> Answer:
        """The newest version of Terraform's template."""
        name = self._places.prefix
        try:
            return (await self._versions(LaunchTemplateName=name, Versions=["$Latest"], ResolveAlias=True))[0]
        except AwsError as error:
            if "NotFound" in error.code:
                raise await self._missing(name) from error
            raise

    async def _missing(self, name: str) -> PlatformError:
        command = f"infra apply -e {self._places.environment}"
        return PlatformError(*absent(f"launch template {name}", await self._clients.whereabouts(), command))

    async def secrets(self, key: str) -> dict[str, str]:  # noqa: ARG002  hosts run one service
        """Where the value of each secret is."""
        return secrets_in(user_data_of((await self.base())["LaunchTemplateData"]))

    async def bucket(self) -> str:
        """Where revisions are kept that CodeDeploy brings to hosts. PlatformError where none are."""
        found = bucket_in(user_data_of((await self.base())["LaunchTemplateData"]))
        if not found:
            raise PlatformError(
                f"the launch template {self._places.prefix} names no bucket of revisions",
                f"`crossfade infra apply -e {self._places.environment}` makes one",
            )
        return found

    async def forget(self, release: Release, kept: Collection[str], before: Check) -> None:
        """Its versions go, but for those by whose name a group has them still, and for the default one.

        AWS deletes no default version, whoever made it one, and says of each version by itself whether it is gone.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
        """
        gone: list[str] = []
        for one in await self._versions(LaunchTemplateName=self._releases):
            if one.get("DefaultVersion") or _version(one).name in kept:
                continue
            known = _version(one).release
            if known and (known.number, known.digest) == (release.number, release.digest):
                gone.append(str(one["VersionNumber"]))
        for at in range(0, len(gone), _AT_ONCE):
            asked = {"LaunchTemplateName": self._releases, "Versions": gone[at : at + _AT_ONCE]}
            told = await self._clients.call("ec2", "delete_launch_template_versions", before, **asked)
            for one in told.get("UnsuccessfullyDeletedLaunchTemplateVersions", ()):
                why = one.get("ResponseError", {})
                if why.get("Code") != _GONE:
                    raise PlatformError(
                        f"version {one['VersionNumber']} of launch template {self._releases} could not be deleted: "
                        f"{why.get('Message') or why.get('Code') or 'AWS does not say why'}",
                        "it is tried again",
                    )

    async def _versions(self, **asked: Any) -> list[Answer]:
        return await self._clients.all("ec2", "describe_launch_template_versions", "LaunchTemplateVersions", **asked)


def _version(said: Answer) -> TemplateVersion:
    name = f"version {said['VersionNumber']} of launch template {said.get('LaunchTemplateName', '')}"
    return TemplateVersion(
        template=said["LaunchTemplateId"],
        number=str(said["VersionNumber"]),
        release=release_in(user_data_of(said["LaunchTemplateData"]), name),
    )


def platform(data: Answer) -> str:
    """What hosts of a launch template run, as Docker says it."""
    kind = data.get("InstanceType", "").partition(".")[0]
    return "linux/arm64" if _ARM.fullmatch(kind) else "linux/amd64"


def user_data_of(data: Answer) -> str:
    """The script that they boot from."""
    return base64.b64decode(data.get("UserData") or "").decode(errors="replace")
