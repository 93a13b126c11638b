"""Application Auto Scaling acts on a service's metric, and leaves alone what is suspended."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.rig.tests.site import Site

pytestmark = pytest.mark.long

DIMENSION = "ecs:service:DesiredCount"


def resource(site: Site) -> str:
    return site.place.services["blue"].rpartition(":")[2]


def register(site: Site, **suspended: bool) -> None:
    site.rig.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=resource(site),
        ScalableDimension=DIMENSION,
        MinCapacity=1,
        MaxCapacity=3,
        SuspendedState=suspended,
    )


def cpu(site: Site, percent: float) -> None:
    """The last minutes, and the ones to come, are like this."""
    names = site.place.cluster.rpartition("/")[2], resource(site).rpartition("/")[2]
    dimensions = [{"Name": "ClusterName", "Value": names[0]}, {"Name": "ServiceName", "Value": names[1]}]
    begin = datetime.now(UTC) - timedelta(seconds=15 * 3)
    site.rig.client("cloudwatch").put_metric_data(
        Namespace="AWS/ECS",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": dimensions,
                "Value": percent,
                "Timestamp": begin + timedelta(seconds=3 * minute),  # a minute at a pace of 20
            }
            for minute in range(40)
        ],
    )


async def test_a_suspended_target_is_left_alone_and_one_that_is_not_grows(site: Site) -> None:
    await site.until_healthy("blue", 2)
    register(site, DynamicScalingOutSuspended=True)
    site.rig.client("application-autoscaling").put_scaling_policy(
        PolicyName="cpu",
        ServiceNamespace="ecs",
        ResourceId=resource(site),
        ScalableDimension=DIMENSION,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
        },
    )
    cpu(site, 90)
    looks = site.looks()
    await site.until(lambda: site.looks() >= looks + 2)
    assert site.service("blue")["desiredCount"] == 2
    register(site, DynamicScalingOutSuspended=False)
    await site.until(lambda: site.service("blue")["desiredCount"] == 3)
