"""Secrets; keys and the watchers of an account are in the catalogue."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.file.cloud.month import Month


def security(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    stored = list(inventory.of("aws_secretsmanager_secret"))
    # A copy in another region is billed as a secret of its own: https://aws.amazon.com/secrets-manager/pricing/.
    copies = sum(len(blocks(each.values, "replica")) for each in stored)
    secrets = [each.address for each in stored]
    # RDS keeps the password of its first user in a secret of its own, which no resource stands for.
    secrets += [
        each.address for each in inventory.of("aws_db_instance") if each.values.get("manage_master_user_password")
    ]
    if secrets:
        yield Charge(
            area="Security",
            item="Secrets",
            quantity=Amount.of(len(secrets) + copies),
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
