"""Roles of a plan for accounts of others: who comes for many customers says for whom with an external id."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.conditions import tells_who
from crossfade.aws.audit.on_plan.access.statements import Statement, statements
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.aws.tables import table

# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
_EXTERNAL_ID = "sts:externalid"
_MFA = "aws:multifactorauthpresent"  # of people, whom no vendor sends
_ACCOUNT = re.compile(r"(?:arn:aws[\w-]*:iam::)?(\d{12})(:root|:(?:role|user)/.*)?")
_ANY_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


@cache
def vendors() -> Mapping[str, str]:
    """Names of vendors by their accounts."""
    read: dict[str, list[str]] = table("crossfade.aws.audit", "vendors.yaml")
    return {account: name for name, accounts in read.items() for account in accounts}


def vendors_without_id(inventory: Inventory) -> Iterator[Mark]:
    for role, one in _trusts(inventory):
        for account in dict.fromkeys(account for account, _ in _accounts(one)):
            if account in vendors():
                yield Mark(role.address, f"{vendors()[account]}, account {account}, takes it on without an external id")


def strange_accounts(inventory: Inventory) -> Iterator[Mark]:
    """Whole accounts of which nothing in the plan says that they belong to the team."""
    own: frozenset[str] | None = None
    for role, one in _trusts(inventory):
        if any(tells_who(key) or key == _MFA for key, _ in one.conditions):
            continue
        for account in dict.fromkeys(account for account, whole in _accounts(one) if whole):
            if account in vendors():
                continue
            own = _own(inventory) if own is None else own
            if account not in own:
                yield Mark(
                    role.address, f"all of account {account} may take it on, and nothing here says that it is yours"
                )


def _trusts(inventory: Inventory) -> Iterator[tuple[Resource, Statement]]:
    """Those that no external id narrows."""
    for role in inventory.of("aws_iam_role"):
        for one in statements(inventory, role, "assume_role_policy"):
            ids = [value for key, values in one.conditions if key == _EXTERNAL_ID for value in values]
            if not any(value.strip("*") for value in ids):
                yield role, one


def _accounts(one: Statement) -> Iterator[tuple[str, bool]]:
    """Accounts that may, and whether all of each."""
    for kind, who in one.principals:
        if kind == "AWS" and (found := _ACCOUNT.fullmatch(who)):
            yield found[1], found[2] in {None, ":root"}


def _own(inventory: Inventory) -> frozenset[str]:
    """Accounts that stand anywhere in the plan but in who is trusted: in its ARNs, providers and organisation."""
    found: set[str] = set()
    for resource in inventory.all:
        for key, value in {**resource.values, **resource.written}.items():
            if key not in {"assume_role_policy", "statement", "description", "tags", "tags_all"}:
                found.update(_numbers(value))
    return frozenset(found)


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _ANY_ACCOUNT.findall(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)


CHECKS = {"CF-SEC-018": vendors_without_id, "CF-SEC-019": strange_accounts}
