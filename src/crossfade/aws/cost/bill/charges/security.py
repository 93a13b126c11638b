"""Secrets; keys and the watchers of an account are in the catalogue."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.file.cloud.month import Month

# AWS keeps the password of a store's first user in a secret of its own, which no resource stands for.
_MANAGED = {
    "aws_db_instance": "manage_master_user_password",
    "aws_rds_cluster": "manage_master_user_password",
    "aws_docdb_cluster": "manage_master_user_password",
    "aws_redshift_cluster": "manage_master_password",
    "aws_redshiftserverless_namespace": "manage_admin_password",
}


def security(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    stored = list(inventory.of("aws_secretsmanager_secret"))
    # A copy in another region is billed as a secret of its own: https://aws.amazon.com/secrets-manager/pricing/.
    copies = sum(len(blocks(each.values, "replica")) for each in stored)
    secrets = [each.address for each in stored]
    secrets += [each.address for each in inventory.of(*_MANAGED) if each.values.get(_MANAGED[each.type])]
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
