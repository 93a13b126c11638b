"""The routing of a service: target groups, their weights and the release that only a preview reaches."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """The instances of one release that may get requests, and those that only finish theirs. Ids, sorted."""

    release: int
    registered: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The whole routing of one service: applied at once, and compared by value.

    `weights` are relative (release, weight) pairs in release order, without zeros: (1, 90), (2, 10).
    Empty: nobody answers.
    """

    groups: tuple[TargetGroup, ...] = ()
    weights: tuple[tuple[int, int], ...] = ()
    preview: int | None = None
    pinned: tuple[int, ...] = ()  # releases without weight whose visitors stay with them, ascending

    def weight(self, release: int) -> int:
        return dict(self.weights).get(release, 0)

    def registered(self) -> frozenset[str]:
        return frozenset().union(*[group.registered for group in self.groups])

    def draining(self) -> frozenset[str]:
        return frozenset().union(*[group.draining for group in self.groups])

    def stand_ins(self, release: int) -> tuple[TargetGroup, ...]:
        """Other groups that answer for `release` when none of its own instances can: newest first.

        Only for one that has traffic or still finishes what it has, and never by one that is still in preview: nobody
        has let it have traffic yet.
        """
        leaves = any(g.release == release and g.draining and not g.registered for g in self.groups)
        if not (self.weight(release) or release in self.pinned or leaves):
            return ()
        others = [g for g in self.groups if g.release != release and (g.registered or g.draining)]
        allowed = [g for g in others if self.weight(g.release) or g.release != self.preview]
        return tuple(sorted(allowed, key=lambda group: -group.release))

    def unshared(self) -> tuple[int, ...]:
        """Releases that are registered and have neither a share nor a preview: they had one, and are kept."""
        apart = {self.preview, *dict(self.weights)}
        return tuple([group.release for group in self.groups if group.registered and group.release not in apart])

    def serving(self) -> frozenset[str]:
        """Instances that carry the load: registered in a group that has weight, so that any request may come."""
        weights = dict(self.weights)
        return frozenset().union(*[group.registered for group in self.groups if weights.get(group.release)])

    def answering(self) -> frozenset[str]:
        """Instances that may get a new client request: those, and those that a visitor stays with."""
        visited = self.visited()
        return frozenset().union(*[group.registered for group in self.groups if group.release in visited])

    def visited(self) -> frozenset[int]:
        """Releases that have visitors, of whom each may stay with its own."""
        return frozenset(dict(self.weights)) | frozenset(self.pinned)


def weights_of(shares: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """Weights in the one form that compares by value: ascending by release, no zeros, and 100 for one alone."""
    weights = tuple(sorted((release, share) for release, share in shares.items() if share > 0))
    return ((weights[0][0], 100),) if len(weights) == 1 else weights
