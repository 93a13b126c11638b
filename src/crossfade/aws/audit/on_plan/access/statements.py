"""Policy statements of a plan that allow something, whoever they are given to and however they are written."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
_ANYTHING = ("*",)  # what is left of NotAction and NotResource: all but a little

Fence = tuple[tuple[str, ...], tuple[str, ...]]  # patterns of actions, and of resources


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
    fences: tuple[Fence, ...] = ()

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

    def _is_within(self, fence: Fence) -> bool:
        actions, resources = fence
        asked = _ANYTHING if self.all_but else self.actions
        acted = all(any(covers(each, action) for each in actions) for action in asked)
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
            yield replace(statement, address=resource.address)


def parsed(address: str, text: Any) -> Iterator[Statement]:
    """Those of a policy as JSON. Nothing where it is not known yet, or is nothing that AWS would take."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return
    every = listed(document.get("Statement") if isinstance(document, dict) else None)
    yield from _allowed(address, [_in_json(found) for found in every if isinstance(found, dict)])


def of_document(document: Resource) -> Iterator[Statement]:
    """Those of an aws_iam_policy_document that names what does not exist yet, as far as they are known."""
    yield from _allowed(document.address, [_in_blocks(found) for found in blocks(document.values, "statement")])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A statement as it stands there, in JSON or in blocks. `tests` are (operator, condition) pairs.

    `but` are those of Action, Resource and Principal that it names by what they are not, as with NotAction.
    """

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    tests: tuple[tuple[str, Condition], ...]
    but: frozenset[str]

    @property
    def takes_away(self) -> bool:
        """Whether it forbids its actions everywhere and always."""
        return self.effect == "Deny" and not self.tests and "*" in self.resources

    @property
    def is_fence(self) -> bool:
        """Whether it forbids all but some: as AWS's own pages let a network or an organisation in."""
        everybody = self.effect == "Deny" and any(who == "*" for _, who in self.principals)
        known = "Resource" not in self.but and bool(self.tests)
        return everybody and known and all(_is_but_some(*test) for test in self.tests)


def _allowed(address: str, every: list[_Written]) -> Iterator[Statement]:
    """What a policy allows, with what it takes away again."""
    denied = tuple(action for one in every if one.takes_away for action in one.actions)
    fences = tuple((one.actions, one.resources or _ANYTHING) for one in every if one.is_fence)
    for one in every:
        if one.effect == "Allow":
            yield Statement(
                address,
                actions=one.actions,
                resources=_ANYTHING if "Resource" in one.but else one.resources,
                principals=_ALL_BUT_SOME if "Principal" in one.but else one.principals,
                conditions=tuple(condition for operator, condition in one.tests if _must_be(operator, condition[0])),
                all_but="Action" in one.but,
                denied=denied,
                fences=fences,
            )


def _in_json(found: Mapping[str, Any]) -> _Written:
    return _Written(
        effect=str(found.get("Effect")),
        actions=_texts(found.get("Action")),
        resources=_texts(found.get("Resource")),
        principals=tuple(_principals(found.get("Principal"))),
        tests=tuple(_tests(found.get("Condition"))),
        but=frozenset(part for part in ("Action", "Resource", "Principal") if f"Not{part}" in found),
    )


def _in_blocks(found: Mapping[str, Any]) -> _Written:
    excepted = {"Action": "not_actions", "Resource": "not_resources", "Principal": "not_principals"}
    return _Written(
        effect=str(found.get("effect") or "Allow"),
        actions=_texts(found.get("actions")),
        resources=_texts(found.get("resources")),
        principals=tuple(_identified(found)),
        tests=tuple(
            (str(one.get("test")).lower(), (str(one.get("variable")).lower(), _texts(one.get("values")) or _LATER))
            for one in blocks(found, "condition")
        ),
        but=frozenset(part for part, key in excepted.items() if found.get(key)),
    )


def _is_but_some(operator: str, condition: Condition) -> bool:
    """A test that everybody passes but those it names, or services of AWS that come for them."""
    key, values = condition
    if key in _OF_SERVICES:
        return operator.startswith("bool") and [value.lower() for value in values] == ["false"]
    # `ForAnyValue` is false of who has no value at all, such as an account of no organisation.
    return "not" in operator and not operator.startswith("foranyvalue") and keeps_strangers_out(condition)


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


def _tests(value: Any) -> Iterator[tuple[str, Condition]]:
    for operator, tested in value.items() if isinstance(value, Mapping) else ():
        for key, values in tested.items() if isinstance(tested, Mapping) else ():
            yield str(operator).lower(), (str(key).lower(), _texts(values))


def _must_be(operator: str, key: str) -> bool:
    """Of `StringNotEquals` and its kind everybody else is let in; and who asks need not say so with `...IfExists`."""
    named = tells_who(key) or key.rpartition(":")[2] in _NO_KEYS
    loose = operator == "null" or operator.endswith("ifexists") or operator.startswith("forallvalues")
    return "not" not in operator and not (loose and named)
