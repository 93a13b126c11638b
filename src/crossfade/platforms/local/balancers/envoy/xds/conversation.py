"""One stream of Envoy's discovery (delta xDS): what it asked for, what it was sent, what it confirmed or refused.

Make before break: routes are sent when Envoy has confirmed the clusters that they name, and a cluster is taken away
when nothing is left to be confirmed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crossfade.platforms.local.balancers.envoy.clusters import empty_assignment
from crossfade.platforms.local.balancers.envoy.xds.resources import Offer, Offered, ResourceKind

_BELOW = (ResourceKind.CLUSTER, ResourceKind.ENDPOINTS)
_ABOVE = (ResourceKind.LISTENER, ResourceKind.CERTIFICATE, ResourceKind.ROUTES)
_ALL_OF_THEM = (ResourceKind.CLUSTER, ResourceKind.LISTENER)  # kinds that Envoy does not ask for by name
_GONE = ""  # the version of what is not there
_DOUBTFUL = "?"  # the version of what was refused: of some that were refused together, Envoy may run a part


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryRequest:
    """A request of Envoy: names it wants to know of or no more, and how it took the response `nonce`."""

    kind: ResourceKind
    node: str = ""  # the process that speaks; in the first request only
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    has: Mapping[str, str] = field(default_factory=dict)  # versions by name that it has from an earlier stream
    nonce: str = ""
    error: str = ""  # why it refused; empty: it runs what the response said


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryResponse:
    """What Envoy is told of one kind."""

    kind: ResourceKind
    nonce: str
    changed: Mapping[str, Offered]
    removed: tuple[str, ...] = ()


class Conversation:
    """The state of one stream; it ends with the stream, and the next begins with what Envoy says it has."""

    def __init__(self) -> None:
        self.node = ""
        self.refusal = ""  # Envoy's words for what it refused last
        self._heard: set[ResourceKind] = set()
        self._answered: set[ResourceKind] = set()
        self._subscribed: defaultdict[ResourceKind, set[str]] = defaultdict(set)
        self._sent: defaultdict[ResourceKind, dict[str, str]] = defaultdict(dict)  # versions, confirmed or not
        self._confirmed: defaultdict[ResourceKind, dict[str, str]] = defaultdict(dict)
        self._refused: defaultdict[ResourceKind, dict[str, str]] = defaultdict(dict)
        self._unanswered: dict[str, tuple[ResourceKind, dict[str, str]]] = {}
        self._warming: set[str] = set()  # clusters that Envoy is just given: without endpoints first
        self._takes_over = False
        self._nonce = 0
        # What was offered of a kind when all of it was confirmed: of hundreds of services, one is looked at.
        self._settled: dict[ResourceKind, Mapping[str, Offered]] = {}

    def hear(self, request: DiscoveryRequest) -> None:
        """Take in what Envoy says."""
        kind = request.kind
        self.node = self.node or request.node
        if kind is ResourceKind.CLUSTER and kind not in self._heard:
            # A node ends with how many processes handed their ports on; one that has nothing has yet to take them.
            self._takes_over = not self.node.endswith("/0") and not request.has
        if request.error or request.subscribe or request.unsubscribe:
            self._settled.pop(kind, None)
        if kind not in self._heard:
            self._heard.add(kind)
            self._sent[kind] = dict(request.has)
            self._confirmed[kind] = dict(request.has)
        if request.nonce in self._unanswered:
            self._take_answer(*self._unanswered.pop(request.nonce), request.error)
        for name in request.subscribe:
            self._subscribed[kind].add(name)
            if name not in request.has:  # also what it was sent before: another reader of the same asks now
                self._sent[kind].pop(name, None)
        for name in request.unsubscribe:
            self._subscribed[kind].discard(name)
            for versions in (self._sent[kind], self._confirmed[kind], self._refused[kind]):
                versions.pop(name, None)

    def forgive(self) -> None:
        """Let what was refused be sent once more: what was in its way may be gone."""
        self.refusal = ""
        self._refused.clear()

    def runs(self, offer: Offer) -> bool:
        """Does Envoy run all of this, and of the kinds that it does not ask for by name nothing else?"""
        return all(self._has(kind, offer) for kind in ResourceKind) and not any(
            self._sent[kind].keys() - offer[kind].keys() for kind in _ALL_OF_THEM
        )

    def missing(self, offer: Offer) -> list[str]:
        """What of it Envoy has not confirmed, in words."""
        return [
            f"{kind.name.lower()} {name}"
            for kind in ResourceKind
            for name, resource in offer[kind].items()
            if self._confirmed[kind].get(name) != resource.version
        ]

    def due(self, offer: Offer) -> Iterator[DiscoveryResponse]:
        """What is to be sent now so that Envoy comes to run the offer; taken as sent."""
        for kind in _BELOW:
            yield from self._change(kind, offer)
        if not all(self._is_through(kind, offer) for kind in _BELOW):
            return
        for kind in _ABOVE:
            yield from self._change(kind, offer)
        if not self._unanswered and all(self._has(kind, offer) for kind in ResourceKind):
            for kind in reversed(_ALL_OF_THEM):
                if kind in self._heard and (gone := tuple(sorted(self._sent[kind].keys() - offer[kind].keys()))):
                    yield self._respond(kind, {}, gone)

    def _change(self, kind: ResourceKind, offer: Offer) -> Iterator[DiscoveryResponse]:
        if kind not in self._heard or self._settled.get(kind) is offer[kind]:
            return
        asked = offer[kind].keys() if kind in _ALL_OF_THEM else self._subscribed[kind] & offer[kind].keys()
        changed = {}
        for name in sorted(asked):
            resource = self._now(kind, name, offer[kind][name])
            if resource.version not in {self._sent[kind].get(name), self._refused[kind].get(name)}:
                changed[name] = resource
        # Envoy waits for an answer to what it asks first, also when there is nothing.
        if changed or (kind in _ALL_OF_THEM and kind not in self._answered):
            if kind is ResourceKind.CLUSTER:
                self._prepare_endpoints(changed)
            yield self._respond(kind, changed)

    def _prepare_endpoints(self, changed: Mapping[str, Offered]) -> None:
        """Envoy builds a changed cluster anew, and it has to be told its endpoints again.

        While one is not through with its first health checks it confirms no clusters, and at its start it opens no
        ports: one slow service would hold up all others. So a new one has no endpoints at first. But in a successor,
        which takes the ports over from an Envoy that has them.
        """
        for name in changed:
            self._sent[ResourceKind.ENDPOINTS].pop(name, None)
            self._settled.pop(ResourceKind.ENDPOINTS, None)
            if name not in self._sent[ResourceKind.CLUSTER] and not (
                self._takes_over and ResourceKind.CLUSTER not in self._answered
            ):
                self._warming.add(name)

    def _now(self, kind: ResourceKind, name: str, resource: Offered) -> Offered:
        return _without_endpoints(name) if kind is ResourceKind.ENDPOINTS and name in self._warming else resource

    def _respond(
        self, kind: ResourceKind, changed: Mapping[str, Offered], removed: tuple[str, ...] = ()
    ) -> DiscoveryResponse:
        self._nonce += 1
        nonce = str(self._nonce)
        versions = {name: resource.version for name, resource in changed.items()} | dict.fromkeys(removed, _GONE)
        self._answered.add(kind)
        self._unanswered[nonce] = (kind, versions)
        self._sent[kind].update(versions)
        return DiscoveryResponse(kind=kind, nonce=nonce, changed=changed, removed=removed)

    def _take_answer(self, kind: ResourceKind, versions: Mapping[str, str], error: str) -> None:
        for name, version in versions.items():
            if kind is ResourceKind.ENDPOINTS and version == _without_endpoints(name).version:
                self._warming.discard(name)
            self._confirmed[kind].pop(name, None)
            if error:
                self._refused[kind][name] = version
                self._sent[kind][name] = _DOUBTFUL
            elif version == _GONE:
                self._sent[kind].pop(name, None)
            else:
                self._confirmed[kind][name] = version
        self.refusal = error or self.refusal

    def _has(self, kind: ResourceKind, offer: Offer) -> bool:
        if self._settled.get(kind) is offer[kind]:
            return True
        confirmed = self._confirmed[kind]
        if all(confirmed.get(name) == resource.version for name, resource in offer[kind].items()):
            self._settled[kind] = offer[kind]
            return True
        return False

    def _is_through(self, kind: ResourceKind, offer: Offer) -> bool:
        """Nothing of this kind is left to wait for: what Envoy refuses keeps nobody else from being served."""
        if self._has(kind, offer):
            return True
        confirmed, refused = self._confirmed[kind], self._refused[kind]
        return all(
            resource.version in {confirmed.get(name), refused.get(name)}
            or (kind is ResourceKind.ENDPOINTS and name in self._refused[ResourceKind.CLUSTER])
            for name, resource in offer[kind].items()
        )


def _without_endpoints(name: str) -> Offered:
    return Offered(empty_assignment(name))
