"""What Envoy is sent, in which order, and what counts as confirmed."""

from crossfade.platforms.local.balancers.envoy.clusters import empty_assignment
from crossfade.platforms.local.balancers.envoy.xds.conversation import Conversation, DiscoveryRequest, DiscoveryResponse
from crossfade.platforms.local.balancers.envoy.xds.resources import NOTHING, Offer, ResourceKind, offer


def offered(clusters: str = "", ports: str = "", *, weight: int = 1, before: Offer = NOTHING) -> Offer:
    """Clusters with endpoints, and ports with a listener and routes each."""
    return offer(
        {
            ResourceKind.CLUSTER: {name: {"name": name} for name in clusters.split()},
            ResourceKind.ENDPOINTS: {name: {"cluster_name": name, "endpoints": [1]} for name in clusters.split()},
            ResourceKind.LISTENER: {port: {"name": port} for port in ports.split()},
            ResourceKind.ROUTES: {port: {"name": port, "weight": weight} for port in ports.split()},
        },
        before,
    )


class Envoy:
    """Asks and answers as Envoy does: clusters and listeners at once, the rest for those it was given."""

    def __init__(self, has: dict[ResourceKind, dict[str, str]] | None = None, node: str = "1/0") -> None:
        self.conversation = Conversation()
        self.runs: dict[ResourceKind, dict[str, str]] = has or {kind: {} for kind in ResourceKind}
        self.told: list[str] = []
        self.refuses: set[str] = set()
        for kind in (ResourceKind.CLUSTER, ResourceKind.LISTENER):
            self.conversation.hear(DiscoveryRequest(kind=kind, node=node, has=dict(self.runs[kind])))
        for kind in (ResourceKind.ENDPOINTS, ResourceKind.ROUTES):
            if self.runs[kind]:
                names = tuple(self.runs[kind])
                self.conversation.hear(DiscoveryRequest(kind=kind, subscribe=names, has=dict(self.runs[kind])))

    def take(self, offer_: Offer) -> list[str]:
        """Answer until nothing more is sent; what was sent, in words, in order."""
        self.told = []
        while sent := list(self.conversation.due(offer_)):
            for response in sent:
                self._take(response)
        return self.told

    def _take(self, response: DiscoveryResponse) -> None:
        kind = response.kind
        self.told += [
            f"{'no ' if resource.content == empty_assignment(name) else ''}{kind.name.lower()} {name}"
            for name, resource in response.changed.items()
        ]
        self.told += [f"no {kind.name.lower()} {name}" for name in response.removed]
        if refused := self.refuses & response.changed.keys():
            self._hear(kind, response.nonce, error=f"cannot take {min(refused)}")
            return
        self.runs[kind] |= {name: resource.version for name, resource in response.changed.items()}
        for name in response.removed:
            self.runs[kind].pop(name, None)
        below = {ResourceKind.CLUSTER: ResourceKind.ENDPOINTS, ResourceKind.LISTENER: ResourceKind.ROUTES}.get(kind)
        if below:
            news = [name for name in response.changed if name not in self.runs[below]]
            self.conversation.hear(DiscoveryRequest(kind=below, subscribe=tuple(news), unsubscribe=response.removed))
        self._hear(kind, response.nonce)

    def _hear(self, kind: ResourceKind, nonce: str, error: str = "") -> None:
        self.conversation.hear(DiscoveryRequest(kind=kind, nonce=nonce, error=error))


def test_what_is_referred_to_is_confirmed_before_what_refers_to_it_is_sent() -> None:
    """Clusters, then their endpoints, then listeners, then routes: nobody is sent to what is not there."""
    envoy, asked = Envoy(), offered("a b", "80")
    clusters, endpoints = ["cluster a", "cluster b"], ["endpoints a", "endpoints b"]
    nothing_yet = [f"no {word}" for word in endpoints]
    assert envoy.take(asked) == [*clusters, *nothing_yet, *endpoints, "listener 80", "routes 80"]
    assert envoy.conversation.runs(asked)
    assert envoy.conversation.missing(asked) == []


def test_an_envoy_that_is_told_of_nothing_is_answered_all_the_same() -> None:
    """It waits for its first clusters and listeners before it serves, also when there are none."""
    sent = list(Envoy().conversation.due(NOTHING))
    assert [(response.kind, response.changed) for response in sent] == [
        (ResourceKind.CLUSTER, {}),
        (ResourceKind.LISTENER, {}),
    ]


def test_a_switch_sends_the_routes_and_nothing_else() -> None:
    """What is the same is not sent again: no listener is replaced, no cluster built anew."""
    envoy, first = Envoy(), offered("a b", "80")
    envoy.take(first)
    second = offered("a b", "80", weight=2, before=first)
    assert not envoy.conversation.runs(second)
    assert envoy.conversation.missing(second) == ["routes 80"]
    assert envoy.take(second) == ["routes 80"]
    assert envoy.conversation.runs(second)


