"""`LoadBalancer` on an Application Load Balancer: weights of two target groups, absolute, read back, and let settle."""

from collections.abc import Mapping, Sequence
from functools import partial

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, Report, Target
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.aws.alb.counts import Counts
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.place import shares
from crossfade.platforms.aws.sight import NOBODYS, PREVIEWED, WHOLE, Lookout, Sight, Task

# AWS says nowhere how long a change of weights takes to reach every node of a load balancer, and no call tells. Seconds
# are usual; who stops the old tasks before has 503s (argo-rollouts#3333, #4595).
MARGIN = 15.0


class AlbBalancer:
    """Who sends traffic: one rule or more by service, each with both colours in it.

    Members of the groups are ECS's to register. What is in flight on a target nobody can tell.
    """

    def __init__(
        self, clients: Clients, lookout: Lookout, counts: Counts, *, fence: Fence, clock: Clock, margin: float = MARGIN
    ) -> None:
        self._clients, self._lookout, self._counts, self._fence = clients, lookout, counts, fence
        self._clock, self._margin = clock, margin
        self._quiet: dict[str, frozenset[int]] = {}  # by service: releases that get nothing new, and are to go
        self._unseen: dict[str, int | None] = {}  # by service without a preview's rule: the release it would lead to

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],  # noqa: ARG002  ECS registers them
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,  # noqa: ARG002  the target group has Terraform's
    ) -> float:
        key = service.key
        before = partial(self._fence.check, key, token)
        await before()
        sight = await self._lookout.look(key, fresh=True)
        wanted = _wanted(sight, routing)
        preview = _previewing(sight, routing, wanted)
        await self._require_healthy(sight, routing)
        try:
            changed = await self._write(sight, wanted, preview, before)
        finally:
            self._lookout.changed(key)
        written = self._clock.now()
        if changed:
            await self._confirm(key, wanted, preview)
        if changed & {*sight.place.rules, *sight.place.listeners} or (changed and _is_tried(sight, routing)):
            await self._clock.sleep(self._margin)
        self._quiet[key] = frozenset(g.release for g in routing.groups if g.draining and not g.registered)
        self._unseen[key] = None if sight.place.preview else routing.preview  # nobody can be led there: it is as done
        return self._clock.now() - written

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        sight = await self._lookout.look(service)
        quiet = self._quiet.get(service, frozenset())
        counted = await self._counts.of(sight)
        previewed = sight.sides[sight.previewed].number if sight.previewed else NOBODYS
        return Report(
            routing=Routing(
                groups=_groups(sight, quiet),
                weights=weights_of(_by_release(sight)),
                preview=previewed or self._unseen.get(service),
            ),
            targets={
                task.id: Target(in_flight=None, streams=None)
                for task in sight.tasks
                if task.address and not task.gone and task.release != NOBODYS
            },
            groups=counted.groups,
            traffic=counted.traffic,
        )

    async def known(self) -> Mapping[str, Exposed]:
        """None: which services there are Terraform decides, and rules of two are told apart by it."""
        return {}

    def complaints(self) -> Sequence[str]:
        """None: what is wrong with a listener is Terraform's, and AWS's to say."""
        return ()

    async def catch_up(self) -> None:
        """CloudWatch has a minute's figures a while after it; nobody can hurry it."""
        await self._counts.catch_up()

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        place = await self._lookout.place(service.key)  # asked again and again by who watches: no look for that
        if place.preview is None:
            raise PlatformError(
                f"no rule of the load balancer leads to release {release} of {service.key} before visitors see it",
                "`crossfade infra apply` makes one",
            )
        return place.url, {place.preview.header: place.preview.token}

    async def remove(self, service: str, token: int) -> None:
        """Nobody gets requests any more; the rules stay, which Terraform made."""
        before = partial(self._fence.check, service, token)
        await before()
        sight = await self._lookout.look(service, fresh=True)
        nothing = dict.fromkeys(sight.sides, 0)
        await self._write(sight, nothing, nothing, before)
        self._lookout.changed(service)
        self._quiet.pop(service, None)
        self._unseen.pop(service, None)

    async def ensure(self) -> None:
        """AWS sees to it."""

    async def restart(self) -> None:
        """There is no process of ours."""

    async def shutdown(self) -> None:
        """What Terraform made, Terraform takes away."""

    async def close(self) -> None:
        """The clients belong to whoever made them."""

    async def _require_healthy(self, sight: Sight, routing: Routing) -> None:
        """Weight goes only where targets are healthy now; these may have changed since it was decided."""
        for release, _ in routing.weights:
            healthy = [t for t in sight.tasks if t.release == release and t.health is Health.HEALTHY and not t.stopping]
            if not healthy:
                raise PlatformError(
                    f"no target of release {release} of {sight.place.key} is healthy to the load balancer any more",
                    "it is tried again",
                )

    async def _write(
        self, sight: Sight, wanted: Mapping[str, int], preview: Mapping[str, int], before: Check
    ) -> set[str]:
        """Change the rules that differ; their ARNs."""
        place, changed = sight.place, set[str]()
        for arn in place.rules:
            if _differs(sight, arn, wanted):
                actions = _forwarding(sight, arn, wanted)
                await self._clients.call("elbv2", "modify_rule", before, RuleArn=arn, Actions=actions)
                changed.add(arn)
        for arn in place.listeners:
            if _differs(sight, arn, wanted):
                actions = _forwarding(sight, arn, wanted)
                await self._clients.call("elbv2", "modify_listener", before, ListenerArn=arn, DefaultActions=actions)
                changed.add(arn)
        if place.preview and _differs(sight, place.preview.rule, preview):
            arn = place.preview.rule
            actions = _forwarding(sight, arn, preview)
            await self._clients.call("elbv2", "modify_rule", before, RuleArn=arn, Actions=actions)
            changed.add(arn)
        return changed

    async def _confirm(self, key: str, wanted: Mapping[str, int], preview: Mapping[str, int]) -> None:
        """Read back what was written: another hand may have been faster."""
        sight = await self._lookout.look(key, fresh=True)
        place = sight.place
        wrong = [arn for arn in (*place.rules, *place.listeners) if _differs(sight, arn, wanted)]
        if place.preview and _differs(sight, place.preview.rule, preview):
            wrong.append(place.preview.rule)
        if wrong:
            raise PlatformError(
                f"the weights of {key} are not those that were set: {', '.join(_shown(sight, arn) for arn in wrong)}",
                "find out what else sets them: only one may",
            )


