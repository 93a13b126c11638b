"""Releases and rollouts as an order makes them of a service, its artifact and what is on record."""

import hashlib
import json
from dataclasses import replace

from crossfade.controller.order import Order
from crossfade.core.errors import UnchangedError
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import SITE, Service, StrategyName
from crossfade.core.wire import encode
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.runtime import Artifact


def release_of(ledger: Ledger, service: Service, artifact: Artifact, order: Order, secrets: str = "") -> Release:
    """The service's next release; `secrets` is the mark of its values.

    UnchangedError when exactly this runs already, unless forced.
    """
    settings = json.dumps(encode(_settings(service)), sort_keys=True).encode()
    release = Release(
        number=ledger.next_number,
        service=service,
        version=order.version or artifact.version or f"r{ledger.next_number}",
        digest=artifact.digest,
        config_hash=hashlib.sha256(settings).hexdigest()[:12],
        git_sha=artifact.git_sha,
        path=order.path,
        secrets=secrets,
        by=order.by,
    )
    if ledger.current is not None and not order.force:
        runs = ledger.release(ledger.current)
        # By value, not by hash: what a newer crossfade knows beside that changes nothing where nobody asked for it.
        same = _settings(runs.service) == _settings(service)
        if same and (runs.digest, runs.secrets) == (release.digest, release.secrets):
            raise UnchangedError(
                "; ".join([f"release {runs.label} of {ledger.service} already runs exactly this", *artifact.notes]),
                "change something, or use --force to deploy it again",
            )
    return release


def _settings(service: Service) -> Service:
    """What of it two releases may differ in, beside what they are made of.

    Elsewhere each may have been made in a folder of its own: jobs of CI have a new one every time.
    """
    strategy = replace(service.strategy, keep_assets=0.0)  # of the release before, once there is a next one
    same = replace(service, takes=(), cache=(), built_from=(), strategy=strategy)
    if not service.environment:
        return same
    same = replace(same, container=replace(service.container, build=None))
    return replace(same, source="", build="") if service.runtime == SITE else same


def back_by_name(ledger: Ledger, release: Release, heir: str, order: Order, now: float) -> Release:
    """A release of a service whose place another one, `heir`, took: as a new one, which takes the place back."""
    return replace(
        release,
        number=ledger.next_number,
        service=replace(release.service, was=heir.rpartition("/")[2], takes=((heir, now),)),
        by=order.by,
        at=0.0,
        outcome=Outcome.PENDING,
        migrated=False,
    )


def rollout_to(ledger: Ledger, release: Release, order: Order, now: float) -> Rollout:
    """The journey from what runs to `release`."""
    return ledger.rollout_to(release, order.by, now)


def rollback_to(ledger: Ledger, release: Release, order: Order, now: float) -> Rollout:
    """The same to one that was there before: all at once, without hooks; what must not run twice still does not."""
    rollout, strategy = rollout_to(ledger, release, order, now), release.service.strategy
    name: StrategyName = "recreate" if strategy.name == "recreate" else "rollback"
    strategy = replace(strategy, name=name, bake=0.0, approve=())
    return replace(rollout, strategy=strategy, back=True, hooks=())
