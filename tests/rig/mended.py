"""Faults of moto's that stand in the way, mended. It is pinned, so each can be looked for again when it is renewed."""

import json
from datetime import datetime

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.rds import utils as rds
from moto.s3.models import FakeBucket


def mend() -> None:
    """Once for the process."""
    FakeBucket.get_permission = _permission  # type: ignore[method-assign]
    rds.get_overlap_between_two_date_ranges = _overlap


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


def _overlap(start: datetime, end: datetime, other_start: datetime, other_end: datetime) -> int:
    """Seconds; below 0 where windows of RDS do not overlap, to which belong those that only touch."""
    seconds = int((min(end, other_end) - max(start, other_start)).total_seconds())
    return seconds or -1
