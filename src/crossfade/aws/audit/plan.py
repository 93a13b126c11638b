"""The checks of a plan, run."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial

from crossfade.aws.audit.finding import Finding, Mark
from crossfade.aws.audit.on_plan import (
    attributes,
    buckets,
    capacity,
    data,
    disks,
    edge,
    guards,
    network,
    secrets,
    versions,
    watch,
)
from crossfade.aws.audit.on_plan.access import callers, deputies, exposed, foreign, policies
from crossfade.aws.audit.rule import rules
from crossfade.aws.audit.unread import is_open
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.plan import MISREAD, Plan
from crossfade.aws.resources.resource import Resource
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.stage import is_production
from crossfade.file.reading.problem import Position

Check = Callable[[Inventory], Iterator[Mark]]

# Rule -> what finds it.
OF_PLAN: Mapping[str, Check] = (
    network.CHECKS
    | data.CHECKS
    | disks.CHECKS
    | buckets.CHECKS
    | secrets.CHECKS
    | policies.CHECKS
    | exposed.CHECKS
    | deputies.CHECKS
    | foreign.CHECKS
    | callers.CHECKS
    | edge.CHECKS
    | capacity.CHECKS
    | watch.CHECKS
    | guards.CHECKS
)
# Those that depend on the day.
BY_DAY: Mapping[str, Callable[[Inventory, date], Iterator[Mark]]] = versions.BY_DAY
RULES = frozenset({*OF_PLAN, *BY_DAY, *attributes.attributes()})  # those that look at plans
_STAGE_TAGS = frozenset({"environment", "env", "stage"})


def audit_plan(
    plan: Plan,
    called: str,
    *,
    production: bool | None = None,
    day: date | None = None,
    undecided: list[Mark] | None = None,
) -> Iterator[Finding]:
    """What is dangerous in a plan on `day`, today unless it is given. What only the apply tells comes to `undecided`.

    Whether it is of production, when nobody says, its tags do.
    """
    today = day or datetime.now(UTC).date()
    inventory = Inventory((*plan.resources, *plan.data, *plan.providers))
    strict = _of_production(plan.resources) if production is None else production
    for id_ in sorted(RULES):
        rule = rules()[id_]
        severity = rule.weight(production=strict)
        if severity is None:
            continue
        checks = _checks(id_, today)
        for mark in dict.fromkeys(mark for check in checks for mark in _marks(check, inventory, called)):
            if is_open(mark, inventory.at(mark.address)):
                if undecided is not None:
                    undecided.append(mark)
                continue
            place = Position(called, 1, 1, (mark.address,) if mark.address else ())
            yield Finding(rule=rule, severity=severity, what=mark.what, where=mark.address, place=place)


def _checks(id_: str, day: date) -> Iterator[Check]:
    """What finds a rule: code, a table of attributes, or both."""
    if id_ in OF_PLAN:
        yield OF_PLAN[id_]
    if id_ in BY_DAY:
        yield partial(_on, BY_DAY[id_], day)
    if id_ in attributes.attributes():
        yield partial(attributes.wrong_values, id_)


def _on(check: Callable[[Inventory, date], Iterator[Mark]], day: date, inventory: Inventory) -> Iterator[Mark]:
    return check(inventory, day)


def _marks(check: Check, inventory: Inventory, called: str) -> list[Mark]:
    try:
        return list(check(inventory))
    except MISREAD as error:
        raise WrongInputError(
            f"{called} has a value that no plan has: {error!r}", "make it again: terraform show -json PLAN > plan.json"
        ) from None


def _of_production(resources: tuple[Resource, ...]) -> bool:
    """Strict when a tag says production, and when none says anything."""
    tags = (resource.values.get("tags_all") or resource.values.get("tags") for resource in resources)
    stages = {
        value
        for given in tags
        if isinstance(given, dict)
        for key, value in given.items()
        if key.lower() in _STAGE_TAGS and isinstance(value, str)
    }
    return not stages or any(map(is_production, stages))
