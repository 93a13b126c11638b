"""Target groups that a plan would end while visitors are still led to them.

AWS deletes none that a listener or one of its rules names, and says so only once half of the plan is done:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_GROUPS = frozenset({"aws_lb_target_group", "aws_alb_target_group"})
# By type of what leads visitors somewhere, the argument that says where.
_LEADS = {
    "aws_lb_listener": "default_action",
    "aws_alb_listener": "default_action",
    "aws_lb_listener_rule": "action",
    "aws_alb_listener_rule": "action",
}

Entry = Mapping[str, Any]


def groups_in_use(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses of those that AWS would refuse to delete, from a plan as `terraform show -json` has it."""
    entries: Sequence[Entry] = plan.get("resource_changes") or ()
    stays = [entry for entry in entries if entry["type"] in _LEADS and _stays(entry)]
    first, last = _led_to(stays, "before"), _led_to(stays, "after")
    return tuple(entry["address"] for entry in entries if _ends(entry, first, last))


def _stays(entry: Entry) -> bool:
    return entry.get("mode") != "data" and "delete" not in _actions(entry)


def _ends(entry: Entry, first: frozenset[str], last: frozenset[str]) -> bool:
    """One that is replaced goes before anything else is changed, and one that only goes does so at the end."""
    actions = _actions(entry)
    if entry["type"] not in _GROUPS or "delete" not in actions:
        return False
    return (entry["change"].get("before") or {}).get("arn") in (first if actions == ("delete", "create") else last)


def _led_to(leading: Sequence[Entry], side: str) -> frozenset[str]:
    """Every text in what these do. What Terraform forgets leads on as it did."""
    found = set()
    for entry in leading:
        change = entry["change"]
        values = change.get("before" if "forget" in _actions(entry) else side) or {}
        found |= set(_texts(values.get(_LEADS[entry["type"]])))
    return frozenset(found)


def _actions(entry: Entry) -> tuple[str, ...]:
    return tuple(entry["change"]["actions"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)
