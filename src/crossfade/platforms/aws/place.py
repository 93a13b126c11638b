"""The place of one service's releases on AWS: found by the names that Terraform gives, and by what these refer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.aws.places import COLOURS, Places
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.refusals import AwsError, absent

HEADER = "http-header"  # the condition that tells the preview's rule from those that visitors go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """One of the two fleets: `service` of ECS is all that ever has tasks in the target group `group` (its ARN)."""

    name: str
    service: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRule:
    """The rule that leads to a release before visitors see it: it takes requests with this header."""

    rule: str
    header: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """All that a deploy has to know of one service's places. ARNs, but for names of the cluster and its services.

    `rules` lead visitors here; `listeners` are those whose rest does. A worker has neither, nor target groups: nobody
    sends it anything.
    """

    key: str  # app/service
    cluster: str
    colours: tuple[Colour, Colour]
    container: str
    port: int
    rules: tuple[str, ...]
    listeners: tuple[str, ...]
    preview: PreviewRule | None
    balancer: str
    url: str  # where visitors come in, without a path
    launch: Mapping[str, Any]  # how ECS is told to run one task more, in the same network

    def colour(self, name: str) -> Colour:
        return next(colour for colour in self.colours if colour.name == name)

    @property
    def behind_balancer(self) -> bool:
        return all(colour.group for colour in self.colours)

    def of_group(self, arn: str) -> Colour | None:
        return next((colour for colour in self.colours if colour.group == arn), None)


class Finder:
    """Finds the places of one environment, each service's once.

    `host` is the name that its certificate is for, empty without one; `reached_at` is told at which load balancer a
    name is to be asked for: the public DNS may lead elsewhere still, or to what stands before it.
    """

    def __init__(
        self, clients: Clients, places: Places, host: str = "", reached_at: dict[str, str] | None = None
    ) -> None:
        self._clients, self._places, self._host = clients, places, host
        self._reached_at = {} if reached_at is None else reached_at
        self._found: dict[str, Place] = {}

    async def place(self, key: str) -> Place:
        """Of `app/service`. PlatformError that names what is missing and how it is made."""
        if key not in self._found:
            self._found[key] = await self._find(key)
        return self._found[key]

    async def services(self, place: Place) -> Mapping[str, Answer]:
        """Both ECS services as they are now, by colour."""
        return await self._services(place.key)

    async def _services(self, key: str) -> Mapping[str, Answer]:
        cluster, name = self._places.prefix, key.split("/")[1]
        names = {colour: self._places.coloured(name, colour) for colour in COLOURS}
        try:
            answer = await self._clients.call(
                "ecs", "describe_services", cluster=cluster, services=list(names.values())
            )
        except AwsError as error:
            if error.code == "ClusterNotFoundException":
                raise await self._missing(f"cluster {cluster}") from error
            raise
        known = {one["serviceName"]: one for one in answer["services"] if one["status"] == "ACTIVE"}
        for called in names.values():
            if called not in known:
                raise await self._missing(f"service {called} in cluster {cluster}")
        return {colour: known[called] for colour, called in names.items()}

    async def _find(self, key: str) -> Place:
        services = await self._services(key)
        if not any(one.get("loadBalancers") for one in services.values()):
            return self._of_worker(key, services)
        colours = tuple(self._colour(name, services[name]) for name in COLOURS)
        one = services[COLOURS[0]]
        balancer = await self._balancer_of(await self._target_groups(colours))
        rules, listeners, preview, url = await self._ways(balancer, colours)
        attached = one["loadBalancers"][0]
        return Place(
            key=key,
            cluster=self._places.prefix,
            colours=(colours[0], colours[1]),
            container=attached["containerName"],
            port=attached["containerPort"],
            rules=rules,
            listeners=listeners,
            preview=preview,
            balancer=balancer["LoadBalancerArn"],
            url=url,
            launch=_launch(one),
        )

    def _of_worker(self, key: str, services: Mapping[str, Answer]) -> Place:
        blue, green = (Colour(name=name, service=services[name]["serviceName"], group="") for name in COLOURS)
        return Place(
            key=key,
            cluster=self._places.prefix,
            colours=(blue, green),
            container=key.split("/")[1],
            port=0,
            rules=(),
            listeners=(),
            preview=None,
            balancer="",
            url="",
            launch=_launch(services[COLOURS[0]]),
        )

    def _colour(self, name: str, service: Answer) -> Colour:
        groups = [one["targetGroupArn"] for one in service.get("loadBalancers", ()) if "targetGroupArn" in one]
        if len(groups) != 1:
            raise PlatformError(
                f"service {service['serviceName']} registers its tasks with {len(groups)} target groups, not with one",
                self._apply,
            )
        return Colour(name=name, service=service["serviceName"], group=groups[0])

    async def _target_groups(self, colours: tuple[Colour, ...]) -> list[Answer]:
        try:
            asked = {"TargetGroupArns": [colour.group for colour in colours]}
            found: list[Answer] = (await self._clients.call("elbv2", "describe_target_groups", **asked))["TargetGroups"]
        except AwsError as error:
            if error.code in {"TargetGroupNotFound", "TargetGroupNotFoundException"}:
                raise await self._missing(f"target group of {colours[0].service} or {colours[1].service}") from error
            raise
        return found

    async def _balancer_of(self, groups: list[Answer]) -> Answer:
        arns = {arn for group in groups for arn in group.get("LoadBalancerArns", ())}
        for group in groups:
            if not group.get("LoadBalancerArns"):
                raise self._in_no_rule(group["TargetGroupName"])
        found = await self._clients.call("elbv2", "describe_load_balancers", LoadBalancerArns=sorted(arns))
        balancer: Answer = found["LoadBalancers"][0]
        return balancer

    async def _ways(
        self, balancer: Answer, colours: tuple[Colour, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], PreviewRule | None, str]:
        groups = {colour.group for colour in colours}
        arn = balancer["LoadBalancerArn"]
        rules: list[str] = []
        rests: list[str] = []
        preview, url = None, ""
        led: set[str] = set()
        for listener in await self._clients.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
            asked = {"ListenerArn": listener["ListenerArn"]}
            for rule in await self._clients.all("elbv2", "describe_rules", "Rules", **asked):
                there = groups & shares(rule["Actions"]).keys()
                if not there:
                    continue
                led |= there
                token = next((c["HttpHeaderConfig"] for c in rule["Conditions"] if c["Field"] == HEADER), None)
                if token and token.get("Values"):  # one of regular expressions has none, and is not the preview's
                    header, values = token["HttpHeaderName"], token["Values"]
                    preview = PreviewRule(rule=rule["RuleArn"], header=header, token=values[0])
                    continue
                if not url:
                    url, name = _url(listener, rule, balancer["DNSName"], self._host)
                    self._reached_at[name] = balancer["DNSName"]
                if rule["IsDefault"]:
                    rests.append(listener["ListenerArn"])
                else:
                    rules.append(rule["RuleArn"])
        for colour in colours:
            if colour.group not in led:  # it would not be checked, and nothing in it would ever get healthy
                raise self._in_no_rule(colour.group.split("/")[-2])
        if not rules and not rests:
            raise PlatformError(f"no rule of the load balancer leads visitors to {colours[0].service}", self._apply)
        return tuple(sorted(rules)), tuple(sorted(rests)), preview, url

    @property
    def _apply(self) -> str:
        return f"`crossfade infra plan -e {self._places.environment}` shows what differs from the file"

    def _in_no_rule(self, group: str) -> PlatformError:
        return PlatformError(f"target group {group} is in no rule of the load balancer", self._apply)

    async def _missing(self, what: str) -> PlatformError:
        command = f"infra apply -e {self._places.environment}"
        return PlatformError(*absent(what, await self._clients.whereabouts(), command))


def shares(actions: list[Answer]) -> dict[str, int]:
    """Weights by target group, of a rule's or a listener's actions; one group alone has weight 1, as AWS counts."""
    for action in actions:
        if action["Type"] == "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups")
            if groups:
                return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}
            return {action["TargetGroupArn"]: 1}
    return {}


def suffix(arn: str) -> str:
    """A load balancer or a target group as metrics name it: `app/shop-prod/50dc6c495c0c9188`."""
    resource = arn.split(":", 5)[5]
    return resource.removeprefix("loadbalancer/")


def _launch(service: Answer) -> dict[str, Any]:
    """A task that is run once goes where the service's own tasks go."""
    kept = {"networkConfiguration": service.get("networkConfiguration")}
    if service.get("capacityProviderStrategy"):
        kept["capacityProviderStrategy"] = service["capacityProviderStrategy"]
    else:
        kept["launchType"] = service.get("launchType") or "FARGATE"
    return {name: value for name, value in kept.items() if value}


def _url(listener: Answer, rule: Answer, dns: str, host: str) -> tuple[str, str]:
    """And the name in it: what the rule asks for, or what the certificate is for, which is never AWS's own name."""
    hosts = [
        host
        for condition in rule["Conditions"]
        if condition["Field"] == "host-header"
        for host in condition.get("HostHeaderConfig", condition).get("Values", ())
        if "*" not in host
    ]
    scheme, usual = ("https", 443) if listener["Protocol"] == "HTTPS" else ("http", 80)
    port = "" if listener["Port"] == usual else f":{listener['Port']}"
    name = hosts[0] if hosts else (host if scheme == "https" else "") or dns
    return f"{scheme}://{name}{port}", name
