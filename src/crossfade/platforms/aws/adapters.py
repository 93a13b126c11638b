"""The adapters of one environment on AWS, put together: what keeps its releases, what sends traffic, how patiently."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from crossfade.adapters import ON_AWS
from crossfade.aws.places import Places
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.schedules import Schedules
from crossfade.engine.world import Pace
from crossfade.platforms.aws import following
from crossfade.platforms.aws.alb.balancer import MARGIN, AlbBalancer
from crossfade.platforms.aws.alb.counts import MINUTE, Counts
from crossfade.platforms.aws.autoscaling.containers import ContainerRuntime
from crossfade.platforms.aws.autoscaling.errands import HostErrands
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.runtime import GroupRuntime
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.balancer import EnvironmentBalancer
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.codedeploy.deployments import Deployments
from crossfade.platforms.aws.codedeploy.lookout import RevisionLookout
from crossfade.platforms.aws.codedeploy.revisions import Revisions
from crossfade.platforms.aws.codedeploy.runtime import RevisionRuntime
from crossfade.platforms.aws.database import snapshots
from crossfade.platforms.aws.database.backups import Backups
from crossfade.platforms.aws.database.dumps import Dumps
from crossfade.platforms.aws.database.snapshots import Snapshots
from crossfade.platforms.aws.ecs import errand
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.ecs.errand import Errands
from crossfade.platforms.aws.ecs.jobs import JobSchedules
from crossfade.platforms.aws.ecs.logs import TaskLogs
from crossfade.platforms.aws.ecs.lookout import TaskLookout
from crossfade.platforms.aws.ecs.runtime import EcsRuntime
from crossfade.platforms.aws.ecs.scaling import Scaling
from crossfade.platforms.aws.images.images import Images
from crossfade.platforms.aws.place import Finder
from crossfade.platforms.aws.secrets import PinnedSecrets, SecretPins
from crossfade.platforms.aws.sight import SAME_MOMENT, Lookout
from crossfade.platforms.aws.site import edge
from crossfade.platforms.aws.site.edge import SiteEdge
from crossfade.platforms.aws.site.place import SiteFinder
from crossfade.platforms.aws.site.runtime import SiteRuntime

SHORTEST_LEASE = 15.0  # seconds, as on one machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds, as AWS wants them. A look is five calls and two of the journal: one each 9 s makes 51 calls a minute.

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
    log: float = following.LOOK
    minute: float = MINUTE
    counted: float = 2 * MINUTE  # a request is in a minute's figures, which are told a minute or so after its end
    edge: float = edge.LOOK
    snapshot: float = snapshots.LOOK

    def faster(self, times: float) -> "Timing":
        """For an emulator whose own times are so many times shorter. Its answers come at once, and so may the lease."""
        shorter = {one.name: getattr(self, one.name) / times for one in fields(self)}
        return Timing(**{**shorter, "lease": max(min(self.lease, SHORTEST_LEASE), shorter["lease"])})

    @property
    def pace(self) -> Pace:
        return Pace(
            busy=self.busy,
            idle=self.idle,
            retry=self.retry,
            lease=self.lease,
            counted=self.counted,
            settle=self.settle,
        )


class Adapters:
    """`runtime` is its `Sizer` as well, and `kind` what services call it. `pins` are asked for the secrets that a
    deploy is to bring along. `compute` is the file's: what runs the services. `host` is what the load balancer's
    certificate is for, and `reached_at` is told where such names are asked. `log_group` is where hosts' logs are, by
    default Docker's; empty: nowhere. `revision` is what goes with the source where CodeDeploy brings it to the hosts:
    appspec and hooks, texts by path.
    """

    runtime: EcsRuntime | GroupRuntime
    lookout: Lookout
    pins: SecretPins

    def __init__(
        self,
        clients: Clients,
        places: Places,
        fence: Fence,
        clock: Clock,
        timing: Timing | None = None,
        *,
        compute: str = "fargate",
        host: str = "",
        reached_at: dict[str, str] | None = None,
        log_group: str | None = None,
        revision: Mapping[str, str] | None = None,
    ) -> None:
        self.timing = timing or Timing()
        self.secrets = PinnedSecrets()
        self.kind = ON_AWS.get(compute, compute)
        self.schedules: Mapping[str, Schedules] = {}
        self._host, self._reached_at = host, reached_at
        self._log_group = places.hosts_log_group if log_group is None else log_group
        if compute == "autoscaling":
            if revision is None:
                self._hosts(clients, places, fence, clock)
            else:
                self._processes(clients, places, fence, clock, revision)
        else:
            self._containers(clients, places, fence, clock)
        counts = Counts(clients, clock, self.timing.minute)
        balancer = AlbBalancer(clients, self.lookout, counts, fence=fence, clock=clock, margin=self.timing.margin)
        place = SiteFinder(clients, places)
        self.site = SiteRuntime(clients, place, fence, clock)
        edge = SiteEdge(clients, place, fence=fence, clock=clock, look=self.timing.edge)
        self.balancer = EnvironmentBalancer(balancer, edge)

    def _containers(self, clients: Clients, places: Places, fence: Fence, clock: Clock) -> None:
        finder, definitions = Finder(clients, places, self._host, self._reached_at), Definitions(clients, places)
        lookout = self.lookout = TaskLookout(clients, finder, definitions, clock, self.timing.moment)

        async def where(key: str) -> Mapping[str, str]:
            return await definitions.secrets(key, (await finder.place(key)).container)

        jobs = JobSchedules(clients, places, finder, lookout, definitions, fence, clock)
        self.schedules = {self.kind: jobs}
        self.pins = SecretPins(clients, where)
        self.runtime = EcsRuntime(
            clients,
            lookout,
            definitions,
            fence,
            errands=Errands(clients, definitions, clock, self.timing.errand),
            artifacts=Images(clients, places),
            logs=TaskLogs(clients, lookout, definitions, clock, self.timing.log),
            scaling=Scaling(clients, places, clock),
            pins=self.pins,
            backups=self._backups(clients, places, clock),
        )

    def _hosts(self, clients: Clients, places: Places, fence: Fence, clock: Clock) -> None:
        finder = GroupFinder(clients, places, self._host, self._reached_at)
        templates = Templates(clients, places)
        lookout = GroupLookout(clients, finder, templates, clock, self._log_group, self.timing.moment)
        self.lookout, self.pins = lookout, SecretPins(clients, templates.secrets)
        self.runtime = ContainerRuntime(
            clients,
            lookout,
            finder,
            templates,
            fence,
            errands=HostErrands(clients, clock, self.timing.errand),
            artifacts=Images(clients, places),
            logs=HostsLogs(clients, lookout, clock, self.timing.log),
            pins=self.pins,
            backups=self._backups(clients, places, clock),
        )

    def _backups(self, clients: Clients, places: Places, clock: Clock) -> Backups:
        snapshots = Snapshots(clients, clock, self.timing.snapshot)
        return Backups(snapshots, Dumps(clients, clock, places, self.timing.errand))

    def _processes(
        self, clients: Clients, places: Places, fence: Fence, clock: Clock, revision: Mapping[str, str]
    ) -> None:
        finder, templates, deployments = (
            GroupFinder(clients, places, self._host, self._reached_at),
            Templates(clients, places),
            Deployments(clients, places),
        )
        lookout = RevisionLookout(clients, finder, templates, clock, deployments, self._log_group, self.timing.moment)
        self.lookout, self.pins = lookout, SecretPins(clients, templates.secrets)
        self.runtime = RevisionRuntime(
            clients,
            lookout,
            finder,
            templates,
            fence,
            deployments=deployments,
            artifacts=Revisions(clients, templates, places.environment, revision),
            logs=HostsLogs(clients, lookout, clock, self.timing.log),
            pins=self.pins,
        )
