"""How the contract suite gets at each platform that is told sizes: its runtime, its balancer, and a way to ask."""

import asyncio
import json
import shutil
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from tests.adapters.token_fence import TokenFence
from tests.rig import Rig, groups, revisions
from tests.rig.place import APP, PORT, Place, make
from tests.support.on_ecs import PACE

from crossfade.adapters import ON_AWS
from crossfade.aws.places import Places
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.cloud import CloudBalancer, CloudRuntime, DryCloud
from crossfade.engine.dry.platform import Platform
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.engine.ports.runtime import Running
from crossfade.platforms.aws.adapters import Adapters, Timing
from crossfade.platforms.aws.autoscaling.runtime import GroupRuntime
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.ecs.runtime import EcsRuntime

PATIENCE = 60.0  # seconds that a busy machine may take for anything
BROKEN = "broken"  # ends at once with 1, and says why
TOKEN = 1


@dataclass
class Hands:
    """One adapter of each kind, as one process has them."""

    runtime: CloudRuntime | EcsRuntime | GroupRuntime
    balancer: LoadBalancer


class Kit:
    """One service on one platform. `one` and `two` are two processes that know nothing of each other."""

    fence: TokenFence
    one: Hands
    two: Hands
    key: str
    broken = "exited with code 1"  # how an exit of a BROKEN one begins; how it ends is what it wrote last

    async def release(self, number: int, fault: str = "") -> Release:
        """One whose artifact is there."""
        raise NotImplementedError

    async def ask(self, headers: Mapping[str, str] | None = None) -> str:
        """The number of the release that answers a client; empty when none does."""
        raise NotImplementedError

    async def moment(self) -> None:
        """Time passes."""
        raise NotImplementedError

    async def complete(self) -> None:
        """Wait until the platform, too, calls what it was told last done."""

    async def until(self, what: Callable[[], Any]) -> Any:
        """Look again and again until the answer is something true."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await what()):
                await self.moment()
            return found

    async def instances(self, release: int | None = None) -> list[Running]:
        found = await self.one.runtime.instances(self.key)
        return [one for one in found if release in {None, one.release} and not (one.exited or one.stopping)]

    async def healthy(self, release: int, count: int) -> list[Running]:
        """So many instances of a release, once they are healthy."""

        async def are() -> list[Running]:
            found = await self.instances(release)
            well = [one for one in found if one.health is Health.HEALTHY]
            return well if len(well) == len(found) == count else []

        return cast(list[Running], await self.until(are))

    async def keep(self, release: Release, count: int, hands: Hands | None = None) -> None:
        await (hands or self.one).runtime.resize(release, count, {}, TOKEN)

    async def routing(self, weights: Mapping[int, int], preview: int | None = None) -> Routing:
        """With everybody who is healthy in it."""
        members: dict[int, list[str]] = {}
        for one in await self.instances():
            if one.health is Health.HEALTHY:
                members.setdefault(one.release, []).append(one.id)
        groups = tuple(TargetGroup(release=r, registered=tuple(sorted(ids))) for r, ids in sorted(members.items()))
        return Routing(groups=groups, weights=weights_of(weights), preview=preview)

    async def shift(self, weights: Mapping[int, int], preview: int | None = None, token: int = TOKEN) -> Routing:
        """Have the balancer run these weights."""
        asked = await self.routing(weights, preview)
        addresses = {one.id: one.address for one in await self.instances()}
        lead = await self.release(max(weights, default=1))
        await self.one.balancer.apply(lead.service, asked, addresses, token)
        return asked

    async def reported(self) -> Routing:
        """What the second process sees."""
        await self.two.runtime.instances(self.key)
        return (await self.two.balancer.report(self.key)).routing


class Leaps:
    """A clock whose waits take no time, and are over all the same."""

    def __init__(self) -> None:
        self._clock, self._ahead = SystemClock(), 0.0

    def now(self) -> float:
        return self._clock.now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        self._ahead += seconds
        await asyncio.sleep(0)


class MemoryKit(Kit):
    def __init__(self) -> None:
        self.fence, self.key, self._clock = TokenFence(), "shop@dev/web", Leaps()
        self._platform = Platform(behaves=lambda release, _: _life(release), clock=self._clock, lends=False)
        cloud = DryCloud(self._platform)
        self.one, self.two = (
            Hands(CloudRuntime(cloud, self.fence), CloudBalancer(cloud, self.fence)) for _ in range(2)
        )

    async def release(self, number: int, fault: str = "") -> Release:
        service = Service(app="shop", name="web", environment="dev", source="/one", drain=5.0, env=(("FAULT", fault),))
        artifact = await self.one.runtime.build(service)
        return Release(number=number, service=service, version="v1", digest=artifact.digest, config_hash="")

    async def ask(self, headers: Mapping[str, str] | None = None) -> str:
        with self._platform.request(self.key, headers or {}) as exchange:
            life = self._platform.lives.get(exchange.instance)
            exchange.status = 200 if life else 503
            return str(life.release.number) if life else ""

    async def moment(self) -> None:
        await self._clock.sleep(1.0)


def _life(release: Release) -> Behaviour:
    if BROKEN in dict(release.service.env).values():
        return Behaviour(life=((0.0, Health.EXITED),), detail="exited with code 1: no database")
    return Behaviour(life=((1.0, Health.HEALTHY),))


class AwsKit(Kit):
    """On the rig."""

    compute: str
    revision: Mapping[str, str] | None = None
    _place: Place | groups.Groups

    def __init__(self, rig: Rig) -> None:
        self.fence, self._rig = TokenFence(), rig
        self._app = f"s{uuid.uuid4().hex[:6]}"
        self.key, self._url = f"{self._app}@dev/web", f"http://{rig.address_of(self._made())}"
        self.clients = Clients("us-east-1", endpoint=rig.endpoint, patience=4.0)
        self.one, self.two = self._hands(), self._hands()

    def _hands(self) -> Hands:
        timing = Timing().faster(PACE)
        places = Places(self._app, "dev")
        made = Adapters(
            self.clients, places, self.fence, SystemClock(), timing, compute=self.compute, revision=self.revision
        )
        return Hands(made.runtime, made.balancer)

    async def release(self, number: int, fault: str = "") -> Release:
        env = (("FAULT", fault), ("RELEASE", str(number)))
        service = Service(
            app=self._app,
            name="web",
            environment="dev",
            runtime=ON_AWS[self.compute],
            port=PORT,
            health=HealthCheck(path="/health"),
            env=env,
            **await asyncio.to_thread(self._runs, number, fault),
        )
        artifact = await self.one.runtime.build(service)
        return Release(number=number, service=service, version="v1", digest=artifact.digest, config_hash="")

    async def ask(self, headers: Mapping[str, str] | None = None) -> str:
        def get() -> str:
            try:
                request = urllib.request.Request(self._url, headers=dict(headers or {}))
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        return await asyncio.to_thread(get)

    async def moment(self) -> None:
        await asyncio.sleep(0.1)

    async def clear(self) -> None:
        await asyncio.to_thread(self._emptied)
        await asyncio.to_thread(self._rig.take_down, self._place.load_balancer, self._place.target_groups.values())
        await self.clients.close()

    def _runs(self, number: int, fault: str) -> dict[str, str]:
        """What a release is made of."""
        name = f"{self._app}-dev-web"
        return {"image": f"{name}@{self._rig.images.add(f'{name}:{number}', [sys.executable, str(APP)])}"}

    def _made(self) -> str:
        """The place, with nothing in it; its load balancer."""
        raise NotImplementedError

    def _emptied(self) -> None:
        raise NotImplementedError


class EcsKit(AwsKit):
    compute = "fargate"
    _place: Place

    def _made(self) -> str:
        self._place = make(self._rig, self._app, desired=0, delay=10)
        return self._place.load_balancer

    async def complete(self) -> None:
        described = partial(
            self._rig.client("ecs").describe_services,
            cluster=self._place.cluster,
            services=[*self._place.services.values()],
        )

        async def is_complete() -> bool:
            services = (await asyncio.to_thread(described))["services"]
            return all(one["deployments"][0]["rolloutState"] == "COMPLETED" for one in services)

        await self.until(is_complete)

    def _emptied(self) -> None:
        ecs = self._rig.client("ecs")
        for service in self._place.services.values():
            ecs.update_service(cluster=self._place.cluster, service=service, desiredCount=0)


class GroupsKit(AwsKit):
    """Auto Scaling groups, whose hosts run on when their containers end: it is the load balancer that finds out."""

    compute = "autoscaling"
    broken = "was replaced: the load balancer's checks failed"
    _place: groups.Groups

    def _made(self) -> str:
        self._place = groups.make(self._rig, self._app, desired=0, delay=10, warmup=60)
        return self._place.load_balancer

    def _emptied(self) -> None:
        groups.empty(self._rig, self._place)


class RevisionsKit(GroupsKit):
    """The same with processes that CodeDeploy brings; what it is at goes on as often as somebody tends to it."""

    broken = "did not get its revision by CodeDeploy's"
    revision: Mapping[str, str] = {}  # every source has an appspec of its own

    def _made(self) -> str:
        self._folder = Path(tempfile.mkdtemp(prefix="revisions-"))
        self._place = revisions.place(self._rig, self._app, delay=10)
        return self._place.load_balancer

    def _runs(self, number: int, fault: str) -> dict[str, str]:
        source = self._folder / f"{number}{fault}"
        source.mkdir(exist_ok=True)
        shutil.copy(APP, source / "app.py")
        scripts = {
            "ApplicationStart": f"systemctl restart app@{PORT}",
            "ValidateService": "echo no database; exit 3" if fault == BROKEN else "true",
        }
        for event, line in scripts.items():
            (source / f"{event}.sh").write_text(f"#!/bin/sh\n{line}\n")
        hooks = {event: [{"location": f"{event}.sh", "timeout": 600}] for event in scripts}
        files = [{"source": "/", "destination": f"/opt/{self._app}/current"}]
        spec = {"version": 0.0, "os": "linux", "files": files, "hooks": hooks}
        (source / "appspec.yml").write_text(json.dumps({**spec, "release": number}))  # none is another's
        return {"source": str(source), "command": f"{sys.executable} app.py"}

    async def moment(self) -> None:
        await self.one.runtime.tend(self.key, TOKEN)
        await super().moment()

    def _emptied(self) -> None:
        super()._emptied()
        shutil.rmtree(self._folder)


_KITS = {"ecs": EcsKit, "groups": GroupsKit, "revisions": RevisionsKit}


@asynccontextmanager
async def kit(name: str, rig: Callable[[], Rig]) -> AsyncIterator[Kit]:
    """The named platform; what ran on it goes with the block."""
    if name == "memory":
        yield MemoryKit()
        return
    made = await asyncio.to_thread(_KITS[name], rig())
    try:
        yield made
    finally:
        await made.clear()