def test_a_cluster_goes_when_nothing_is_left_to_be_confirmed() -> None:
    """The routes that named it are replaced first."""
    envoy, first = Envoy(), offered("a b", "80 81")
    envoy.take(first)
    second = offered("a", "80", weight=2, before=first)
    assert envoy.take(second) == ["routes 80", "no listener 81", "no cluster b"]
    assert envoy.conversation.runs(second)
    assert envoy.runs[ResourceKind.CLUSTER].keys() == {"a"}


def test_a_new_cluster_gets_its_endpoints_when_it_is_there() -> None:
    """Without any it is ready at once; with some, Envoy would confirm nobody's cluster until it has checked them."""
    envoy, first = Envoy(), offered("a", "80")
    envoy.take(first)
    second = offered("a b", "80", before=first)
    assert envoy.take(second) == ["cluster b", "no endpoints b", "endpoints b"]
    assert envoy.conversation.runs(second)


def test_a_successor_has_all_endpoints_before_it_takes_the_ports_over() -> None:
    """The Envoy before it serves as long as it checks them; a first one serves who is healthy at once."""
    successor = Envoy(node="1/1")
    assert successor.take(offered("a", "80")) == ["cluster a", "endpoints a", "listener 80", "routes 80"]
    later = offered("a b", "80", before=offered("a", "80"))
    assert successor.take(later) == ["cluster b", "no endpoints b", "endpoints b"]


def test_a_controller_that_comes_back_sends_only_what_changed_meanwhile() -> None:
    """Versions are decided by content: who has them is sent nothing."""
    envoy, first = Envoy(), offered("a", "80")
    envoy.take(first)
    assert Envoy(envoy.runs).take(offered("a", "80")) == []
    assert Envoy(envoy.runs).take(offered("a", "80", weight=2)) == ["routes 80"]


def test_what_a_killed_controller_half_did_is_undone_without_a_gap() -> None:
    """Envoy runs routes to a cluster that nobody knows of: it goes when the routes are the old ones again."""
    envoy = Envoy()
    envoy.take(offered("a b", "80", weight=2))
    again = Envoy(envoy.runs)
    assert again.take(offered("a", "80")) == ["routes 80", "no cluster b"]
    assert again.conversation.runs(offered("a", "80"))


def test_what_is_refused_is_told_and_not_sent_again() -> None:
    """Until somebody says that it may be tried once more."""
    envoy, asked = Envoy(), offered("a", "80 81")
    envoy.refuses = {"81"}
    assert envoy.take(asked)[-2:] == ["listener 80", "listener 81"]
    assert envoy.conversation.refusal == "cannot take 81"
    assert envoy.take(asked) == []
    assert not envoy.conversation.runs(asked)
    envoy.refuses = set()
    envoy.conversation.forgive()
    assert envoy.take(asked) == ["listener 80", "listener 81", "routes 80", "routes 81"]
    assert envoy.conversation.runs(asked)


def test_a_refused_cluster_keeps_nobody_else_from_being_served() -> None:
    """Listeners and routes follow all the same."""
    envoy, asked = Envoy(), offered("a b", "80")
    envoy.refuses = {"b"}
    envoy.conversation.hear(DiscoveryRequest(kind=ResourceKind.ENDPOINTS, subscribe=("a",)))
    assert envoy.take(asked)[-2:] == ["listener 80", "routes 80"]
    assert envoy.conversation.refusal == "cannot take b"


def test_of_what_was_refused_together_nothing_stays_that_nobody_wants() -> None:
    """Of two listeners in one message Envoy may have opened one: both are taken back."""
    envoy, first = Envoy(), offered("a", "80")
    envoy.take(first)
    envoy.refuses = {"82"}
    envoy.take(offered("a", "80 81 82", before=first))
    assert not envoy.conversation.runs(first)
    assert envoy.take(first) == ["no listener 81", "no listener 82"]
    assert envoy.conversation.runs(first)


def test_a_changed_cluster_is_told_its_endpoints_again() -> None:
    """Envoy builds it anew, and nobody else would tell the new one."""
    envoy, first = Envoy(), offered("a", "80")
    envoy.take(first)
    changed = offer({**_contents(first), ResourceKind.CLUSTER: {"a": {"name": "a", "lb_policy": "RANDOM"}}}, first)
    assert envoy.take(changed) == ["cluster a", "endpoints a"]
    assert envoy.conversation.runs(changed)


def test_an_offer_keeps_what_did_not_change() -> None:
    """The very same objects, so that hundreds of services are neither compared nor encoded for the deploy of one."""
    first = offered("a b", "80")
    second = offered("a b", "80", weight=2, before=first)
    assert second[ResourceKind.CLUSTER] is first[ResourceKind.CLUSTER]
    assert second[ResourceKind.ROUTES]["80"] is not first[ResourceKind.ROUTES]["80"]


def _contents(offer_: Offer) -> dict[ResourceKind, dict[str, dict[str, object]]]:
    return {kind: {name: resource.content for name, resource in offer_[kind].items()} for kind in ResourceKind}
