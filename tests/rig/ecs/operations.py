"""ECS's API, as far as services and tasks go; clusters and task definitions are the emulator's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.rig.ecs.life import Life
from tests.rig.ecs.scheduler import Scheduler
from tests.rig.ecs.service import Deployment, Rollout, Service
from tests.rig.ecs.task import StopCode, Task
from tests.rig.emulator import Emulator
from tests.rig.wire import AwsError, Call, Json

_NOT_SAID = ("cluster", "service", "serviceName", "clientToken", "desiredCount", "taskDefinition", "forceNewDeployment")


class Ecs:
    """Each operation takes a call and returns its answer; None: this one is the emulator's."""

    def __init__(self, emulator: Emulator, life: Life, scheduler: Scheduler) -> None:
        self._emulator, self._life = emulator, life
        self._services = scheduler.services
        self._tasks: dict[str, Task] = {}
        self._given: dict[str, Any] = {}  # answers by client token
        self._clusters: dict[tuple[str, str], Json] = {}  # by region and name, or ARN
        self.stopped: Callable[[Task], Awaitable[None]] | None = None  # is told of each that has
        self._telling: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End all tasks."""
        living = [task for task in self._tasks.values() if not task.stopped]
        for task in living:
            task.stop(StopCode.BY_USER, "the rig ends")
            for container in task.containers:
                await container.stop(0)
        await asyncio.gather(*(task.life for task in living if task.life), return_exceptions=True)
        for telling in self._telling:
            telling.cancel()

    def begin(self, service: Service, deployment: Deployment) -> Task:
        """A task of a service."""
        definition = service.definitions[deployment.definition]
        group = f"service:{service.name}"
        spec = {
            **service.spec,
            "tags": service.spec.get("tags") if service.spec.get("propagateTags") == "SERVICE" else [],
        }
        task = Task(service.region, service.cluster, definition, group, deployment.id, spec, deployment.id)
        return self._begin(task)

    def _begin(self, task: Task) -> Task:
        self._tasks[task.arn] = task
        self._life.begin(task)
        telling = asyncio.create_task(self._tell_of_end(task))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        return task

    async def _tell_of_end(self, task: Task) -> None:
        if task.life and self.stopped:
            await asyncio.wait([task.life])
            await self.stopped(task)

    # Services

    async def create_service(self, call: Call) -> Json:
        said = call.params
        cluster = await self._cluster(call)
        key = (cluster["clusterArn"], said["serviceName"])
        old = self._services.get(key)
        if old is not None and old.status != "INACTIVE":
            # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
            if said.get("clientToken") and self._given.get(said["clientToken"]) is old:
                return {"service": old.shown(tags=True)}
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        definition = await self._definition(call, said["taskDefinition"])
        spec = {name: value for name, value in said.items() if name not in _NOT_SAID}
        service = Service(call.region, cluster, said["serviceName"], spec, int(said.get("desiredCount") or 0))
        self._deploy(service, definition)
        await self._tell(service, definition["taskDefinitionArn"])
        self._services[key] = service
        if said.get("clientToken"):
            self._given[said["clientToken"]] = service
        return {"service": service.shown(tags=True)}

    async def update_service(self, call: Call) -> Json:
        said = call.params
        service = await self._service(call, said["service"])
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        definition = await self._definition(call, said["taskDefinition"]) if said.get("taskDefinition") else None
        if said.get("desiredCount") is not None:
            service.desired = int(said["desiredCount"])
            service.steady = False
        service.spec |= {name: value for name, value in said.items() if name not in _NOT_SAID and value is not None}
        changed = definition is not None and definition["taskDefinitionArn"] != service.primary.definition
        if changed or said.get("forceNewDeployment"):
            current = service.definitions[service.primary.definition]
            self._deploy(service, definition or current)
        return {"service": service.shown(tags=True)}

    async def delete_service(self, call: Call) -> Json:
        service = await self._service(call, call.params["service"])
        if service.desired and not call.params.get("force"):
            raise AwsError("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
        service.desired = 0
        await self._emulator.use("ecs", service.region, lambda client: _forget(client, service))
        service.status = "DRAINING" if service.tasks else "INACTIVE"
        return {"service": service.shown(tags=True)}

    async def describe_services(self, call: Call) -> Json:
        cluster = await self._cluster(call)
        tags = "TAGS" in (call.params.get("include") or [])
        found, failures = [], []
        for name in call.params["services"]:
            service = self._services.get((cluster["clusterArn"], name.rsplit("/", 1)[-1]))
            if service is None:
                before = cluster["clusterArn"].replace(":cluster/", ":service/")
                failures.append({"arn": name if name.startswith("arn:") else f"{before}/{name}", "reason": "MISSING"})
            else:
                found.append(service.shown(tags=tags))
        return {"services": found, "failures": failures}

    async def list_services(self, call: Call) -> Json:
        cluster = await self._cluster(call)
        there = [one for (arn, _), one in self._services.items() if arn == cluster["clusterArn"]]
        return {"serviceArns": [one.arn for one in there if one.status != "INACTIVE"]}

    async def list_service_deployments(self, call: Call) -> Json:
        """The primary one, and those before it that have tasks: of others nothing is known here."""
        service = await self._service(call, call.params["service"])
        states = call.params.get("status") or []
        found = [service.service_deployment(one) for one in service.deployments]
        return {"serviceDeployments": [one for one in found if not states or one["status"] in states]}

    async def stop_service_deployment(self, call: Call) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html"""
        arn = call.params["serviceDeploymentArn"]
        known = [(service, one) for service in self._services.values() for one in service.deployments]
        found = [(s, one) for s, one in known if s.service_deployment(one)["serviceDeploymentArn"] == arn]
        if not found:
            raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")
        service, stopped = found[0]
        good = next((one for one in service.deployments[1:] if one.rollout is Rollout.COMPLETED), None)
        if service.service_deployment(stopped)["status"] != "IN_PROGRESS" or good is None:
            raise AwsError("ConflictException", "The service deployment cannot be stopped.")
        stopped.go(Rollout.FAILED, "The deployment was stopped by a user.")
        service.roll_back(good, f"ECS deployment stopped: rolling back to deploymentId {good.id}.")
        return {"serviceDeploymentArn": arn}

    async def _tell(self, service: Service, definition: str) -> None:
        """The emulator knows of a service, too: for who asks by tags, and for Application Auto Scaling."""

        def create(client: Any) -> None:
            client.create_service(
                cluster=service.cluster["clusterArn"],
                serviceName=service.name,
                taskDefinition=definition,
                desiredCount=0,
                tags=service.spec.get("tags") or [],
            )

        await self._emulator.use("ecs", service.region, create)

    def _deploy(self, service: Service, definition: Json) -> None:
        service.definitions[definition["taskDefinitionArn"]] = definition
        service.deploy(definition["taskDefinitionArn"])

    # Tasks

    async def run_task(self, call: Call) -> Json:
        said = call.params
        if said.get("clientToken") in self._given:
            asked, before = self._given[said["clientToken"]]
            if asked != said:
                # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
                raise AwsError(
                    "ConflictException",
                    "The provided clientToken is already in use with a different RunTask request.",
                    resourceIds=[task.arn for task in before],
                )
            return {"tasks": [task.shown() for task in before], "failures": []}
        cluster = await self._cluster(call)
        definition = await self._definition(call, said["taskDefinition"])
        group = said.get("group") or f"family:{definition['family']}"
        started = [
            self._begin(Task(call.region, cluster, definition, group, said.get("startedBy") or "", dict(said)))
            for _ in range(int(said.get("count") or 1))
        ]
        if said.get("clientToken"):
            self._given[said["clientToken"]] = dict(said), started
        return {"tasks": [task.shown() for task in started], "failures": []}

    async def stop_task(self, call: Call) -> Json:
        """SIGTERM at once: its targets are deregistered beside that, and not before.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
        """
        task = self._task(call.params["task"])
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        task.stop(StopCode.BY_USER, call.params.get("reason") or "Task stopped by user")
        return {"task": task.shown()}

    async def list_tasks(self, call: Call) -> Json:
        said = call.params
        cluster = await self._cluster(call)
        status = said.get("desiredStatus") or "RUNNING"
        group = f"service:{said['serviceName'].rsplit('/', 1)[-1]}" if said.get("serviceName") else None
        return {
            "taskArns": [
                task.arn
                for task in self._tasks.values()
                if task.cluster["clusterArn"] == cluster["clusterArn"]
                and task.wanted == (status == "RUNNING")
                and group in (None, task.group)
                and said.get("startedBy") in (None, task.started_by)
                and said.get("family") in (None, task.definition["family"])
            ]
        }

    async def describe_tasks(self, call: Call) -> Json:
        found = [(name, self._task(name)) for name in call.params["tasks"]]
        return {
            "tasks": [task.shown() for _, task in found if task],
            "failures": [{"arn": name, "reason": "MISSING"} for name, task in found if task is None],
        }

    # Tags

    async def tag_resource(self, call: Call) -> Json | None:
        spec = self._tagged(call)
        if spec is None:
            return None
        tags = {one["key"]: one for one in [*(spec.get("tags") or []), *call.params["tags"]]}
        spec["tags"] = list(tags.values())
        return {} if call.params["resourceArn"] in self._tasks else None  # of a service, the emulator's as well

    async def untag_resource(self, call: Call) -> Json | None:
        spec = self._tagged(call)
        if spec is None:
            return None
        spec["tags"] = [one for one in spec.get("tags") or [] if one["key"] not in call.params["tagKeys"]]
        return {} if call.params["resourceArn"] in self._tasks else None

    async def list_tags_for_resource(self, call: Call) -> Json | None:
        spec = self._tagged(call)
        return None if spec is None else {"tags": spec.get("tags") or []}

    def _tagged(self, call: Call) -> Json | None:
        arn = call.params["resourceArn"]
        service = next((one for one in self._services.values() if one.arn == arn), None)
        task = self._tasks.get(arn)
        return service.spec if service else task.spec if task else None

    # What they speak of

    def _task(self, name: str) -> Task | None:
        return self._tasks.get(name) or next((task for task in self._tasks.values() if task.id == name), None)

    async def _service(self, call: Call, name: str) -> Service:
        cluster = await self._cluster(call)
        service = self._services.get((cluster["clusterArn"], name.rsplit("/", 1)[-1]))
        if service is None or service.status == "INACTIVE":
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return service

    async def follow(self, _: Call) -> None:
        """The emulator was told something: clusters may be others now."""
        self._clusters.clear()

    async def _cluster(self, call: Call) -> Json:
        """Asked for with every call: the emulator would find each anew."""
        name = call.params.get("cluster") or "default"
        if (call.region, name) in self._clusters:
            return self._clusters[call.region, name]

        def read(client: Any) -> Json | None:
            found: list[Json] = client.describe_clusters(clusters=[name])["clusters"]
            return found[0] if found else None

        cluster = await self._emulator.use("ecs", call.region, read)
        if cluster is None:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        self._clusters[call.region, name] = cluster
        return cluster

    async def _definition(self, call: Call, name: str) -> Json:
        def read(client: Any) -> Json:
            try:
                found: Json = client.describe_task_definition(taskDefinition=name)["taskDefinition"]
            except client.exceptions.ClientException as error:
                raise AwsError("ClientException", "Unable to describe task definition.") from error
            if found.get("status") == "INACTIVE":
                raise AwsError("ClientException", "TaskDefinition is inactive")
            return found

        return await self._emulator.use("ecs", call.region, read)


def _forget(client: Any, service: Service) -> None:
    client.delete_service(cluster=service.cluster["clusterArn"], service=service.name, force=True)
