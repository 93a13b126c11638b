"""Where a service's releases run: found by names and by what these refer to, or said to be missing."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.rig.place import PORT, PREVIEW_HEADER
from tests.support.in_moto import KEY, InMoto, in_moto

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.place import Colour, Finder


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        yield aws


async def test_all_of_a_place_is_found(aws: InMoto) -> None:
    """Both colours with their target groups, the listener that visitors come by, the preview's rule, the network."""
    aws.lay_out()
    place = await aws.finder.place(KEY)
    assert [(colour.name, colour.service) for colour in place.colours] == [
        ("blue", "shop-dev-web-blue"),
        ("green", "shop-dev-web-green"),
    ]
    assert {colour.name: colour.group for colour in place.colours} == aws.groups
    assert (place.rules, place.listeners) == ((), (aws.listener,))
    assert place.preview is not None
    assert (place.preview.header, place.preview.token) == (PREVIEW_HEADER, "token")
    assert (place.container, place.port) == ("web", PORT)
    assert place.url.startswith("http://shop-dev-")
    assert place.launch["networkConfiguration"]["awsvpcConfiguration"]["subnets"]


async def test_who_comes_by_tls_asks_for_the_certificates_name(aws: InMoto) -> None:
    """Of AWS's own name it is never; where the name is asked for is told, for the public DNS may lead elsewhere yet."""
    aws.lay_out(protocol="HTTPS")
    reached_at: dict[str, str] = {}
    place = await Finder(aws.clients, aws.places, "shop.test", reached_at).place(KEY)
    assert place.url == "https://shop.test"
    assert reached_at["shop.test"].startswith("shop-dev-")


async def test_nothing_applied_is_said_to_be(aws: InMoto) -> None:
    """With the region, and the command that makes it."""
    with pytest.raises(PlatformError, match=r"there is no cluster shop-dev in ap-northeast-2(.|\n)*infra apply -e dev"):
        await aws.finder.place(KEY)


async def test_a_service_that_is_gone_is_named(aws: InMoto) -> None:
    """One colour is not enough."""
    aws.lay_out()
    aws.aws("ecs").delete_service(cluster="shop-dev", service="shop-dev-web-green", force=True)
    with pytest.raises(PlatformError, match="there is no service shop-dev-web-green in cluster shop-dev"):
        await aws.finder.place(KEY)


async def test_a_target_group_in_no_rule_is_named(aws: InMoto) -> None:
    """ALB would not check it, and nothing in it would ever get healthy."""
    aws.lay_out()
    elb = aws.aws("elbv2")
    elb.delete_rule(RuleArn=elb.describe_rules(ListenerArn=aws.listener)["Rules"][0]["RuleArn"])
    only = [{"Type": "forward", "TargetGroupArn": aws.groups["blue"]}]
    elb.modify_listener(ListenerArn=aws.listener, DefaultActions=only)
    with pytest.raises(PlatformError, match="target group shop-dev-web-green is in no rule"):
        await aws.finder.place(KEY)


async def test_a_worker_has_no_door(aws: InMoto) -> None:
    """Two services behind no load balancer: nothing of one is looked for, and its file may not be a web service's."""
    aws.lay_out()
    ecs = aws.aws("ecs")
    for colour in ("blue", "green"):
        ecs.create_service(
            cluster="shop-dev", serviceName=f"shop-dev-mailer-{colour}", taskDefinition="shop-dev-web", desiredCount=0
        )
    place = await aws.finder.place("shop@dev/mailer")
    assert (place.behind_balancer, place.container, place.rules, place.listeners) == (False, "mailer", (), ())
    assert [one.service for one in place.colours] == ["shop-dev-mailer-blue", "shop-dev-mailer-green"]
    assert (await aws.finder.place(KEY)).behind_balancer


class Ruled(Clients):
    """A load balancer with one listener, and these conditions of its one rule."""

    def __init__(self, *conditions: Answer) -> None:
        super().__init__("us-east-1")
        self._conditions = list(conditions)

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        if operation == "describe_listeners":
            return {"Listeners": [{"ListenerArn": "listener", "Protocol": "HTTP", "Port": 80}]}
        groups = [{"TargetGroupArn": name, "Weight": 50} for name in ("blue", "green")]
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        rule = {"RuleArn": "rule", "IsDefault": False, "Actions": [forward], "Conditions": self._conditions}
        return {"Rules": [rule]}


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^shop[0-9]+.test$"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-team", "RegexValues": ["^(a|b)$"]}},
    ],
)
async def test_a_rule_by_regular_expressions_is_one_of_visitors(condition: Answer) -> None:
    """It has no values: neither a name to ask for nor the preview's token."""
    clients = Ruled(condition)
    colours = tuple(Colour(name=name, service=name, group=name) for name in ("blue", "green"))
    balancer = {"LoadBalancerArn": "balancer", "DNSName": "shop-dev.elb.test"}
    ways = await Finder(clients, Places("shop", "dev"))._ways(balancer, colours)
    assert ways == (("rule",), (), None, "http://shop-dev.elb.test")
