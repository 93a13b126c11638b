"""What of a plan is given to everybody by an attribute of its own, without a policy."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.statements import listed
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource

# Snapshots that are given to accounts, of which "all" is one.
_SNAPSHOTS = ("aws_db_snapshot", "aws_db_snapshot_copy", "aws_db_cluster_snapshot", "aws_rds_cluster_snapshot_copy")
# Permissions that name who asks, and what narrows the name `*`.
_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_permission": ("condition",),
    "aws_lambda_layer_version_permission": ("organization_id",),
    "aws_lambda_permission": ("source_account", "source_arn", "principal_org_id", "function_url_auth_type"),
}

# Services that call for the function's own account alone.
_OWN_ALONE = frozenset({"edgelambda.amazonaws.com", "lambda.amazonaws.com", "replicator.lambda.amazonaws.com"})


def given_to_everybody(inventory: Inventory) -> Iterator[Mark]:
    yield from _disks(inventory)
    for document in inventory.of("aws_ssm_document"):
        permissions = document.values.get("permissions")
        accounts = permissions.get("account_ids", "") if isinstance(permissions, Mapping) else ""
        if str(accounts).lower() == "all":
            yield Mark(document.address, "permissions.account_ids is All: anybody may read and run it")
    yield from _by_service(inventory)
    for permission in inventory.of(*_PERMISSIONS):
        if permission.values.get("principal") == "*" and not _narrowed(permission):
            action = permission.values.get("action", "lambda:InvokeFunction")
            yield Mark(permission.address, f"allows {action} to everybody")
    yield from _services(inventory)
    for pool in inventory.of("aws_cognito_identity_pool"):
        if is_on(pool.values.get("allow_unauthenticated_identities")):
            yield Mark(pool.address, "allow_unauthenticated_identities is true: strangers get credentials")


def _by_service(inventory: Inventory) -> Iterator[Mark]:
    """Functions that a service may call for whoever asks it: for a bucket, a topic or a rule of any account."""
    for permission in inventory.of("aws_lambda_permission"):
        service = str(permission.values.get("principal"))
        if service.endswith(".amazonaws.com") and service not in _OWN_ALONE and not _narrowed(permission):
            yield Mark(permission.address, f"lets {service} call it for any account: no source_arn, no source_account")


def _disks(inventory: Inventory) -> Iterator[Mark]:
    for snapshot in inventory.of(*_SNAPSHOTS):
        if "all" in listed(snapshot.values.get("shared_accounts")):
            yield Mark(snapshot.address, "shared_accounts has all: anybody may restore it")
    for image in inventory.of("aws_ami_launch_permission"):
        if image.values.get("group") == "all":
            yield Mark(image.address, "group is all: anybody may start hosts from it and read what is on its disks")


def _narrowed(permission: Resource) -> bool:
    return any(
        permission.values.get(key) or key in permission.unknown or key in permission.refers
        for key in _PERMISSIONS[permission.type]
    )


def _services(inventory: Inventory) -> Iterator[Mark]:
    """Services behind endpoints that every account may connect to, and nobody is asked."""
    services = list(inventory.of("aws_vpc_endpoint_service"))
    asks = {one.address for one in services if is_on(one.values.get("acceptance_required"))}
    for service in services:
        if "*" in listed(service.values.get("allowed_principals")) and service.address not in asks:
            yield Mark(service.address, "allowed_principals has *, and no connection has to be accepted")
    for allowed in inventory.of("aws_vpc_endpoint_service_allowed_principal"):
        if allowed.values.get("principal_arn") == "*" and asks.isdisjoint(
            allowed.refers.get("vpc_endpoint_service_id", ())
        ):
            yield Mark(allowed.address, "principal_arn is *, and no connection has to be accepted")


def open_collections(inventory: Inventory) -> Iterator[Mark]:
    """Collections of OpenSearch Serverless whose network policy lets the internet in."""
    for policy in inventory.of("aws_opensearchserverless_security_policy"):
        if policy.values.get("type") == "network" and any(map(_from_public, _rules(policy.values.get("policy")))):
            yield Mark(policy.address, "AllowFromPublic is true: its collections are reached from the internet")


def _rules(text: Any) -> list[Any]:
    try:
        return listed(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return []


def _from_public(rule: Any) -> bool:
    return isinstance(rule, Mapping) and rule.get("AllowFromPublic") is True
