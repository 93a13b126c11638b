"""Policy statements of a plan that allow something, whoever they are given to and however they are written."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crossfade.aws.audit.on_plan.access.conditions import Condition, keeps_strangers_out, limits, tells_who
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource

# Everything of an account or a service, also with what an ARN may leave out: *, arn:aws:iam::*, arn:aws:s3:::*/*.
_EVERYTHING = re.compile(r"\*+|arn:[^:]*(?::[^:]*){0,3}|arn:[^:]*:[^:]*:[^:]*:[^:]*:[*/]+")
# All that there is of a kind: arn:aws:dynamodb:*:*:table/*. Of these services an ARN goes on with a name, and no kind.
_ALL_OF_A_KIND = re.compile(
    r"arn:[^:]*:(?!(?:s3|sns|sqs|execute-api):)[^:]*:[^:]*:[^:]*:[A-Za-z-]+[:/]\*+"
    r"|arn:[^:]*:iam:[^:]*:[^:]*:(?:user|role|group|policy)\*+"
)

_DOCUMENT = "aws_iam_policy_document"
_PARTS = ("source_policy_documents", "override_policy_documents")  # of a document that others go into
_ALL_BUT_SOME = (("*", "*"),)  # who NotPrincipal lets in
_LATER = ("known after the apply",)  # values of a condition of which the plan has not even how many there are
_NO_KEYS = frozenset({"repository_owner", "repository_owner_id"})  # claims that IAM does not read, so never there
_OF_SERVICES = frozenset({"aws:viaawsservice", "aws:principalisawsservice"})
_ANYWHERE = ("*",)  # where NotResource lets somebody do something: everywhere but there


Fence = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with Effect Allow. `principals` are (kind, who) pairs: ("AWS", "*"); none in a role's own policy.

    `conditions` are the values by condition key, in lower-case letters. `all_but` says NotAction: everything else.
    `denied` are patterns of actions that the same policy forbids everywhere, whoever asks and however; `fences` are
    actions and resources that it forbids to all but some.
    """

    address: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    all_but: bool = False
    denied: tuple[str, ...] = ()
    fences: tuple["Fence", ...] = ()

    @property
    def limited(self) -> bool:
        """A condition on how or when somebody asks leaves them all that is there."""
        return any(map(limits, self.conditions))

    @property
    def anywhere(self) -> bool:
        return any(map(_EVERYTHING.fullmatch, self.resources))

    @property
    def widely(self) -> bool:
        """Everywhere, or on all that there is of a kind: arn:aws:iam::*:role/*."""
        return self.anywhere or any(map(_ALL_OF_A_KIND.fullmatch, self.resources))

    @property
    def everything(self) -> bool:
        return not {"*", "*:*"}.isdisjoint(self.actions) and not self.forbids("*")

    @property
    def anybody(self) -> bool:
        """True when any AWS account, or nobody at all, may use it: `Principal: *` without a condition on who asks."""
        if not any(who == "*" and kind in {"*", "AWS"} for kind, who in self.principals):
            return False
        return not any(map(keeps_strangers_out, self.conditions)) and not any(map(self._is_within, self.fences))

    def _is_within(self, fence: "Fence") -> bool:
        actions, resources = fence
        acted = all(any(covers(each, action) for each in actions) for action in self.actions)
        return acted and all(any(covers(each, resource) for each in resources) for resource in self.resources)

    def permits(self, action: str) -> str:
        """The pattern that covers an action, unless that is everything, which is a finding of its own, or forbidden."""
        if self.forbids(action):
            return ""
        return next((one for one in self.actions if one not in {"*", "*:*"} and covers(one, action)), "")

    def forbids(self, action: str) -> bool:
        """Whether the policy takes an action, or all that a pattern covers, away again."""
        return any(covers(pattern, action) for pattern in self.denied)


def covers(pattern: str, action: str) -> bool:
    """IAM's own wildcards, whose letters have no case."""
    return _read(pattern).fullmatch(action) is not None


