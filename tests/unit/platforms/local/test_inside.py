"""Where the parts of an app find each other."""

from pathlib import Path

from crossfade.core.service import Names, Peer, Service
from crossfade.platforms.local import inside
from crossfade.platforms.local.balancers.envoy.listeners import listener
from crossfade.platforms.local.balancers.rules import Door
from crossfade.platforms.local.inside import Doors
from crossfade.platforms.local.runtimes.docker.network import DockerNetwork
from crossfade.platforms.local.runtimes.environment import loopback, urls

STATE = Path("/state")
NAMES = Names(peers=(Peer(name="api-v2", port=3000), Peer(name="web", port=8080)), processes=True)


async def test_processes_are_told_the_door_that_the_balancer_opens() -> None:
    """The same address on both sides, of loopback, and another one for another service or another state."""
    api = Service(app="shop", name="api-v2", names=NAMES)
    (door,) = await Doors(STATE).of(api)
    told = urls(Service(app="shop", name="web", names=NAMES), STATE)
    assert told["CROSSFADE_URL_API_V2"] == f"http://{door.host}:{door.port}"
    assert (door.host.split(".")[0], door.clients) == ("127", ("127.0.0.0/8",))
    assert len({told["CROSSFADE_URL_WEB"], told["CROSSFADE_URL_API_V2"], *urls(api, Path("/other")).values()}) == 4
    assert 1024 < loopback(STATE, "shop/web")[1] < 32768


async def test_a_service_that_nobody_calls_has_no_door() -> None:
    """An app that is one service, and a worker."""
    assert await Doors(STATE).of(Service(app="shop", name="web")) == ()
    assert await Doors(STATE).of(Service(app="shop", name="mailer", kind="worker", names=NAMES)) == ()


def test_only_containers_of_the_network_come_in() -> None:
    """The machine has the gateway's address there, and neither it nor anybody else finds a way to the service."""
    clients = inside._containers(DockerNetwork(name="n", gateway="172.30.0.1", subnet="172.30.0.0/29"))
    assert clients == ("172.30.0.0/32", "172.30.0.2/31", "172.30.0.4/30")
    made = listener(Door(host="172.30.0.1", port=8080, services=("a/b",), clients=clients, trusted=clients))
    (chain,) = made["filter_chains"]
    allowed = [
        f"{one['address_prefix']}/{one['prefix_len']}" for one in chain["filter_chain_match"]["source_prefix_ranges"]
    ]
    assert tuple(allowed) == clients
    assert made["freebind"]
