"""The rig's process: moto, the data plane, tasks and the gateway before them, put together."""

import asyncio
import dataclasses
import json
import tempfile
from pathlib import Path

from aiohttp import web
from tests.rig.autoscaling.operations import AutoScaling
from tests.rig.autoscaling.policies import Policies
from tests.rig.autoscaling.scheduler import Scheduler as GroupScheduler
from tests.rig.balancer import access
from tests.rig.balancer.balancer import Balancer
from tests.rig.calendar.calendar import Calendar
from tests.rig.calendar.events import Events
from tests.rig.cloudwatch.minutes import Minutes
from tests.rig.cloudwatch.operations import CloudWatch
from tests.rig.cloudwatch.scaling import Scaling
from tests.rig.codedeploy.carrier import Carrier
from tests.rig.codedeploy.operations import CodeDeploy
from tests.rig.ec2.associations import Associations
from tests.rig.ec2.cli import Cli
from tests.rig.ec2.instances import OUT, Instances
from tests.rig.ec2.run_command import RunCommand
from tests.rig.ecs.images import ECR, Image, Images, NotFoundError, push
from tests.rig.ecs.life import Life
from tests.rig.ecs.operations import Ecs
from tests.rig.ecs.registry import Ecr
from tests.rig.ecs.scheduler import Scheduler
from tests.rig.ecs.service import Deployment, Service
from tests.rig.ecs.task import Task
from tests.rig.edge.edges import Edges
from tests.rig.emulator import Emulator
from tests.rig.gateway import Gateway, Operation
from tests.rig.knobs import TIMES, Knobs
from tests.rig.logs import Logs
from tests.rig.shelf import Connections, Lifecycles, Nodes, ParameterGroups, SavedQueries, ScalableTags, Subscribers

from crossfade.platforms.local.runtimes.processes.addresses.ports import Ports

# Rigs of one machine share it, so that no two give out the same port.
_PORTS = Path(tempfile.gettempdir()) / "crossfade-rig-ports"


