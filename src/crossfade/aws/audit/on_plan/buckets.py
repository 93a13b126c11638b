"""Buckets and registries of a plan, whose settings are resources of their own."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.statements import denies_plain
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

_ACCOUNT = "aws_s3_account_public_access_block"
CLOSED = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def not_versioned(inventory: Inventory) -> Iterator[Mark]:
    for bucket in inventory.of("aws_s3_bucket"):
        found = _settings(inventory, bucket, "aws_s3_bucket_versioning")
        enabled = any(first(one.values, "versioning_configuration", "status") == "Enabled" for one in found)
        if not enabled and not is_on(first(bucket.values, "versioning", "enabled")):
            yield Mark(bucket.address, "no aws_s3_bucket_versioning enables it")


def can_be_public(inventory: Inventory) -> Iterator[Mark]:
    """Unless the whole account is closed."""
    if any(all(is_on(one.values.get(key)) for key in CLOSED) for one in inventory.of(_ACCOUNT)):
        return
    for bucket in inventory.of("aws_s3_bucket"):
        found = _settings(inventory, bucket, "aws_s3_bucket_public_access_block")
        if not found:
            yield Mark(bucket.address, "no aws_s3_bucket_public_access_block closes it")
        for one in found:
            if left := [key for key in CLOSED if not is_on(one.values.get(key))]:
                yield Mark(one.address, f"not true: {', '.join(left)}")


def encryption_unsaid(inventory: Inventory) -> Iterator[Mark]:
    kind = "aws_s3_bucket_server_side_encryption_configuration"
    for bucket in inventory.of("aws_s3_bucket"):
        own = blocks(bucket.values, "server_side_encryption_configuration")
        if not own and not _settings(inventory, bucket, kind):
            yield Mark(bucket.address, f"no {kind}")


def _settings(inventory: Inventory, bucket: Resource, kind: str) -> tuple[Resource, ...]:
    return settings(inventory, bucket, kind, "bucket", str(bucket.values.get("bucket", "")))


def moving_tags(inventory: Inventory) -> Iterator[Mark]:
    for registry in inventory.of("aws_ecr_repository"):
        if not str(registry.values.get("image_tag_mutability", "MUTABLE")).startswith("IMMUTABLE"):
            yield Mark(registry.address, "image_tag_mutability is MUTABLE")


def not_scanned(inventory: Inventory) -> Iterator[Mark]:
    if any(inventory.of("aws_ecr_registry_scanning_configuration")):
        return
    for registry in inventory.of("aws_ecr_repository"):
        if not is_on(first(registry.values, "image_scanning_configuration", "scan_on_push")):
            yield Mark(registry.address, "scan_on_push is not true")


def kept_for_ever(inventory: Inventory) -> Iterator[Mark]:
    for registry in inventory.of("aws_ecr_repository"):
        name = str(registry.values.get("name", ""))
        if not settings(inventory, registry, "aws_ecr_lifecycle_policy", "repository", name):
            yield Mark(registry.address, "no aws_ecr_lifecycle_policy")


def plain_reads(inventory: Inventory) -> Iterator[Mark]:
    for bucket in inventory.of("aws_s3_bucket"):
        inside = (bucket,) if "policy" in bucket.values else ()  # else the provider only reads it
        policies = (*inside, *_settings(inventory, bucket, "aws_s3_bucket_policy"))
        if not any(denies_plain(inventory, each) for each in policies):
            yield Mark(bucket.address, "no policy denies what comes without TLS (aws:SecureTransport)")


CHECKS = {
    "CF-DAT-020": plain_reads,
    "CF-DAT-009": not_versioned,
    "CF-DAT-010": can_be_public,
    "CF-DAT-011": encryption_unsaid,
    "CF-IMG-001": moving_tags,
    "CF-IMG-002": not_scanned,
    "CF-IMG-003": kept_for_ever,
}
