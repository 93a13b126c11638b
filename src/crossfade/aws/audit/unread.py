"""Parts of a plan that no check could read, so that nobody takes silence about them for an answer."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.exposed import OWN
from crossfade.aws.audit.on_plan.access.statements import statements
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.plan import Plan
from crossfade.aws.resources.providers import AWS, NOWHERE, provider
from crossfade.aws.resources.resource import Resource

# A text called `content` is a policy in few types, and anything at all in most.
_POLICIES = (*(key for key in OWN if key != "content"), "assume_role_policy", "inline_policy", "inline_policy.policy")
_SCRIPTS = ("user_data", "user_data_base64")
_RULES = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
_IN_BLOCKS = ("ingress.cidr_blocks", "ingress.ipv6_cidr_blocks")  # nobody but the team makes one, by `dynamic` or not
_HASH = re.compile(r"[0-9a-f]{40}")  # what the provider plans of the script of an instance


def unread(plan: Plan) -> Iterator[str]:
    """Sentences, as those of what a plan lacks."""
    others = Counter(map(provider, plan.resources))
    named = [f"{others[name]:,} of {name}" for name in sorted(others.keys() - NOWHERE - {AWS})]
    if named:
        yield f"no rule is about resources of other providers: {', '.join(named)}"
    inventory = Inventory((*plan.resources, *plan.data))
    aws = [one for one in plan.resources if provider(one) == AWS]
    documents = [one for one in plan.data if one.type == "aws_iam_policy_document" and "statement" in one.unknown]
    for what, where in (
        ("policy", [*(one for one in aws if any(_hidden(inventory, one, key) for key in _POLICIES)), *documents]),
        ("description", [one for one in aws if "body" in one.later and one.type.startswith("aws_api")]),
        ("script of the host", [one for one in aws if any(_hidden_script(one, key) for key in _SCRIPTS)]),
        ("text of the containers", [one for one in aws if "container_definitions" in one.later]),
        ("list of who is let in", [one for one in aws if _hidden_rule(one)]),
    ):
        if where:
            yield f"the plan does not have the {what} of {_some(where)}: nobody looked at it"


def undecided(marks: Iterable[Mark]) -> Iterator[str]:
    """Sentences about what only the apply will tell."""
    for mark in marks:
        yield f"only the apply will tell {_subject(mark)} of {mark.address}, so it may be dangerous or not"


def is_open(mark: Mark, resource: Resource | None) -> bool:
    """Whether a mark is about something that the configuration gives and the plan cannot tell."""
    return resource is not None and _subject(mark) in resource.later


def _subject(mark: Mark) -> str:
    """What a mark begins with: the path of the attribute that it is about."""
    return mark.what.partition(" ")[0]


def _hidden(inventory: Inventory, resource: Resource, key: str) -> bool:
    """One that comes from a document is known as far as that is."""
    comes_from = inventory.referred(resource, key, "aws_iam_policy_document")
    return key in resource.later and not comes_from and not any(statements(inventory, resource, key))


def _hidden_script(host: Resource, key: str) -> bool:
    hashed = key not in host.written and _HASH.fullmatch(str(host.values.get(key, "")))
    return key in host.later or bool(hashed)


def _hidden_rule(group: Resource) -> bool:
    return not group.later.isdisjoint(_RULES) or not group.unknown.isdisjoint(_IN_BLOCKS)


def _some(where: Sequence[Resource]) -> str:
    more = f" and {len(where) - 1:,} more" if len(where) > 1 else ""
    return f"{where[0].address}{more}"