class Server:
    """`await start(port)` says the endpoint; `await close()` leaves nothing behind but `folder`."""

    def __init__(self, folder: Path, knobs: Knobs, *, containers: bool = False) -> None:
        self._knobs = knobs
        self._emulator = Emulator()
        self._images = Images()
        ports = Ports(_PORTS)
        self._logs = Logs(self._emulator)
        self._minutes = Minutes(knobs)
        self._cloudwatch = CloudWatch(self._minutes)
        self._balancer = Balancer(self._emulator, knobs, ports, folder / "balancer", self._heard)
        self._ecr = Ecr(self._emulator)
        self._life = Life(self._emulator, knobs, self._balancer, self._images, self._logs, ports)
        self._life.containers, self._life.here = containers, self._ecr.here
        self._scheduler = Scheduler(knobs, self._balancer, self._begin)
        self._ecs = Ecs(self._emulator, self._life, self._scheduler)
        self._ecs.stopped = Events(self._emulator, self._logs).stopped
        self._calendar = Calendar(self._emulator, self._scheduler.services, self._ecs.run_task)
        self._scaling = Scaling(self._emulator, knobs, self._cloudwatch, self._scheduler.services)
        self._instances = Instances(
            self._emulator, self._balancer, self._images, self._logs, ports, folder / "instances"
        )
        self._groups = GroupScheduler(self._emulator, knobs, self._balancer, self._instances)
        self._policies = Policies(self._emulator, knobs, self._cloudwatch, self._groups.groups)
        self._autoscaling = AutoScaling(self._emulator, self._groups)
        self._carrier = Carrier(self._emulator, knobs, self._groups, self._instances)
        self._cli = Cli()
        self._edges = Edges(self._emulator, knobs, self._balancer.address)
        self._gauge: asyncio.Task[None] | None = None
        self._gateway = Gateway(self._emulator, knobs, self._own())
        self._gateway.after["elbv2"] = self._balancer.follow
        self._gateway.after["ecs"] = self._ecs.follow
        self._gateway.after["autoscaling"] = self._autoscaling.follow
        self._gateway.after["cloudfront"] = self._edges.follow
        self._gateway.after["ec2"] = self._instances.follow
        self._gateway.after["scheduler"] = self._gateway.after["application-autoscaling"] = self._calendar.follow
        self._runner: web.AppRunner | None = None

    def _heard(self, line: str) -> None:
        balancers = {port: arn.partition(":loadbalancer/")[2] for arn, port in self._balancer.listeners.values()}
        request = access.read(line, balancers, self._balancer.serving)
        if request:
            self._minutes.count(request)

    async def _weigh(self) -> None:
        """How many targets are healthy: told several times a minute, for its Minimum and its Maximum."""
        while True:
            for hosts in self._balancer.hosts():
                self._minutes.weigh(*hosts)
            await asyncio.sleep(self._minutes.length / 6)

    def _begin(self, service: Service, deployment: Deployment) -> Task:
        return self._ecs.begin(service, deployment)

    def _own(self) -> dict[tuple[str, str], Operation]:
        balancer, ecs, cloudwatch = self._balancer, self._ecs, self._cloudwatch
        parameters, connections, subscribers = ParameterGroups(), Connections(), Subscribers()
        scalable, nodes, queries = ScalableTags(self._emulator), Nodes(), SavedQueries()
        lifecycles, commands = Lifecycles(), RunCommand(self._instances)
        return {
            **self._edges.operations(),
            **self._autoscaling.operations(),
            **CodeDeploy(self._carrier).operations(),
            **commands.operations(),
            **Associations(commands).operations(),
            ("ecr", "GetAuthorizationToken"): self._ecr.get_authorization_token,
            ("ecr", "GetDownloadUrlForLayer"): self._ecr.get_download_url_for_layer,
            ("elbv2", "RegisterTargets"): balancer.register,
            ("elbv2", "DeregisterTargets"): balancer.deregister,
            ("elbv2", "DescribeTargetHealth"): balancer.describe_health,
            ("cloudwatch", "PutMetricData"): cloudwatch.put_metric_data,
            ("cloudwatch", "GetMetricData"): cloudwatch.get_metric_data,
            ("cloudwatch", "GetMetricStatistics"): cloudwatch.get_metric_statistics,
            ("cloudwatch", "ListMetrics"): cloudwatch.list_metrics,
            ("application-autoscaling", "RegisterScalableTarget"): scalable.register,
            ("application-autoscaling", "ListTagsForResource"): scalable.list,
            ("budgets", "CreateBudget"): subscribers.create_budget,
            ("budgets", "CreateNotification"): subscribers.create_notification,
            ("budgets", "DescribeSubscribersForNotification"): subscribers.describe,
            ("budgets", "ListTagsForResource"): subscribers.tags,
            ("codeconnections", "CreateConnection"): connections.create,
            ("codeconnections", "GetConnection"): connections.get,
            ("codeconnections", "DeleteConnection"): connections.delete,
            ("codeconnections", "ListTagsForResource"): connections.tags,
            ("dlm", "CreateLifecyclePolicy"): lifecycles.create,
            ("dlm", "GetLifecyclePolicy"): lifecycles.get,
            ("dlm", "DeleteLifecyclePolicy"): lifecycles.delete,
            ("dlm", "ListTagsForResource"): lifecycles.tags,
            ("logs", "PutQueryDefinition"): queries.put,
            ("logs", "DescribeQueryDefinitions"): queries.describe,
            ("logs", "DeleteQueryDefinition"): queries.delete,
            ("elasticache", "CreateReplicationGroup"): nodes.create_group,
            ("elasticache", "DescribeCacheClusters"): nodes.describe,
            ("elasticache", "CreateCacheParameterGroup"): parameters.create,
            ("elasticache", "DescribeCacheParameterGroups"): parameters.describe,
            ("elasticache", "DescribeCacheParameters"): parameters.parameters,
            ("elasticache", "ModifyCacheParameterGroup"): parameters.modify,
            ("elasticache", "DeleteCacheParameterGroup"): parameters.delete,
            ("elasticache", "ListTagsForResource"): parameters.tags,
            ("ecs", "CreateService"): ecs.create_service,
            ("ecs", "UpdateService"): ecs.update_service,
            ("ecs", "DeleteService"): ecs.delete_service,
            ("ecs", "DescribeServices"): ecs.describe_services,
            ("ecs", "ListServices"): ecs.list_services,
            ("ecs", "ListServiceDeployments"): ecs.list_service_deployments,
            ("ecs", "StopServiceDeployment"): ecs.stop_service_deployment,
            ("ecs", "RunTask"): ecs.run_task,
            ("ecs", "StopTask"): ecs.stop_task,
            ("ecs", "ListTasks"): ecs.list_tasks,
            ("ecs", "DescribeTasks"): ecs.describe_tasks,
            ("ecs", "TagResource"): ecs.tag_resource,
            ("ecs", "UntagResource"): ecs.untag_resource,
            ("ecs", "ListTagsForResource"): ecs.list_tags_for_resource,
        }

    async def start(self, port: int) -> str:
        """0: any port that is free."""
        await self._balancer.start()
        await self._logs.start()
        await self._ecr.start()
        await self._scheduler.start()
        await self._groups.start()
        await self._scaling.start()
        await self._calendar.start()
        await self._policies.start()
        await self._edges.start()
        self._gauge = asyncio.create_task(self._weigh())
        self._runner = web.AppRunner(self._gateway.application(self._control()), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._instances.folder.mkdir(parents=True, exist_ok=True)
        await web.UnixSite(self._runner, str(self._instances.folder / OUT)).start()
        real = self._runner.addresses[0][1]
        endpoint = f"http://127.0.0.1:{real}"
        self._life.endpoint = self._cli.endpoint = endpoint
        self._instances.endpoint_port = real
        return endpoint

    async def close(self) -> None:
        if self._gauge:
            self._gauge.cancel()
        await self._edges.close()
        await self._policies.close()
        await self._calendar.close()
        await self._scaling.close()
        await self._scheduler.close()
        await self._carrier.close()
        await self._groups.close()
        await self._instances.close()
        await self._ecs.close()
        await self._ecr.close()
        await self._balancer.close()
        await self._logs.close()
        if self._runner:
            await self._runner.cleanup()
        self._emulator.close()

    # What is asked of the rig itself

    def _control(self) -> web.Application:
        control = web.Application()
        control.router.add_get("/knobs", self._read_knobs)
        control.router.add_put("/knobs", self._turn_knobs)
        control.router.add_get("/listeners", self._listeners)
        control.router.add_get("/calls", self._calls)
        control.router.add_get("/settled", self._settled)
        control.router.add_put("/calendar", self._set_calendar)
        control.router.add_get("/scaling", self._looks)
        control.router.add_put("/images", self._add_image)
        control.router.add_post("/pull", self._pull)
        control.router.add_post("/cli", self._run_cli)
        control.router.add_get("/instances", self._show_instances)
        control.router.add_post("/instances/{id}/ports/{port}", self._open_port)
        control.router.add_post("/instances/{id}/run", self._run_there)
        control.router.add_delete("/instances/{id}", self._cut_power)
        control.router.add_put("/targets", self._lead)
        return control

    async def _read_knobs(self, _: web.Request) -> web.Response:
        knobs = self._knobs
        shown = {name: getattr(knobs, name) for name in TIMES}
        return web.json_response({**shown, "faults": [dataclasses.asdict(fault) for fault in knobs.faults]})

    async def _turn_knobs(self, request: web.Request) -> web.Response:
        try:
            self._knobs.change(await request.json())
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return await self._read_knobs(request)

    async def _listeners(self, _: web.Request) -> web.Response:
        found = [
            {"listener": arn, "load_balancer": balancer, "address": f"127.0.0.1:{port}"}
            for arn, (balancer, port) in self._balancer.listeners.items()
        ]
        found += [
            {"listener": arn, "load_balancer": "", "address": f"127.0.0.1:{port}"}
            for arn, port in self._edges.ports.items()
        ]
        return web.json_response(found)

    async def _calls(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self._gateway.calls))

    async def _settled(self, _: web.Request) -> web.Response:
        await self._balancer.settled()
        return web.json_response({})

    async def _set_calendar(self, request: web.Request) -> web.Response:
        await self._calendar.set((await request.json())["at"])
        return web.json_response({})

    async def _looks(self, _: web.Request) -> web.Response:
        return web.json_response({"looks": self._scaling.looks})

    async def _lead(self, request: web.Request) -> web.Response:
        """Where a port of an instance that a test brings itself really is."""
        said = await request.json()
        self._balancer.addresses[said["id"], said["port"]] = (said["host"], said["at"])
        return web.json_response({})

    async def _add_image(self, request: web.Request) -> web.Response:
        said = await request.json()
        image = Image(
            command=tuple(said.get("command") or ()),
            folder=said.get("folder") or "",
            environment=said.get("environment") or {},
        )
        self._images.add(said["reference"], image, image.digest)
        ecr = ECR.fullmatch(said["reference"])
        if ecr:
            await self._emulator.use("ecr", ecr["region"], lambda client: push(client, ecr, image))
        return web.json_response({"digest": image.digest})

    # What instances ask, and what is done with them by hand

    async def _pull(self, request: web.Request) -> web.Response:
        try:
            image = self._images.pull((await request.json())["reference"])
        except NotFoundError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.json_response(dataclasses.asdict(image))

    async def _run_cli(self, request: web.Request) -> web.Response:
        said = await request.json()
        try:
            found = await asyncio.to_thread(self._cli.run, **said)
        except Exception as error:  # noqa: BLE001  who asked is to hear of it, as the CLI says it
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(found, dumps=lambda value: json.dumps(value, default=str))

    async def _show_instances(self, _: web.Request) -> web.Response:
        return web.json_response(self._instances.shown())

    async def _open_port(self, request: web.Request) -> web.Response:
        machine = self._instances.machines[request.match_info["id"]]
        host, port = machine.open(int(request.match_info["port"]))
        return web.json_response({"address": f"{host}:{port}"})

    async def _run_there(self, request: web.Request) -> web.Response:
        said = await request.json()
        machine = self._instances.machines[request.match_info["id"]]
        code, out = await machine.run(*said["argv"], env=said.get("env"), limit=said.get("limit", 60))
        return web.json_response({"code": code, "out": out})

    async def _cut_power(self, request: web.Request) -> web.Response:
        """As a host that dies: nobody is told."""
        await self._instances.machines[request.match_info["id"]].kill()
        return web.json_response({})
