"""What a deploy would do: the same decisions on a simulated fleet in which everything goes well."""

from dataclasses import replace
from typing import Any

from crossfade.core.actions import Action, Advance, Finish, Launch, RunHook, Shift, StartBake, Stop
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.rollout import Hook, Rollout
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service
from crossfade.engine.ledger import Ledger
from crossfade.engine.simulate import Simulation
from crossfade.engine.simulated import Behaviour, World
from crossfade.strategies.phases import phases

BOOT_SECONDS = 2.0  # of a simulated instance until it is healthy


def plan(service: Service, ledger: Ledger | None) -> list[dict[str, Any]]:
    """The steps of deploying `service` now: {"at": seconds from the start, "do": a sentence}, in order.

    Without a ledger it is a first deploy. Instances become healthy after 2 s, hooks take no time, and traffic is
    what a verdict needs: the times are those of the file's own settings.
    """
    source = ledger.current if ledger else None
    target = max((r.number for r in ledger.releases), default=0) + 1 if ledger else 1
    before = ledger.wanted if ledger else 0
    hooks = {Hook.MIGRATE: service.hooks.migrate, Hook.SMOKE: service.hooks.smoke}
    rollout = Rollout(
        id=0,
        service=service.key,
        source=source,
        target=target,
        strategy=replace(service.strategy, approve=()),
        replicas=service.replicas if ledger is None or ledger.replicas is None else ledger.replicas,
        source_replicas=before if source is not None else None,
        drain=service.drain,
        hooks=frozenset(hook for hook, command in hooks.items() if command),
    )
    behaviour = Behaviour(life=((BOOT_SECONDS, Health.HEALTHY),), grace=0.0)
    world = World(_fleet_of(source, before), behaves=lambda _release, _nth: behaviour, requests=1000.0)
    steps: list[dict[str, Any]] = []
    for step in Simulation(rollout, world).run():
        for action in step.actions:
            words = _words(action, service, step.rollout)
            entry = {"at": round(step.at, 1), "do": words}
            if words and (not steps or steps[-1]["do"] != words):
                steps.append(entry)
    return steps


def _fleet_of(release: int | None, count: int) -> Fleet:
    """A healthy fleet that has all traffic."""
    if release is None:
        return Fleet()
    names = tuple(f"{release}-{n}" for n in range(count))
    instances = tuple(
        Instance(id=name, release=release, health=Health.HEALTHY, launched_at=-3600.0, healthy_since=-3600.0)
        for name in names
    )
    routing = Routing(groups=(TargetGroup(release=release, registered=names),), weights=((release, 100),))
    return Fleet(instances=instances, routing=routing)


def _words(action: Action, service: Service, rollout: Rollout) -> str:  # noqa: PLR0911  a table
    match action:
        case Launch(release=release, count=count):
            return f"launch {count} of release {release}, wait until {service.health.path} is healthy"
        case Shift(routing=routing):
            return _shifted(routing)
        case Stop(instance=instance):
            return f"stop instance {instance}: SIGTERM, at most {service.grace:g} s, SIGKILL"
        case RunHook(hook=hook):
            return f"run the {hook} hook: {service.hooks.migrate if hook is Hook.MIGRATE else service.hooks.smoke}"
        case StartBake(step=step):
            phase = phases(rollout.strategy, rollout.replicas, rollout.before)[step]
            ask = "; then ask for `crossfade promote`" if phase.share in service.strategy.approve else ""
            return f"watch step {step + 1} ({phase.label}) for {phase.bake:g} s{ask}" if phase.bake or ask else ""
        case Advance(step=step):
            phase = phases(rollout.strategy, rollout.replicas, rollout.before)[step]
            return f"go on to step {step + 1}: {phase.label}"
        case Finish(reason=reason):
            return f"done: {reason}"
        case _:
            return ""


def _shifted(routing: Routing) -> str:
    total = sum(weight for _, weight in routing.weights)
    shares = ", ".join(f"release {release} {100 * weight / total:.0f} %" for release, weight in routing.weights)
    leaving = f"; {len(routing.draining())} drain" if routing.draining() else ""
    unseen = routing.preview is not None and not routing.weight(routing.preview)
    preview = f"; release {routing.preview} by preview" if unseen else ""
    return f"traffic: {shares or 'nobody'}{leaving}{preview}"
