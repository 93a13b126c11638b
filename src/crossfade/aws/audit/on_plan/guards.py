"""Guards of an account that a plan switches off, for all that is there and whatever made it."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.limits import LEAST_PASSWORD
from crossfade.aws.audit.on_plan.buckets import CLOSED
from crossfade.aws.audit.on_plan.switch import is_on, number
from crossfade.aws.resources.inventory import Inventory

# Where each guard is switched, and what switches it off.
_OFF = (
    ("aws_config_configuration_recorder_status", "is_enabled", False),
    ("aws_ebs_encryption_by_default", "enabled", False),
    ("aws_ebs_snapshot_block_public_access", "state", "unblocked"),
    ("aws_ec2_image_block_public_access", "state", "unblocked"),
    ("aws_emr_block_public_access_configuration", "block_public_security_group_rules", False),
    ("aws_guardduty_detector", "enable", False),
    ("aws_macie2_account", "status", "PAUSED"),
)
_SHARING = "/ssm/documents/console/public-sharing-permission"


def switched_off(inventory: Inventory) -> Iterator[Mark]:
    for kind, key, off in _OFF:
        for guard in inventory.of(kind):
            if guard.values.get(key) == off:
                yield Mark(guard.address, f"{key} is {str(off).lower() if off is False else off}")
    for block in inventory.of("aws_s3_account_public_access_block"):
        if missing := [key for key in CLOSED if not is_on(block.values.get(key))]:
            yield Mark(block.address, f"not true: {', '.join(missing)}")
    for setting in inventory.of("aws_ssm_service_setting"):
        said = (str(setting.values.get("setting_id")), setting.values.get("setting_value"))
        if said[0].endswith(_SHARING) and said[1] == "Enable":
            yield Mark(setting.address, "documents may be shared with everybody")


def weak_passwords(inventory: Inventory) -> Iterator[Mark]:
    for policy in inventory.of("aws_iam_account_password_policy"):
        least = number(policy.values.get("minimum_password_length", 6)) or 0
        if least < LEAST_PASSWORD:
            yield Mark(policy.address, f"minimum_password_length is {least}")


CHECKS = {"CF-ACC-006": weak_passwords, "CF-ACC-010": switched_off}