def _wanted(sight: Sight, routing: Routing) -> dict[str, int]:
    """Weights by colour. Where none of our releases is to serve, what ran here before us goes on, or does so again."""
    weights = dict.fromkeys(sight.sides, 0)
    before = [side for side in sight.sides.values() if side.release is None and not side.empty]
    if before and not routing.weights:
        weights[max(before, key=lambda side: side.weight).colour] = WHOLE
    for release, weight in routing.weights:
        side = sight.side_of(release)
        if side is None or side.empty:
            raise PlatformError(f"release {release} of {sight.place.key} is in no colour", "it is tried again")
        weights[side.colour] = weight
    return weights


def _previewing(sight: Sight, routing: Routing, wanted: Mapping[str, int]) -> dict[str, int]:
    """The preview's rule leads to one release alone; without one to preview it does what visitors' rules do."""
    side = sight.side_of(routing.preview) if routing.preview else None
    if side is None:
        return dict(wanted)
    return {colour: PREVIEWED if colour == side.colour else 0 for colour in sight.sides}


def _is_tried(sight: Sight, routing: Routing) -> bool:
    """A hook is to ask for the release by its preview, and must not be answered by the one that serves."""
    side = sight.side_of(routing.preview) if routing.preview else None
    return side is not None and side.release is not None and bool(side.release.service.hooks.smoke)


def _by_release(sight: Sight) -> dict[int, int]:
    """What the weights mean.

    An empty colour that has them alone is no release's: nothing serves. Beside another it gets its share of visitors
    all the same, who are answered 503, and that has to be seen to be put right.
    """
    found: dict[int, int] = {}
    weighed = [side for side in sight.sides.values() if side.weight]
    if all(side.empty for side in weighed):
        return found
    for side in weighed:
        if side.release or side.empty:
            found[side.number] = found.get(side.number, 0) + side.weight
    return found


def _groups(sight: Sight, quiet: frozenset[int]) -> tuple[TargetGroup, ...]:
    members: dict[int, tuple[list[Task], list[Task]]] = {}
    for task in sight.tasks:
        serves = task.health is Health.HEALTHY and not (task.stopping or task.exited or task.draining)
        if task.release != NOBODYS and (serves or (task.draining and not task.gone)):
            leaves = not serves or task.release in quiet
            members.setdefault(task.release, ([], []))[int(leaves)].append(task)
    return tuple(
        TargetGroup(
            release=release,
            registered=tuple(sorted(task.id for task in registered)),
            draining=tuple(sorted(task.id for task in draining)),
        )
        for release, (registered, draining) in sorted(members.items())
    )


def _differs(sight: Sight, arn: str, wanted: Mapping[str, int]) -> bool:
    now = shares(sight.actions.get(arn, []))
    return {colour.group: wanted[colour.name] for colour in sight.place.colours} != now


def _forwarding(sight: Sight, arn: str, wanted: Mapping[str, int]) -> list[Answer]:
    """The actions of a rule with other weights: what else it does, and for whom a client stays, is Terraform's."""
    groups = [{"TargetGroupArn": colour.group, "Weight": wanted[colour.name]} for colour in sight.place.colours]
    actions = []
    for action in sight.actions[arn]:
        if action["Type"] != "forward":
            actions.append(_kept(action))
            continue
        config = {**action.get("ForwardConfig", {}), "TargetGroups": groups}
        kept = {name: value for name, value in action.items() if name != "TargetGroupArn"}
        actions.append({**kept, "ForwardConfig": config})
    return actions


def _kept(action: Answer) -> Answer:
    """As it was told: a secret is not, and is to stay what it is."""
    config = action.get("AuthenticateOidcConfig")
    return (
        action if config is None else {**action, "AuthenticateOidcConfig": {**config, "UseExistingClientSecret": True}}
    )


def _shown(sight: Sight, arn: str) -> str:
    weights = shares(sight.actions.get(arn, []))
    said = ", ".join(f"{colour.name} {weights.get(colour.group, 0)}" for colour in sight.place.colours)
    return f"{said} in {arn.rpartition(':')[2]}"
