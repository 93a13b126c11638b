"""What ECS does with a service when nobody asks: starts, replaces and ends tasks until it is as it shall be.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
"""

import asyncio
import logging
import math
import sys
from collections.abc import Callable

from tests.rig.balancer.balancer import Balancer
from tests.rig.balancer.targets import HEALTHY, State
from tests.rig.ecs.service import Deployment, Rollout, Service
from tests.rig.ecs.task import Status, StopCode, Task, now
from tests.rig.knobs import Knobs
from tests.rig.working import Working

_log = logging.getLogger(__name__)
_EVERY = 0.1  # seconds of this machine between two looks
_LONGEST_WAIT = 27 * 60.0  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html


class Scheduler(Working):
    """Steps through services; `start` begins a task of one of their deployments."""

    def __init__(self, knobs: Knobs, balancer: Balancer, start: Callable[[Service, Deployment], Task]) -> None:
        self._knobs, self._balancer, self._start = knobs, balancer, start
        self.services: dict[tuple[str, str], Service] = {}  # by the cluster's ARN and the service's name

    async def _run(self) -> None:
        while True:
            for service in self.services.values():
                try:
                    self._step(service)
                except Exception:  # noqa: BLE001  one service must not stop the others
                    _log.exception("service %s", service.name)
            await asyncio.sleep(_EVERY)

    def _step(self, service: Service) -> None:
        self._count_ended(service)
        if service.status == "DRAINING" and not service.tasks:
            service.status = "INACTIVE"
        if service.status == "INACTIVE":
            return
        self._judge_health(service)
        self._break(service)
        self._start_missing(service)
        self._end_surplus(service)
        self._settle(service)

    def _count_ended(self, service: Service) -> None:
        """Who ended by itself while a deployment was in progress is one of its failed tasks."""
        for task in [task for task in service.tasks if task.stopped]:
            service.tasks.remove(task)
            if task.stop_code in (StopCode.EXITED, StopCode.FAILED_TO_START):
                self._failed(service, task.deployment)
                service.say(f"has stopped 1 running tasks: (task {task.id}).")

    def _failed(self, service: Service, begun: str) -> None:
        """The next start waits longer after each failure."""
        deployment = next((one for one in service.deployments if one.id == begun), None)
        if deployment is None:
            return
        if deployment.rollout is Rollout.IN_PROGRESS:
            deployment.failed += 1
        deployment.waits = min(_LONGEST_WAIT, max(1.0, deployment.waits * 2))
        deployment.next_start = asyncio.get_running_loop().time() + self._knobs.real(deployment.waits)

    def _judge_health(self, service: Service) -> None:
        """A task whose target is unhealthy is to be replaced, except in its grace period, and goes once that is done.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html, healthCheckGracePeriodSeconds,
        and https://aws.amazon.com/about-aws/whats-new/2023/10/amazon-ecs-applications-resiliency-unpredictable-load-spikes/:
        it starts another one for each and waits until that is healthy before it ends the one in doubt.
        """
        grace = self._knobs.real(service.spec.get("healthCheckGracePeriodSeconds") or 0)
        for task in service.tasks:
            if task.last is not Status.RUNNING or not task.wanted:
                continue
            if (now() - task.times["startedAt"]).total_seconds() < grace:
                continue
            was, task.sick_in = task.sick_in, self._unhealthy_in(task)
            if task.sick_in and not was:
                service.say(
                    f"(port {dict(task.targets)[task.sick_in]}) is unhealthy in (target-group {task.sick_in}) "
                    "due to (reason Health checks failed)."
                )
                self._failed(service, task.deployment)

    def _unhealthy_in(self, task: Task) -> str:
        """The target group whose checks it fails; empty when it fails none."""
        for arn, port in task.targets:
            group = self._balancer.groups.get(arn)
            if group is None or not group.used:
                continue
            if any(target.health.state is State.UNHEALTHY for target in group.find(task.address, port)):
                return arn
        return ""

    def _break(self, service: Service) -> None:
        """The circuit breaker.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html: half of the desired
        count, at least 3 and at most 200; a task that gets healthy sets the count back.
        """
        breaker = service.configuration.get("deploymentCircuitBreaker") or {}
        primary = service.primary
        if not breaker.get("enable") or primary.rollout is not Rollout.IN_PROGRESS:
            return
        if breaker.get("resetOnHealthyTask", True) and any(self.healthy(task) for task in service.of(primary)):
            primary.failed, primary.waits = 0, 0.0
        if primary.failed < min(200, max(3, math.ceil(service.desired / 2))):
            return
        primary.go(Rollout.FAILED, "ECS deployment circuit breaker: tasks failed to start.")
        service.say(f"(deployment {primary.id}) deployment failed: tasks failed to start.")
        good = next((one for one in service.deployments[1:] if one.rollout is Rollout.COMPLETED), None)
        if breaker.get("rollback") and good:
            service.roll_back(good, f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}.")

    def _start_missing(self, service: Service) -> None:
        primary = service.primary
        if primary.rollout is Rollout.FAILED or asyncio.get_running_loop().time() < primary.next_start:
            return
        # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html: "an upper limit on
        # the number of your service's tasks that are allowed in the RUNNING or PENDING state during a deployment".
        most = math.floor(service.desired * service.configuration["maximumPercent"] / 100)
        have = sum(task.wanted and not task.sick_in for task in service.of(primary))
        room = most - sum(task.wanted for task in service.tasks)
        missing = min(service.desired - have, room)
        started = [self._start(service, primary) for _ in range(min(missing, self._left()))]
        if missing > len(started):
            # As seen in wellcomecollection/platform#3875.
            service.say(
                "was unable to place a task. Reason: You've reached the limit on the number of tasks you can run "
                "concurrently. For more information, see the Troubleshooting section."
            )
            self._failed(service, primary.id)
        service.tasks += started
        if started:
            service.steady = False
            service.say(f"has started {len(started)} tasks: {' '.join(f'(task {task.id})' for task in started)}.")

    def _left(self) -> int:
        """How many tasks more the account may have."""
        has = sum(len(service.tasks) for service in self.services.values())
        return max(0, int(self._knobs.quota) - has) if self._knobs.quota else sys.maxsize

    def _end_surplus(self, service: Service) -> None:
        """Older deployments' tasks and what is above the desired count, as far as enough healthy ones stay."""
        least = math.ceil(service.desired * service.configuration["minimumHealthyPercent"] / 100)
        wanted = [task for task in service.tasks if task.wanted]
        new = [task for task in wanted if task.deployment == service.primary.id]
        old = [task for task in wanted if task.deployment != service.primary.id]
        if service.primary.rollout is Rollout.FAILED and service.desired:
            old, new = [], []
        healthy = sum(self.healthy(task) for task in wanted)
        sick = [task for task in new if task.sick_in]
        new = [task for task in new if not task.sick_in]
        new.sort(key=self.healthy, reverse=True)  # who is not healthy goes first
        for task in [*old, *new[service.desired :]]:
            counts = self.healthy(task)
            if counts and healthy - 1 < least:
                continue
            healthy -= counts
            service.steady = False
            said = f"Scaling activity initiated by (deployment {service.primary.id})"
            task.stop(StopCode.BY_SERVICE, said, drains=True)
            service.say(f"has begun draining connections on 1 tasks: (task {task.id}).")
        self._end_sick(service, sick, sum(self.healthy(task) for task in new))

    def _end_sick(self, service: Service, sick: list[Task], healthy: int) -> None:
        """One for each healthy task that came in its place; where there is no room for any, one whom enough do without.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html, of both percentages.
        """
        config, desired = service.configuration, service.desired
        stay = max(0, desired - healthy)
        wanted = [task for task in service.tasks if task.wanted]
        least = math.ceil(desired * config["minimumHealthyPercent"] / 100)
        full = len(wanted) >= math.floor(desired * config["maximumPercent"] / 100)
        if full and sum(map(self.healthy, wanted)) + len(sick) - 1 >= least:
            stay = min(stay, len(sick) - 1)
        for task in sick[: max(0, len(sick) - stay)]:
            said = f"Task failed ELB health checks in (target-group {task.sick_in})"
            task.stop(StopCode.BY_SERVICE, said, drains=True)

    def _settle(self, service: Service) -> None:
        primary = service.primary
        service.deployments[1:] = [one for one in service.deployments[1:] if service.of(one) or not self._done(service)]
        running = [task for task in service.of(primary) if task.wanted and self.healthy(task)]
        if len(running) < service.desired or len(service.tasks) > len(running):
            return
        if primary.rollout is Rollout.IN_PROGRESS:
            primary.go(Rollout.COMPLETED, f"ECS deployment {primary.id} completed.")
            service.say(f"(deployment {primary.id}) deployment completed.")
        if not service.steady and primary.rollout is Rollout.COMPLETED:
            service.steady = True
            service.say("has reached a steady state.")

    def _done(self, service: Service) -> bool:
        return service.primary.rollout is Rollout.COMPLETED

    def healthy(self, task: Task) -> bool:
        """It runs, and each balancer that asks finds it healthy."""
        if task.last is not Status.RUNNING:
            return False
        for arn, port in task.targets:
            group = self._balancer.groups.get(arn)
            if group is not None and group.used:
                found = group.find(task.address, port)
                if not found or any(target.health is not HEALTHY for target in found):
                    return False
        return True
