"""How a task comes up, and how it ends."""

import asyncio
import ipaddress
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.rig.balancer.balancer import Balancer
from tests.rig.ecs import docker
from tests.rig.ecs.container import Container
from tests.rig.ecs.definition import StartError, merged, port_of, secrets
from tests.rig.ecs.images import Image, Images, NotFoundError
from tests.rig.ecs.task import Status, StopCode, Task
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.logs import Logs
from tests.rig.wire import Json

from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports

_STOP_TIMEOUT = 30  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
_OUT_OF_MEMORY = "OutOfMemoryError: container killed due to memory usage"
_EXITED = "Essential container in task exited"
_LOOK = 0.05  # seconds of this machine


class Life:
    """Lives tasks; `endpoint` is where they find AWS."""

    def __init__(  # noqa: PLR0917  each is of another kind
        self, emulator: Emulator, knobs: Knobs, balancer: Balancer, images: Images, logs: Logs, ports: Ports
    ) -> None:
        self._emulator, self._knobs, self._balancer = emulator, knobs, balancer
        self._images, self._logs, self._ports = images, logs, ports
        self._given: dict[str, int] = {}
        self.endpoint = ""
        self.containers = False  # images that Docker has are run by it
        self.here: Callable[[str], str] = str  # what Docker calls an image here

    def begin(self, task: Task) -> None:
        task.life = asyncio.create_task(self._live(task))

    async def _live(self, task: Task) -> None:
        try:
            await self._start(task)
            await self._until_end(task)
        except StartError as error:
            task.stop(StopCode.FAILED_TO_START, str(error))
        except Exception as error:
            task.stop(StopCode.FAILED_TO_START, f"the rig failed: {error!r}")
            raise
        finally:
            await self._end(task)

    async def _start(self, task: Task) -> None:
        await self._network(task)
        try:
            await asyncio.wait_for(task.ending.wait(), self._knobs.real(self._knobs.task_start))
        except TimeoutError:
            task.go(Status.PENDING)
        else:
            return  # told to end before it began
        for definition in task.definition["containerDefinitions"]:
            container = merged(definition, task.spec.get("overrides") or {})
            await self._run(task, container)
        if not task.containers:
            raise StartError("the task has no container that could be started")
        task.go(Status.RUNNING)
        for arn, port in task.targets:
            if arn in self._balancer.groups:
                self._balancer.add(self._balancer.groups[arn], (task.address, port))

    async def _network(self, task: Task) -> None:
        """An address of its own in one of its subnets, behind which a port of this machine is."""
        asked = (task.spec.get("networkConfiguration") or {}).get("awsvpcConfiguration", {}).get("subnets") or []
        block = "10.255.0.0/16"
        if asked:
            task.subnet = asked[sum(self._given.values()) % len(asked)]

            def read(client: Any) -> str:
                return str(client.describe_subnets(SubnetIds=[task.subnet])["Subnets"][0]["CidrBlock"])

            block = await self._emulator.use("ec2", task.region, read)
        self._given[block] = self._given.get(block, 3) + 1  # AWS keeps the first four of a subnet
        network = ipaddress.ip_network(block)
        task.address = str(network[self._given[block] % (network.num_addresses - 1)])

    async def _run(self, task: Task, definition: Json) -> None:
        essential = definition.get("essential", True)
        memory = definition.get("memory") or task.definition.get("memory")
        limits = {"essential": essential, "memory": int(memory) if memory else None}
        own = self._own(task, definition)
        try:
            image = self._images.pull(definition["image"])
            container = Container(definition["name"], **limits)
            own |= self._port(task, definition)
        except NotFoundError as error:
            called = self.here(definition["image"])
            if self.containers and await docker.has(called):
                image = Image()
                container = docker.DockerContainer(definition["name"], **limits, image=called, ports=task.ports)
            elif not essential:
                return  # an agent that the rig does not have, such as X-Ray's: nothing waits for it
            else:
                raise StartError(str(error)) from error
        environment = image.environment | {one["name"]: one["value"] for one in definition.get("environment") or []}
        environment |= await secrets(self._emulator, task.region, definition)
        environment |= own
        command = tuple(definition.get("command") or ()) or image.command
        if not command and not isinstance(container, docker.DockerContainer):
            raise StartError("CannotStartContainerError: no command specified")
        stream = await self._stream(task, definition)
        heard = partial(self._logs.write, task.region, *stream) if stream else lambda _: None
        try:
            await container.start(command, definition.get("workingDirectory") or image.folder, environment, heard)
        except OSError as error:
            raise StartError(f"CannotStartContainerError: {command[0]}: {error.strerror}") from error
        task.containers.append(container)

    def _own(self, task: Task, definition: Json) -> dict[str, str]:
        """Ports of this machine for those of the container, and how AWS is found."""
        for mapping in definition.get("portMappings") or []:
            port = int(mapping["containerPort"])
            task.ports[port] = self._ports.take(())
            self._balancer.addresses[task.address, port] = ("127.0.0.1", task.ports[port])
        keys = {"AWS_ACCESS_KEY_ID": "task", "AWS_SECRET_ACCESS_KEY": "task"}
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": task.region, **keys}

    def _port(self, task: Task, definition: Json) -> dict[str, str]:
        """PORT is where a process really listens, whatever the definition says."""
        listens = port_of(definition)
        return {"PORT": str(task.ports[listens])} if listens else {}

    async def _stream(self, task: Task, definition: Json) -> tuple[str, str] | None:
        """Group and stream of the container's log.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html: prefix/container/task
        """
        asked = definition.get("logConfiguration") or {}
        if asked.get("logDriver") != "awslogs":
            return None
        options = asked["options"]
        stream = f"{options['awslogs-stream-prefix']}/{definition['name']}/{task.id}"
        try:
            create = options.get("awslogs-create-group") == "true"
            await self._logs.open(task.region, options["awslogs-group"], stream, create=create)
        except LookupError as error:
            raise StartError(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream: ResourceNotFoundException: {error}"
            ) from error
        return options["awslogs-group"], stream

    async def _until_end(self, task: Task) -> None:
        """Until it is told to end, or one has that it cannot be without."""
        told = asyncio.create_task(task.ending.wait())
        ends = [asyncio.create_task(one.ended()) for one in task.containers if one.essential]
        try:
            await asyncio.wait([told, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (told, *ends):
                waiting.cancel()
        dead = next((one for one in task.containers if one.essential and not one.running), None)
        if dead is not None:
            task.stop(StopCode.EXITED, _OUT_OF_MEMORY if dead.out_of_memory else _EXITED)

    async def _end(self, task: Task) -> None:
        """A task that a service takes away is drained first; all others are told to end at once.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html and
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html: "the equivalent of docker stop".
        """
        if task.drains:
            task.go(Status.DEACTIVATING)
            self._deregister(task)
            while any(group.find(task.address, port) for group, port in self._groups(task)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)
        task.go(Status.STOPPING)
        stops = [asyncio.create_task(one.stop(self._timeout(task, one))) for one in task.containers]
        await asyncio.sleep(0)  # they have their signal before the balancer hears of it
        self._deregister(task)
        for stop in stops:
            await stop
        for container in task.containers:
            await container.wait()
        await self._logs.flush()
        for port, real in task.ports.items():
            self._ports.give_back(real)
            if not any(group.find(task.address, port) for group, _ in self._groups(task)):
                self._balancer.addresses.pop((task.address, port), None)
        task.go(Status.STOPPED)

    def _timeout(self, task: Task, container: Container) -> float:
        """At least a second: a busy machine is no reason to kill a process that is about to end."""
        definitions = {one["name"]: one for one in task.definition["containerDefinitions"]}
        asked = definitions[container.name].get("stopTimeout") or _STOP_TIMEOUT
        return max(1.0, self._knobs.real(float(asked)))

    def _deregister(self, task: Task) -> None:
        for group, port in self._groups(task):
            for target in group.find(task.address, port):
                self._balancer.remove(group, target)

    def _groups(self, task: Task) -> list[tuple[Any, int]]:
        found = self._balancer.groups
        return [(found[arn], port) for arn, port in task.targets if arn in found]