@lru_cache(maxsize=1 << 12)
def _read(pattern: str) -> re.Pattern[str]:
    """Once for all the actions that it is asked about: a third of an audit's time went into reading it again."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.IGNORECASE)


def statements(inventory: Inventory, resource: Resource, key: str = "policy") -> Iterator[Statement]:
    """Those of the policy under `key`: its text, or as far as it is known the document that it will come from."""
    if (text := resource.values.get(key)) is not None:
        yield from parsed(resource.address, text)
        return
    for document in documents(inventory, resource, key):
        for statement in of_document(document):
            yield Statement(
                resource.address,
                statement.actions,
                statement.resources,
                statement.principals,
                statement.conditions,
                statement.all_but,
                statement.denied,
                statement.fences,
            )


def parsed(address: str, text: Any) -> Iterator[Statement]:
    """Those of a policy as JSON. Nothing where it is not known yet, or is nothing that AWS would take."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return
    every = listed(document.get("Statement") if isinstance(document, dict) else None)
    denied = tuple(action for found in every for action in _taken_away(found))
    fences = tuple(_fenced_off(found) for found in every if _is_fence(found))
    for found in every:
        if isinstance(found, dict) and found.get("Effect") == "Allow":
            yield Statement(
                address,
                actions=_texts(found.get("Action")),
                resources=_ANYWHERE if "NotResource" in found else _texts(found.get("Resource")),
                principals=_ALL_BUT_SOME if "NotPrincipal" in found else tuple(_principals(found.get("Principal"))),
                conditions=tuple(_conditions(found.get("Condition"))),
                all_but="NotAction" in found,
                denied=denied,
                fences=fences,
            )


def _is_fence(found: Any) -> bool:
    """Whether a statement forbids something to all but some: as AWS's own pages let a network or an organisation in."""
    if not isinstance(found, dict) or found.get("Effect") != "Deny" or ("*", "*") not in _everybody(found):
        return False
    tested = found.get("Condition")
    return bool(tested) and all(
        _is_but_some(str(operator).lower(), (str(key).lower(), _texts(values)))
        for operator, keys in (tested.items() if isinstance(tested, Mapping) else ())
        for key, values in (keys.items() if isinstance(keys, Mapping) else ())
    )


