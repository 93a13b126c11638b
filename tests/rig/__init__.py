"""An AWS on this machine that does what it says: one endpoint for any client, with a real data plane behind it.

A gateway stands before moto, in one process with it, and answers by itself what moto only pretends to do. Tasks are
processes, every Application Load Balancer is a listener of one Envoy, targets have AWS's states, and all of it happens
as late as AWS says. By hand: `python -m tests.rig`. In a test:

    async with Rig(pace=10, lag=2) as rig:            # or `with`; its own process, so blocking clients are fine
        place = make(rig)                             # tests.rig.place: what `infra apply` makes for one web service
        client = rig.client("ecs")                    # or any client: rig.endpoint, rig.environment
        rig.address_of(place.load_balancer)           # "127.0.0.1:23456", where the ALB's listener is
        rig.images.add("shop/web:2", [sys.executable, "app.py"], folder=Path("app"))  # -> "sha256:..."
        rig.knobs.throttle("ecs", "*", rate=0.5)      # also: refuse, lose_answer, cut, delay; clear()
        rig.knobs.set(lag=20)                         # pace, lag, task_start, metrics_after, invalidation, quota
        rig.calls()                                   # {"ecs:UpdateService": 3, ...}

Times are AWS's seconds divided by `pace`: at 10, a deregistration delay of 30 s takes 3 s. `lag` is AWS's seconds, too:
how late every change of listeners, rules, weights, targets and their health is in the data plane.

An image is a program of this machine, found by `repository:tag` or `repository@digest`; the definition's `command` runs
instead of its own. `rig/host:latest` has none of its own. Any other reference is a CannotPullContainerError. A process
listens on PORT at 127.0.0.1 (another port than the definition's; clients see the task's address and containerPort).

With `Rig(containers=True)` an image that Docker has is run as a container. An image named as ECR names it is in ECR,
too; Docker pushes to ECR's registry with the login of GetAuthorizationToken.

CloudWatch's metrics are kept by minutes of 60 s divided by the pace; their timestamps are this machine's. Logs are
what tasks write. Target tracking acts, of groups by their CPU, and so does a group's step policy by its alarm;
scheduled actions are only kept. Distributions have a caching edge before their bucket or load balancer, on a port of
their own: `rig.address_of(distribution_arn)`. CloudFront functions are not run but the one that crossfade writes. RDS
and ElastiCache are moto's shapes; Terraform applies a whole environment, and plans again only what moto forgets of
those.

An instance of EC2 is a real machine in small: disks, a network and processes of its own, and the instance metadata
service. It boots by running its user data, finds `docker` (an image is a program here, too), `systemctl` with nginx and
the units that it wrote, and `aws`. That takes root; without it instances are moto's shapes. RunInstances makes one, and
Auto Scaling groups do (`tests.rig.groups.make`), which keep their size, replace who is sick and are refreshed:

        rig.ask("GET", "/instances")                  # each with its console and where its open ports really are
        rig.ask("POST", f"/instances/{id}/ports/22")  # {"address": "127.0.0.1:23456"}: any port of it, from here
        rig.ask("POST", f"/instances/{id}/run", {"argv": ["ps", "ax"]})   # {"code": 0, "out": "..."}
        rig.ask("DELETE", f"/instances/{id}")         # its power is cut

Each rule of AWS's stands beside its source. What is not a rule but a figure that AWS does not promise is a knob.
"""

from tests.rig.knobs import Fault, Kind
from tests.rig.rig import Rig

__all__ = ["Fault", "Kind", "Rig"]
