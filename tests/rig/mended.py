"""Faults of moto's that stand in the way, mended. It is pinned, so each can be looked for again when it is renewed."""

import json

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket


def mend() -> None:
    """Once for the process."""
    FakeBucket.get_permission = _permission  # type: ignore[method-assign]


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
    permitted: PermissionResult = IAMPolicy(json.dumps({**policy, "Statement": statements})).is_action_permitted(
        action, resource
    )
    return permitted
