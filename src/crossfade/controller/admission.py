"""May this be done now? What is refused, and in which words. Nothing here changes anything."""

from collections.abc import Iterable, Mapping

from crossfade.controller.order import Order
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.release import Outcome, Release
from crossfade.core.service import Service
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.balancer import Exposed
from crossfade.strategies.several.clash import Tenants
from crossfade.telling.text import clock

_KINDS = {"web": "web service", "worker": "worker"}


def thawed(ledger: Ledger, order: Order) -> None:
    """RefusedError while the service is locked, unless forced."""
    if ledger.freeze and not order.force:
        held, why = ledger.freeze, ledger.freeze.reason or "no reason given"
        raise RefusedError(
            f"{ledger.service} has been locked by {held.by} since {clock(held.since)}: {why}",
            "`crossfade lock --release` unlocks it",
        )


def running(ledger: Ledger) -> Release:
    """The release that runs; RefusedError when there is none."""
    if ledger.current is None:
        raise RefusedError(f"nothing of {ledger.service} runs", "deploy a release: `crossfade deploy`")
    return ledger.release(ledger.current)


def idle(ledger: Ledger, way_out: str) -> None:
    """RefusedError while a rollout is under way."""
    if ledger.active:
        raise RefusedError(busy(ledger), way_out)


def under_way(ledger: Ledger) -> None:
    """RefusedError when there is no rollout that an order could be meant for."""
    if not ledger.active:
        raise RefusedError(f"no rollout of {ledger.service} is under way", "`crossfade status` shows what runs")


def may_begin(ledger: Ledger, order: Order, *, can_supersede: bool = True) -> None:
    """RefusedError when a rollout may not begin now: locked, or another one runs and is not to be superseded.

    `can_supersede`: the order is of a kind that may, and is told how.
    """
    thawed(ledger, order)
    if not order.supersede:
        idle(ledger, way_past("take it back first", can_supersede=can_supersede))


def way_past(first: str, *, can_supersede: bool) -> str:
    """What to do about what is in an order's way; `first` is what --supersede does with it, where that can be said."""
    wait, abort = "wait for it", "`crossfade abort` it"
    return f"{wait}, {abort}, or use --supersede to {first}" if can_supersede else f"{wait}, or {abort}"


def apart(services: Iterable[Service], known: Mapping[str, Exposed], leaving: Iterable[str] = ()) -> None:
    """RefusedError when a service could not be reached beside another: one of `known`, or one it goes out with.

    `leaving` are keys whose present routes do not count, because they change in the same deploy.
    """
    wanted = {service.key: service for service in services if service.kind == "web"}
    gone = {*leaving, *wanted}
    tenants = Tenants(one.service for key, one in known.items() if key not in gone)
    for service in wanted.values():
        if clash := tenants.clash(service):
            found, other = clash
            way_out = found.way_out
            if other.app == service.app and other.key not in wanted:
                way_out += (
                    f"; if {other.key} is no longer in the file, `crossfade down {other.key}` ends it, and "
                    f"`was: {other.name}` lets {service.name} take its place without a gap"
                )
            raise RefusedError(found.cause, way_out)
        tenants.add(service)


def destination(ledger: Ledger, to: str, order: Order) -> Release:
    """The release that a rollback to `to` goes to. RefusedError for one that is no way back."""
    if to == "previous" and ledger.previous is None:
        raise RefusedError(
            f"{ledger.service} has no other good release to go back to", "deploy one: `crossfade deploy`"
        )
    target = ledger.select(to)
    if target.number == ledger.current:
        raise RefusedError(f"release {target.label} is the one that runs", "name another: `crossfade releases`")
    if target.outcome is not Outcome.GOOD and not order.force:
        raise RefusedError(
            f"release {target.label} is {target.outcome}{': ' + target.why if target.why else ''}",
            "`--force` goes there anyway",
        )
    same_kind(ledger, target.service)
    has_files(ledger, target)
    unmigrated([r for r in ledger.releases if r.number > target.number], target, order)
    return target


def unmigrated(later: Iterable[Release], target: Release, order: Order) -> None:
    """RefusedError when a later release changed the database; the same schema version on both is no change."""
    found = [r for r in later if r.migrated and not (r.schema and r.schema == target.schema)]
    if found and not order.force:
        raise RefusedError(
            f"release {found[-1].label} migrated the database after release {target.label} was made: "
            "the older code may not understand it",
            "restore a backup or deploy a fix; `--force` goes back anyway",
        )


def has_files(ledger: Ledger, release: Release) -> None:
    """RefusedError for a release whose files retention took."""
    if release.number in ledger.removed_artifacts:
        raise RefusedError(
            f"the files of release {release.label} were removed: "
            f"kept are the newest {release.service.retain} good releases and those with a tag",
            "deploy it again from its commit, and `crossfade tag` what must stay",
        )


def same_kind(ledger: Ledger, service: Service) -> None:
    """RefusedError for a service that runs as something else: traffic cannot be led from or to a worker."""
    if ledger.current is None and not ledger.active:
        return
    if ledger.kind != service.kind:
        raise RefusedError(
            f"{service.key} runs as a {_KINDS[ledger.kind]} and is to be a {_KINDS[service.kind]}",
            f"give it another name, or `crossfade down {service.key}` first",
        )


def tag_name(tag: str) -> None:
    """WrongInputError for a tag that could be taken for something else."""
    if tag in {"latest", "previous"} or tag.isdecimal() or tag.startswith("sha-"):
        raise WrongInputError(f"'{tag}' already means something else", "choose another name, such as stable-2026-11")


def busy(ledger: Ledger) -> str:
    """Who has a rollout under way, and since when."""
    rollout = ledger.active
    if rollout is None:
        return f"{ledger.service} is busy"
    return (
        f"rollout {rollout.id} of {ledger.service} to release {ledger.release(rollout.target).label} "
        f"by {rollout.by or 'somebody'} has been {rollout.state.replace('_', ' ')} since {clock(rollout.started_at)}"
    )
