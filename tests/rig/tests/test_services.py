"""Services: deployments, counts, the circuit breaker, and what a service says of itself."""

import pytest
from tests.rig.tests.site import Site

from crossfade.load import LoadGenerator

pytestmark = pytest.mark.long


async def test_a_rolling_deployment_loses_nothing_and_is_known_by_its_id(site: Site) -> None:
    await site.until_healthy("blue", 2)
    await site.until_answered_by("1")
    before = site.service("blue")["deployments"][0]["id"]
    async with LoadGenerator(f"{site.url}/slow?s=0.05", clients=4) as traffic:
        site.update("blue", taskDefinition=site.definition(RELEASE="2"))
        both = site.service("blue")["deployments"]
        assert [one["status"] for one in both] == ["PRIMARY", "ACTIVE"]
        assert both[1]["id"] == before
        await site.until(lambda: site.service("blue")["deployments"][0]["rolloutState"] == "COMPLETED")
        await site.until_answered_by("2")
        # The old one is there for as long as the last of its tasks drains.
        await site.until(lambda: len(site.service("blue")["deployments"]) == 1)
    assert not traffic.report().failed, traffic.report().losses
    assert "has reached a steady state." in site.service("blue")["events"][0]["message"]


async def test_the_breaker_gives_up_and_leaves_what_runs_alone(site: Site) -> None:
    """Without rollback: the deployment is FAILED, and the old one serves on."""
    await site.until_healthy("blue", 2)
    site.update("blue", taskDefinition=site.definition(FAULT="broken"))
    await site.until(lambda: site.service("blue")["deployments"][0]["rolloutState"] == "FAILED")
    new, old = site.service("blue")["deployments"]
    assert "circuit breaker" in new["rolloutStateReason"]
    assert new["failedTasks"] >= 3
    assert (old["runningCount"], old["rolloutState"]) == (2, "COMPLETED")
    stopped = [one for one in site.tasks("blue", "STOPPED") if one["startedBy"] == new["id"]]
    assert {(one["stopCode"], one["containers"][0]["exitCode"]) for one in stopped} == {("EssentialContainerExited", 1)}
    site.update("blue", taskDefinition=old["taskDefinition"])
    await site.until(lambda: site.service("blue")["deployments"][0]["rolloutState"] == "COMPLETED")


async def test_a_deployment_that_is_stopped_goes_back_to_the_tasks_that_serve(site: Site) -> None:
    """They go on, and those of the stopped one end; one that is over cannot be stopped."""
    await site.until_healthy("blue", 2)
    await site.until(lambda: site.service("blue")["deployments"][0]["rolloutState"] == "COMPLETED")
    before = site.service("blue")["deployments"][0]["id"]
    site.update("blue", forceNewDeployment=True)
    asked = {"cluster": site.place.cluster, "service": site.place.services["blue"], "status": ["IN_PROGRESS"]}
    (under_way,) = site.ecs.list_service_deployments(**asked)["serviceDeployments"]
    site.ecs.stop_service_deployment(serviceDeploymentArn=under_way["serviceDeploymentArn"], stopType="ROLLBACK")
    await site.until(lambda: [one["id"] for one in site.service("blue")["deployments"]] == [before])
    assert site.service("blue")["runningCount"] == 2
    with pytest.raises(site.ecs.exceptions.ServiceDeploymentNotFoundException):
        site.ecs.stop_service_deployment(serviceDeploymentArn=under_way["serviceDeploymentArn"])


async def test_a_slow_start_is_forgiven_in_the_grace_period_and_punished_without(site: Site) -> None:
    """60 s of grace are 3 s here."""
    site.update("green", desiredCount=1, taskDefinition=site.definition(RELEASE="2", BOOT="1.5"))
    await site.until_healthy("green", 1)
    assert not site.tasks("green", "STOPPED")
    slow = site.definition(RELEASE="3", BOOT="600")
    site.update("green", taskDefinition=slow, healthCheckGracePeriodSeconds=0)
    await site.until(lambda: any("ELB health checks" in one["stoppedReason"] for one in site.tasks("green", "STOPPED")))
    site.update("green", desiredCount=0)
    await site.until_gone("green")


async def test_tasks_that_fail_their_checks_stay_until_others_are_healthy(site: Site) -> None:
    """A busy moment in which both miss their checks empties no service: who is in doubt is replaced first."""
    await site.until_healthy("blue", 2)
    group, running = site.place.target_groups["blue"], list[int]()

    def ended() -> bool:
        running.append(site.service("blue")["runningCount"])
        return any("ELB health checks" in one["stoppedReason"] for one in site.tasks("blue", "STOPPED"))

    site.elb.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "299"})
    try:
        await site.until(ended)
    finally:
        site.elb.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "200"})
    await site.until_healthy("blue", 2)
    assert min(running) >= 2


async def test_a_service_of_that_name_is_not_made_twice(site: Site) -> None:
    name = site.place.services["blue"].rsplit("/", 1)[-1]
    with pytest.raises(site.ecs.exceptions.InvalidParameterException, match="not idempotent"):
        site.ecs.create_service(
            cluster=site.place.cluster, serviceName=name, taskDefinition=site.place.definition, desiredCount=1
        )


async def test_a_service_that_is_scaled_above_nothing_is_deleted_by_force_only(site: Site) -> None:
    made = site.ecs.create_service(
        cluster=site.place.cluster, serviceName="alone", taskDefinition=site.definition(), desiredCount=1
    )["service"]
    with pytest.raises(site.ecs.exceptions.InvalidParameterException, match="scaled above 0"):
        site.ecs.delete_service(cluster=site.place.cluster, service="alone")
    site.ecs.delete_service(cluster=site.place.cluster, service="alone", force=True)

    def status() -> str:
        told = site.ecs.describe_services(cluster=site.place.cluster, services=[made["serviceArn"]])
        return str(told["services"][0]["status"])

    await site.until(lambda: status() == "INACTIVE")
