"""Visitors who stay with their release: with which one they may, and until when."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from crossfade.core.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Whose visitors may stay with it once its share is gone, beside those that stay already.

    `hands_over` does so in good order; `spurned` is taken back, and all its visitors leave it at once.
    """

    hands_over: int | None = None
    spurned: int | None = None

    def held(
        self, fleet: Fleet, weighted: Collection[int], want: Mapping[int, int], drain: float, now: float
    ) -> dict[int, float]:
        """Releases without a share that their visitors still reach, by until when: one that is kept, as long as it is.

        One that is to go is held for `drain` seconds after it lost its share. So with keep_previous 600 s its visitors
        have 600 s, and with rolling and a drain of 30 s they have 30 s.
        """
        if not weighted:
            return {}
        since = dict(fleet.pinned)
        known = set(fleet.routing.pinned)
        if self.hands_over is not None and fleet.routing.weight(self.hands_over):
            known.add(self.hands_over)
        until = {
            release: math.inf if want.get(release) else since.get(release, now) + drain
            for release in sorted(known - set(weighted) - {self.spurned})
        }
        return {release: end for release, end in until.items() if now < end}
