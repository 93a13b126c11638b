"""The launch template of a group: which one it is told, and what that says."""

from typing import Any

from tests.rig.emulator import Emulator
from tests.rig.wire import AwsError, Call, Json


async def chosen(emulator: Emulator, call: Call, said: Json) -> Json:
    """With its id, its name and the version that was said; `$Latest` stays what it is."""
    found = await data(emulator, call, said)
    return {
        "LaunchTemplateId": found["LaunchTemplateId"],
        "LaunchTemplateName": found["LaunchTemplateName"],
        "Version": str(said.get("Version") or "$Default"),
    }


async def data(emulator: Emulator, call: Call, said: Json) -> Json:
    """LaunchTemplateVersion of EC2's API."""
    name = "LaunchTemplateId" if said.get("LaunchTemplateId") else "LaunchTemplateName"
    version = str(said.get("Version") or "$Default")

    def read(client: Any) -> Json:
        try:
            answer = client.describe_launch_template_versions(**{name: said[name]}, Versions=[version])
        except client.exceptions.ClientError as error:
            raise AwsError("ValidationError", f"You must use a valid fully-formed launch template. {error}") from error
        found: list[Json] = answer["LaunchTemplateVersions"]
        if not found:
            raise AwsError(
                "ValidationError",
                "You must use a valid fully-formed launch template. The specified launch template version "
                f"{version} does not exist.",
            )
        return found[0]

    return await emulator.use("ec2", call.region, read)


def specified(said: Json) -> Json | None:
    """The one that a group is told, be it its own or that of a mixed instances policy."""
    mix = (said.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    found: Json | None = said.get("LaunchTemplate") or mix.get("LaunchTemplateSpecification")
    return found


def named(template: Json) -> Json:
    """By its id alone: a call takes an id or a name."""
    return {"LaunchTemplateId": template["LaunchTemplateId"], "Version": template["Version"]}
