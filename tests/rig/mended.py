"""Faults of moto's that stand in the way, mended. It is pinned, so each can be looked for again when it is renewed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from moto.codebuild import responses as codebuild
from moto.codepipeline import models as codepipeline
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, Image
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.logs.responses import LogsResponse
from moto.rds import utils as rds
from moto.rds.models import DBInstance
from moto.s3.models import FakeBucket
from tests.rig.ec2 import versions


@cache
def mend() -> None:
    """Once for the process."""
    default_user_config["iam"]["load_aws_managed_policies"] = True  # which roles of hosts are given
    FakeBucket.get_permission = _permission  # type: ignore[method-assign]
    codebuild._validate_required_params_source = _placed(codebuild._validate_required_params_source)
    codebuild._validate_required_params_artifacts = _placed(codebuild._validate_required_params_artifacts)
    codepipeline.iso_8601_datetime_with_milliseconds = _seconds
    ECRBackend.put_image = _put_image(ECRBackend.put_image)  # type: ignore[method-assign]
    listed = EC2ContainerServiceResponse.list_task_definitions
    EC2ContainerServiceResponse.list_task_definitions = _sorted(listed)  # type: ignore[method-assign]
    LogsResponse.filter_log_events = _by_prefix(LogsResponse.filter_log_events)  # type: ignore[method-assign]
    rds.get_overlap_between_two_date_ranges = _overlap
    versions.mend()
    DBInstance.__init__ = _told_apart(DBInstance.__init__)  # type: ignore[method-assign]


def _permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """Of a bucket's policy, without the statements that hold under a condition.

    moto does not read conditions, and would take "denied without TLS" for "denied".
    """
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    statements = [one for one in policy["Statement"] if not one.get("Condition")]
    if not statements:
        return PermissionResult.NEUTRAL
    text = json.dumps({**policy, "Statement": statements})
    permitted: PermissionResult = IAMPolicy(text).is_action_permitted(action, resource)
    return permitted


def _by_prefix(filtered: Callable[[LogsResponse], str]) -> Callable[[LogsResponse], str]:
    """Of the streams that are called so, where that is asked for; moto would give those of all.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html: "logStreamNamePrefix"
    """

    def of_some(self: LogsResponse) -> str:
        found, prefix = json.loads(filtered(self)), self._get_param("logStreamNamePrefix") or ""
        found["events"] = [one for one in found["events"] if one["logStreamName"].startswith(prefix)]
        return json.dumps(found)

    return of_some


def _overlap(start: datetime, end: datetime, other_start: datetime, other_end: datetime) -> int:
    """Seconds; below 0 where windows of RDS do not overlap, to which belong those that only touch."""
    seconds = int((min(end, other_end) - max(start, other_start)).total_seconds())
    return seconds or -1


def _told_apart(init: Callable[..., None]) -> Callable[..., None]:
    """All databases of moto's have one id, by which Terraform reads its own."""

    def begin(self: DBInstance, *given: Any, **more: Any) -> None:
        init(self, *given, **more)
        self.dbi_resource_id = f"db-{sha256(self.db_instance_identifier.encode()).hexdigest()[:26].upper()}"

    return begin


def _placed(validate: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """What a pipeline hands over is at no place of its own.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html: "location"
    """

    def check(said: dict[str, Any]) -> None:
        if said["type"] != "CODEPIPELINE":
            validate(said)

    return check


def _seconds(moment: datetime) -> float:
    """A time in JSON is a number: who is strict about it reads no text."""
    return moment.replace(tzinfo=UTC).timestamp()


def _put_image(put: Callable[..., Image]) -> Callable[..., Image]:
    """An image whose tag moves to another one stays, without a tag; moto would delete it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """

    def keep(
        self: ECRBackend, repository_name: str, image_manifest: str, image_tag: str, *rest: Any, **more: Any
    ) -> Image:
        repository = self.repositories.get(repository_name)
        movable = repository is not None and not repository.is_tag_immutable()
        for image in repository.images if repository and movable else ():
            if image_tag in image.image_tags and image.image_manifest != image_manifest:
                image.remove_tag(image_tag)
                image.image_tag = image.image_tags[-1] if image.image_tags else None
        return put(self, repository_name, image_manifest, image_tag, *rest, **more)

    return keep


def _sorted(listed: Callable[[EC2ContainerServiceResponse], ActionResult]) -> Callable[..., ActionResult]:
    """Newest first where that is asked for.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html: "sort"
    """

    def sort(self: EC2ContainerServiceResponse) -> ActionResult:
        found: Any = listed(self).result
        newest_first = self._get_param("sort") == "DESC"
        arns = found["taskDefinitionArns"]
        return ActionResult({"taskDefinitionArns": arns[::-1] if newest_first else arns})

    return sort
