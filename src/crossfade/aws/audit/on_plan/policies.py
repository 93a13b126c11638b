"""What roles of a plan may do: each statement of each policy that is known."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.resources.inventory import Inventory, blocks

_POLICIES = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
_ATTACHMENTS = (
    *("aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment"),
    *("aws_iam_group_policy_attachment", "aws_iam_policy_attachment"),
)
# Policies that AWS keeps, by what is found in one written out:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_MANAGED = {
    "AdministratorAccess": "CF-SEC-003",
    "IAMFullAccess": "CF-SEC-003",
    "SecretsManagerReadWrite": "CF-SEC-004",
    "PowerUserAccess": "CF-SEC-005",
}
_WHOLE_SERVICE = re.compile(r"[a-z0-9-]+:\*")
# Actions that AWS takes no narrower resource for, so that `*` is all one can write.
_NO_RESOURCE = frozenset({"ssmmessages:*", "ec2messages:*"})
_EVERY_SECRET = re.compile(r"\*|arn:aws[\w-]*:secretsmanager:[^:]*:[^:]*:(?:secret:)?\*")


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One statement that allows something. `limited` by a condition."""

    address: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    limited: bool
    all_but: bool  # NotAction: everything else

    def permits(self, action: str) -> str:
        """The pattern that covers an action, unless that is everything, which is a finding of its own."""
        return next((one for one in self.actions if one not in {"*", "*:*"} and _covers(one, action)), "")

    @property
    def anywhere(self) -> bool:
        return "*" in self.resources


def _covers(pattern: str, action: str) -> bool:
    """IAM's own wildcards, whose letters have no case."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), action, re.IGNORECASE) is not None


def _statements(inventory: Inventory) -> Iterator[_Allowed]:
    for policy in inventory.of(*_POLICIES):
        yield from _allowed(policy.address, policy.values.get("policy"))
    for role in inventory.of("aws_iam_role"):
        for inline in blocks(role.values, "inline_policy"):
            yield from _allowed(role.address, inline.get("policy"))
    for document in inventory.of("aws_iam_policy_document"):  # data, as far as its statements are known
        for statement in blocks(document.values, "statement"):
            if statement.get("effect") in {None, "Allow"}:
                yield _Allowed(
                    document.address,
                    actions=tuple(map(str, statement.get("actions") or ())),
                    resources=tuple(map(str, statement.get("resources") or ())),
                    limited=bool(statement.get("condition")),
                    all_but=bool(statement.get("not_actions")),
                )


def _allowed(address: str, text: Any) -> Iterator[_Allowed]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return  # not known yet, or nothing that AWS would take
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in _list(statements):
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            yield _Allowed(
                address,
                actions=tuple(map(str, _list(statement.get("Action")))),
                resources=tuple(map(str, _list(statement.get("Resource")))),
                limited=bool(statement.get("Condition")),
                all_but="NotAction" in statement,
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _attached(inventory: Inventory, rule: str) -> Iterator[Mark]:
    """Policies of AWS's own that are given to somebody."""
    given = [(one.address, one.values.get("policy_arn")) for one in inventory.of(*_ATTACHMENTS)]
    given += [(role.address, arn) for role in inventory.of("aws_iam_role") for arn in _managed(role.values)]
    for address, arn in given:
        name = str(arn).rpartition("/")[2]
        if str(arn).split(":")[3:5] == ["", "aws"] and _MANAGED.get(name) == rule:
            yield Mark(address, f"gives {name}")


def _managed(values: Any) -> list[Any]:
    return _list(values.get("managed_policy_arns"))


def everything(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-003")
    for one in _statements(inventory):
        if one.all_but and one.anywhere:
            yield Mark(one.address, "allows all but some actions (NotAction) on *")
        elif not {"*", "*:*"}.isdisjoint(one.actions):
            yield Mark(one.address, f"allows * on {', '.join(one.resources)}")


def every_secret(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-004")
    for one in _statements(inventory):
        pattern = one.permits("secretsmanager:GetSecretValue")
        wide = [resource for resource in one.resources if _EVERY_SECRET.fullmatch(resource)]
        if pattern and wide and not one.limited:
            yield Mark(one.address, f"allows {pattern} on {wide[0]}")


def whole_services(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-005")
    for one in _statements(inventory):
        whole = [action for action in one.actions if _WHOLE_SERVICE.fullmatch(action) and action not in _NO_RESOURCE]
        if whole and one.anywhere and not one.limited:
            yield Mark(one.address, f"allows {', '.join(whole)} on *")


def any_role(inventory: Inventory) -> Iterator[Mark]:
    for one in _statements(inventory):
        if (pattern := one.permits("iam:PassRole")) and one.anywhere and not one.limited:
            yield Mark(one.address, f"allows {pattern} on *")


CHECKS = {
    "CF-SEC-003": everything,
    "CF-SEC-004": every_secret,
    "CF-SEC-005": whole_services,
    "CF-SEC-006": any_role,
}