def _everybody(found: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {("*", who) for _, who in _principals(found.get("Principal"))}


def _is_but_some(operator: str, condition: Condition) -> bool:
    """A test that everybody passes but those it names, or services of AWS that come for them."""
    if condition[0] in _OF_SERVICES:
        return operator.startswith("bool")
    return "not" in operator and keeps_strangers_out(condition)


def _fenced_off(found: Mapping[str, Any]) -> Fence:
    return _texts(found.get("Action")), _texts(found.get("Resource")) or _ANYWHERE


def _taken_away(found: Any) -> tuple[str, ...]:
    """What a statement forbids everywhere and always."""
    if not isinstance(found, dict) or found.get("Effect") != "Deny" or found.get("Condition"):
        return ()
    return _texts(found.get("Action")) if "*" in listed(found.get("Resource")) else ()


def of_document(document: Resource) -> Iterator[Statement]:
    """Those of an aws_iam_policy_document that names what does not exist yet, as far as they are known."""
    every = blocks(document.values, "statement")
    denied = tuple(
        action
        for found in every
        if found.get("effect") == "Deny" and not blocks(found, "condition") and "*" in listed(found.get("resources"))
        for action in _texts(found.get("actions"))
    )
    fences = tuple(_fence_of(found) for found in every if found.get("effect") == "Deny" and _keeps_out(found))
    for found in every:
        if found.get("effect") not in {None, "Allow"}:
            continue
        yield Statement(
            document.address,
            actions=_texts(found.get("actions")),
            resources=_ANYWHERE if found.get("not_resources") else _texts(found.get("resources")),
            principals=_ALL_BUT_SOME if blocks(found, "not_principals") else tuple(_identified(found)),
            conditions=tuple(_tested(found)),
            all_but=bool(found.get("not_actions")),
            denied=denied,
            fences=fences,
        )


def _keeps_out(found: Mapping[str, Any]) -> bool:
    """As `_is_fence`, of a document."""
    everybody = any(who == "*" for _, who in _identified(found))
    tested = blocks(found, "condition")
    return (
        everybody
        and bool(tested)
        and all(
            _is_but_some(
                str(one.get("test")).lower(), (str(one.get("variable")).lower(), _texts(one.get("values")) or _LATER)
            )
            for one in tested
        )
    )


def _fence_of(found: Mapping[str, Any]) -> Fence:
    return _texts(found.get("actions")), _texts(found.get("resources")) or _ANYWHERE


def documents(inventory: Inventory, resource: Resource, key: str) -> tuple[Resource, ...]:
    """The documents that a policy comes from, with those that these are made of."""
    found = {document.address: document for document in inventory.referred(resource, key, _DOCUMENT)}
    waiting = list(found.values())
    while waiting:
        one = waiting.pop()
        for part in (each for name in _PARTS for each in inventory.referred(one, name, _DOCUMENT)):
            if part.address not in found:
                found[part.address] = part
                waiting.append(part)
    return tuple(found.values())


def _identified(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in blocks(found, "principals"):
        for who in listed(one.get("identifiers")):
            yield str(one.get("type")), str(who)


def denies_plain(inventory: Inventory, resource: Resource) -> bool:
    """Whether the policy of a bucket keeps out who comes without TLS. True also where it is known only later."""
    if (text := resource.values.get("policy")) is not None:
        return any(_of_transport(key) for key in _denied(text))
    found = documents(inventory, resource, "policy")
    if any("statement" in document.unknown for document in found):  # one of a `dynamic` block hides all of them
        return True
    said = [
        str(test.get("variable"))
        for document in found
        for one in blocks(document.values, "statement")
        if one.get("effect") == "Deny"
        for test in blocks(one, "condition")
    ]
    return any(map(_of_transport, said)) or ("policy" in resource.unknown and not found)


def _denied(text: Any) -> Iterator[str]:
    """The condition keys of what is denied."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return
    for found in listed(document.get("Statement") if isinstance(document, dict) else None):
        if isinstance(found, dict) and found.get("Effect") == "Deny" and isinstance(found.get("Condition"), dict):
            for tested in found["Condition"].values():
                yield from map(str, tested if isinstance(tested, dict) else ())


def _of_transport(key: str) -> bool:
    return key.lower() in {"aws:securetransport", "s3:tlsversion"}


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, listed(value)))


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield "*", value
    elif isinstance(value, Mapping):
        for kind, who in value.items():
            for one in listed(who):
                yield str(kind), str(one)
        return
    for one in listed(value):
        yield "*", str(one)


def _conditions(value: Any) -> Iterator[Condition]:
    for operator, tested in value.items() if isinstance(value, Mapping) else ():
        for key, values in tested.items() if isinstance(tested, Mapping) else ():
            if _must_be(str(operator).lower(), str(key)):
                yield str(key).lower(), _texts(values)


def _tested(found: Mapping[str, Any]) -> Iterator[Condition]:
    for one in blocks(found, "condition"):
        if _must_be(str(one.get("test")).lower(), str(one.get("variable"))):
            yield str(one.get("variable")).lower(), _texts(one.get("values")) or _LATER


def _must_be(operator: str, key: str) -> bool:
    """Of `StringNotEquals` and its kind everybody else is let in; and who asks need not say so with `...IfExists`."""
    named = tells_who(key.lower()) or key.lower().rpartition(":")[2] in _NO_KEYS
    loose = operator == "null" or operator.endswith("ifexists") or operator.startswith("forallvalues")
    return "not" not in operator and not (loose and named)
