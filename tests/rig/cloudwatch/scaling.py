"""Application Auto Scaling: policies that the emulator only keeps, acted on; and what is suspended is left alone.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import asyncio
import logging
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.rig.cloudwatch.minutes import BALANCERS, MINUTE
from tests.rig.cloudwatch.operations import CloudWatch
from tests.rig.ecs.service import Rollout, Service
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import Json
from tests.rig.working import Working

_log = logging.getLogger(__name__)
# "Target tracking scaling policies do not scale in as long as the metric is within ten percent of the target."
_IN_BELOW = 0.9
_MINUTES_OUT, _MINUTES_IN = 3, 15  # of the alarms that a policy makes
_COOLDOWN = 300
_ECS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


class Scaling(Working):
    """Looks once a minute at every service that is a scalable target."""

    def __init__(
        self, emulator: Emulator, knobs: Knobs, cloudwatch: CloudWatch, services: dict[tuple[str, str], Service]
    ) -> None:
        self._emulator, self._knobs, self._cloudwatch, self._services = emulator, knobs, cloudwatch, services
        self.looks = 0
        self._acted: dict[str, float] = {}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._knobs.real(MINUTE))
            self.looks += 1
            for region in sorted({service.region for service in self._services.values()}):
                try:
                    await self._look(region)
                except Exception:  # noqa: BLE001  a policy that is not understood must not stop the others
                    _log.exception("scaling in %s", region)

    async def _look(self, region: str) -> None:
        targets, policies = await self._emulator.use("application-autoscaling", region, _read)
        for target in targets:
            service = self._service(target["ResourceId"])
            mine = [one for one in policies if one["ResourceId"] == target["ResourceId"]]
            if service is not None and mine:
                self._scale(service, target, mine)

    def _scale(self, service: Service, target: Json, policies: list[Json]) -> None:
        """Out when one policy wants it; in when all that may do so want it."""
        suspended = target.get("SuspendedState") or {}
        wanted = [self._wanted(service, one) for one in policies]
        known = [one for one in wanted if one is not None]
        if not known:
            return
        to = min(max(*known, target["MinCapacity"], 0), target["MaxCapacity"])
        if to == service.desired:
            return
        out = to > service.desired
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html: "turns off scale-in
        # processes while Amazon ECS deployments are in progress. However, scale-out processes continue to occur".
        if not out and (len(known) < len(policies) or service.primary.rollout is Rollout.IN_PROGRESS):
            return
        if suspended.get("DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"):
            return
        now = asyncio.get_running_loop().time()
        if now < self._acted.get(service.arn, 0.0):
            return
        configuration = policies[0]["TargetTrackingScalingPolicyConfiguration"]
        cooldown = configuration.get("ScaleOutCooldown" if out else "ScaleInCooldown")
        self._acted[service.arn] = now + self._knobs.real(_COOLDOWN if cooldown is None else cooldown)
        service.desired, service.steady = to, False

    def _wanted(self, service: Service, policy: Json) -> int | None:
        """How many tasks the policy wants; None where it has nothing to go by."""
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        goal = float(configuration["TargetValue"])
        values = self._values(service, configuration)
        recent = values[-_MINUTES_OUT:]
        if len(recent) == _MINUTES_OUT and min(recent) > goal:
            return max(service.desired, math.ceil(service.desired * recent[-1] / goal))
        quiet = values[-_MINUTES_IN:]
        if len(quiet) == _MINUTES_IN and max(quiet) < _IN_BELOW * goal and not configuration.get("DisableScaleIn"):
            return min(service.desired, math.ceil(service.desired * quiet[-1] / goal))
        return service.desired if values else None

    def _values(self, service: Service, configuration: Json) -> list[float]:
        """The metric of the last minutes, oldest first."""
        end = datetime.now(UTC)
        start = end - timedelta(seconds=self._knobs.real((_MINUTES_IN + 3) * MINUTE))
        queries = _queries(service, configuration)
        asked = next(one["Id"] for one in queries if one.get("ReturnData", True))
        points = self._cloudwatch.points(queries, start, end)[asked]
        return [value for _, value in sorted(points.items())]

    def _service(self, resource: str) -> Service | None:
        """Of `service/CLUSTER/NAME`."""
        return next((one for one in self._services.values() if one.arn.endswith(f":{resource}")), None)


def _read(client: Any) -> tuple[list[Json], list[Json]]:
    targets = client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    policies = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    return targets, [one for one in policies if one["PolicyType"] == "TargetTrackingScaling"]


def _queries(service: Service, configuration: Json) -> list[Json]:
    """The metric that a policy goes by, as GetMetricData is asked for it."""
    custom = configuration.get("CustomizedMetricSpecification")
    if custom and custom.get("Metrics"):
        queries: list[Json] = custom["Metrics"]
        for query in queries:
            query.get("MetricStat", {}).setdefault("Period", MINUTE)
        return queries
    if custom:
        metric = {name: custom[name] for name in ("Namespace", "MetricName", "Dimensions") if custom.get(name)}
        return [_query(metric, custom["Statistic"])]
    predefined = configuration["PredefinedMetricSpecification"]
    kind = predefined["PredefinedMetricType"]
    if kind in _ECS:
        of = {"ClusterName": service.cluster["clusterName"], "ServiceName": service.name}
        return [_query(_metric("AWS/ECS", _ECS[kind], of), "Average")]
    # `app/NAME/ID/targetgroup/NAME/ID`
    balancer, _, group = predefined["ResourceLabel"].partition("/targetgroup/")
    of = {"LoadBalancer": balancer, "TargetGroup": f"targetgroup/{group}"}
    return [_query(_metric(BALANCERS, "RequestCountPerTarget", of), "Sum")]


def _metric(namespace: str, name: str, of: dict[str, str]) -> Json:
    dimensions = [{"Name": key, "Value": value} for key, value in of.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}


def _query(metric: Json, statistic: str) -> Json:
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": MINUTE, "Stat": statistic}}
