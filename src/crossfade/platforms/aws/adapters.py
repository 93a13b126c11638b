"""The adapters of one environment on AWS, put together: what keeps its releases, what sends traffic, how patiently."""

from dataclasses import dataclass, fields

from crossfade.aws.places import Places
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.engine.world import Pace
from crossfade.platforms.aws import snapshots
from crossfade.platforms.aws.alb.balancer import MARGIN, AlbBalancer
from crossfade.platforms.aws.alb.counts import MINUTE, Counts
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.doors import Doors
from crossfade.platforms.aws.ecs import errand, logs
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.ecs.errand import Errands
from crossfade.platforms.aws.ecs.logs import Logs
from crossfade.platforms.aws.ecs.runtime import EcsRuntime
from crossfade.platforms.aws.ecs.scaling import Scaling
from crossfade.platforms.aws.images.images import Images
from crossfade.platforms.aws.place import Finder
from crossfade.platforms.aws.secrets import PinnedSecrets, Pins
from crossfade.platforms.aws.sight import SAME_MOMENT, Lookout
from crossfade.platforms.aws.site import edge
from crossfade.platforms.aws.site.edge import SiteEdge
from crossfade.platforms.aws.site.place import SiteFinder
from crossfade.platforms.aws.site.runtime import SiteRuntime
from crossfade.platforms.aws.snapshots import Snapshots

SHORTEST_LEASE = 15.0  # seconds, as on one machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds, as AWS wants them. A look is six calls and two of the journal: one each 9 s makes 56 calls a minute.

    What a list says may be a few seconds old, so nobody looks sooner after an act.
    """

    busy: float = 9.0
    idle: float = 30.0
    retry: float = 9.0
    lease: float = 60.0
    settle: float = 4.0
    margin: float = MARGIN
    moment: float = SAME_MOMENT
    errand: float = errand.LOOK
    log: float = logs.LOOK
    minute: float = MINUTE
    edge: float = edge.LOOK
    snapshot: float = snapshots.LOOK

    def faster(self, times: float) -> "Timing":
        """For an emulator whose own times are so many times shorter. Its answers come at once, and so may the lease."""
        shorter = {one.name: getattr(self, one.name) / times for one in fields(self)}
        return Timing(**{**shorter, "lease": max(min(self.lease, SHORTEST_LEASE), shorter["lease"])})

    @property
    def pace(self) -> Pace:
        return Pace(busy=self.busy, idle=self.idle, retry=self.retry, lease=self.lease, settle=self.settle)


class Adapters:
    """`runtime` is its `Sizer` as well. `pins` are asked for the secrets that a deploy is to bring along."""

    def __init__(
        self, clients: Clients, places: Places, fence: Fence, clock: Clock, timing: Timing | None = None
    ) -> None:
        self.timing = timing or Timing()
        finder, definitions = Finder(clients, places), Definitions(clients, places)
        self.lookout = Lookout(clients, finder, definitions, clock, self.timing.moment)
        self.secrets = PinnedSecrets()
        self.pins = Pins(clients, finder, definitions)
        self.runtime = EcsRuntime(
            clients,
            self.lookout,
            definitions,
            fence,
            errands=Errands(clients, definitions, clock, self.timing.errand),
            images=Images(clients, places),
            logs=Logs(clients, self.lookout, definitions, clock, self.timing.log),
            scaling=Scaling(clients, clock),
            pins=self.pins,
            snapshots=Snapshots(clients, clock, self.timing.snapshot),
        )
        counts = Counts(clients, clock, self.timing.minute)
        balancer = AlbBalancer(clients, self.lookout, counts, fence=fence, clock=clock, margin=self.timing.margin)
        place = SiteFinder(clients, places)
        self.site = SiteRuntime(clients, place, fence, clock)
        self.balancer = Doors(balancer, SiteEdge(clients, place, fence=fence, clock=clock, look=self.timing.edge))
