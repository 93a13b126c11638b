"""Secrets, keys, and the watchers of the account."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.cloud.usage import Usage

# Billed by the month, one line for all of a kind.
_MONTHLY = (
    ("Keys of KMS", "aws_kms_key", "kms.key-month", "keys"),
    ("CloudTrail", "aws_cloudtrail", "cloudtrail.trail-month", "trails"),
    ("GuardDuty", "aws_guardduty_detector", "guardduty.month", "detectors"),
)


def security(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    secrets = [each.address for each in inventory.of("aws_secretsmanager_secret")]
    # RDS keeps the password of its first user in a secret of its own, which no resource stands for.
    secrets += [
        each.address for each in inventory.of("aws_db_instance") if each.values.get("manage_master_user_password")
    ]
    if secrets:
        yield Charge(
            area="Security",
            item="Secrets",
            quantity=Amount.of(len(secrets)),
            unit="secrets",
            rate=once("secrets.secret-month"),
            addresses=tuple(secrets),
        )
        yield Charge(
            area="Security",
            item="Secrets, reads",
            quantity=Amount.of(usage.secret_calls).over(10_000),
            unit="10,000 reads",
            rate=once("secrets.calls-10k"),
            addresses=tuple(secrets),
            assumes=f"{usage.secret_calls:,} reads",
            usage="secret_calls",
        )
    for item, kind, key, unit in _MONTHLY:
        for each in inventory.of(kind):
            yield Charge(
                area="Security",
                item=item,
                quantity=Amount.of(1),
                unit=unit,
                rate=once(key),
                addresses=(each.address,),
            )
