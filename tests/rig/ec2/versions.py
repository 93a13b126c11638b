"""Versions of launch templates that are deleted, which moto does not do: it finds them by their place in a list.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound, InvalidParameterValue
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates
from tests.rig.wire import Json

_MOST = 200  # "You can specify up to 200 launch template version numbers."
# Of LaunchTemplateErrorCode, which has no word of its own for a default version:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseError.html
_MISSING, _OTHER = "launchTemplateVersionDoesNotExist", "unexpectedError"


@cache
def mend() -> None:
    """Once for the process. A number is not given out again: what is gone leaves a gap."""
    LaunchTemplates.delete_launch_template_versions = _delete  # type: ignore[attr-defined]
    LaunchTemplate.get_version = _get(LaunchTemplate.get_version)  # type: ignore[method-assign]
    LaunchTemplate.latest_version = _latest  # type: ignore[method-assign]
    described = LaunchTemplateBackend.describe_launch_template_versions
    LaunchTemplateBackend.describe_launch_template_versions = _left(described)  # type: ignore[method-assign]


def _gone(template: LaunchTemplate) -> set[int]:
    found: set[int] = template.__dict__.setdefault("deleted_versions", set())
    return found


def _delete(self: LaunchTemplates) -> ActionResult:
    """Each by itself: "You can't delete the default version of a launch template"."""
    name, id_ = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
    backend = self.ec2_backend
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(id_)
    wanted = [str(one) for one in self._get_param("Versions", [])]
    if len(wanted) > _MOST or not all(one.isdecimal() for one in wanted):
        raise InvalidParameterValue(f"Versions takes up to {_MOST} version numbers.")
    there = {str(one.number) for one in template.versions if one.number not in _gone(template)}
    deleted: list[Json] = []
    kept: list[Json] = []
    for one in wanted:
        said: Json = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(one)}
        if one not in there:
            kept.append(said | {"ResponseError": {"Code": _MISSING, "Message": f"Version {one} does not exist."}})
        elif int(one) == template.default_version_number:
            why = {"Code": _OTHER, "Message": "You cannot delete the default version of a launch template."}
            kept.append(said | {"ResponseError": why})
        else:
            _gone(template).add(int(one))
            deleted.append(said)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": deleted,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }
    )


def _latest(self: LaunchTemplate) -> LaunchTemplateVersion:
    """The default one is never deleted, so there is one."""
    return next(one for one in reversed(self.versions) if one.number not in _gone(self))


def _get(get: Callable[..., LaunchTemplateVersion]) -> Callable[..., LaunchTemplateVersion]:
    def found(self: LaunchTemplate, num: Any) -> LaunchTemplateVersion:
        version = self.latest_version() if str(num).lower() == "$latest" else get(self, num)
        if version.number in _gone(self):
            raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)
        return version

    return found


def _left(described: Callable[..., Any]) -> Callable[..., Any]:
    def left(self: LaunchTemplateBackend, *given: Any, **more: Any) -> Any:
        return [(of, one) for of, one in described(self, *given, **more) if one.number not in _gone(of)]

    return left
