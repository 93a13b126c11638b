"""Releases that lost their share and are still reached: by visitors who stay with them, and for their pages' parts."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from crossfade.core.fleet import Fleet
from crossfade.core.service import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Whose visitors may stay with it once its share is gone, beside those that stay already; nobody's unless `sticky`.

    `hands_over` does so in good order; `spurned` is taken back, and all its visitors leave it at once. Whichever it is,
    pages that it sent are read for `assets` seconds more, and a part of them that only it has is asked of it.
    """

    sticky: bool = False
    assets: float = 0.0
    hands_over: int | None = None
    spurned: int | None = None

    @classmethod
    def of(
        cls, strategy: Strategy, *, sticky: bool, hands_over: int | None = None, spurned: int | None = None
    ) -> "Pins | None":
        """None of what must not run twice: the old one is gone before the new one comes."""
        if strategy.name == "recreate":
            return None
        return cls(sticky=sticky, assets=strategy.keep_assets, hands_over=hands_over, spurned=spurned)

    def stays(self, fleet: Fleet, weighted: Collection[int]) -> frozenset[int]:
        """Releases without a share whose visitors stay with them."""
        if not self.sticky:
            return frozenset()
        known = set(fleet.routing.pinned)
        if self.hands_over is not None and fleet.routing.weight(self.hands_over):
            known.add(self.hands_over)
        return frozenset(known - set(weighted) - {self.spurned})

    def seconds(self, drain: float, *, stay: bool) -> float:
        """For how long a release that is to go is held once it lost its share; `stay`: visitors do, with it."""
        return max(self.assets, drain if stay else 0.0)

    def held(
        self, fleet: Fleet, weighted: Collection[int], want: Mapping[int, int], drain: float, now: float
    ) -> dict[int, float]:
        """Releases without a share that are still reached, by until when: one that is kept, as long as it is.

        One that is to go is held for `assets` seconds after it lost its share, and for those who stay with it at least
        for `drain`. So with keep_previous 600 s its visitors have 600 s, and with rolling and a drain of 30 s 30 s.
        """
        if not weighted:
            return {}
        since, stays = dict(fleet.unshared), self.stays(fleet, weighted)
        lost = (since.keys() | stays | {release for release, _ in fleet.routing.weights}) - set(weighted)
        if not lost:
            return {}
        until = {
            release: math.inf
            if want.get(release)
            else since.get(release, now) + self.seconds(drain, stay=release in stays)
            for release in sorted(lost)
        }
        return {release: end for release, end in until.items() if now < end}
