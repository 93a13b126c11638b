"""Rules of listeners: which one a request meets, and what is done then."""

import http.client
import ssl
import urllib.request

import pytest
from tests.rig.balancer.routes import in_order, routes
from tests.rig.place import PREVIEW_HEADER
from tests.rig.tests.site import Site
from tests.rig.wire import Json

GROUP = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1"
CLUSTERS = {GROUP: "targetgroup/web/1"}


def rule(priority: int | str, *actions: Json, conditions: tuple[Json, ...] = ()) -> Json:
    return {
        "Priority": str(priority),
        "IsDefault": priority == "default",
        "Actions": list(actions),
        "Conditions": list(conditions),
    }


def test_rules_are_tried_by_their_numbers_and_the_default_last() -> None:
    found = in_order([rule("default"), rule(100), rule(9), rule(10)])
    assert [one["Priority"] for one in found] == ["9", "10", "100", "default"]


def test_a_forward_to_one_group_has_all_weight() -> None:
    [found] = routes([rule("default", {"Type": "forward", "TargetGroupArn": GROUP})], CLUSTERS)
    assert found["route"]["weighted_clusters"]["clusters"] == [{"name": "targetgroup/web/1", "weight": 1}]


def test_a_forward_without_any_weight_is_unavailable() -> None:
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 0}]}}
    [found] = routes([rule("default", action)], CLUSTERS)
    assert found["direct_response"] == {"status": 503}


def test_a_pattern_is_a_glob_and_nothing_else() -> None:
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a.b/?/*"]}}
    [found] = routes([rule(1, {"Type": "forward", "TargetGroupArn": GROUP}, conditions=(condition,))], CLUSTERS)
    assert found["match"]["safe_regex"]["regex"] == r"/a\.b/./.*"


class Door:
    """A listener of its own with fixed answers, so that rules are seen without targets."""

    def __init__(self, site: Site) -> None:
        self.site = site
        rest = self.fixed("404")
        made = site.elb.create_listener(
            LoadBalancerArn=site.place.load_balancer, Protocol="HTTP", Port=8081, DefaultActions=[rest]
        )
        self.arn = made["Listeners"][0]["ListenerArn"]

    @staticmethod
    def fixed(status: str) -> Json:
        answer = {"StatusCode": status, "ContentType": "text/plain", "MessageBody": status}
        return {"Type": "fixed-response", "FixedResponseConfig": answer}

    def add(self, priority: int, action: Json, **condition: object) -> None:
        self.site.elb.create_rule(ListenerArn=self.arn, Priority=priority, Conditions=[condition], Actions=[action])

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(self.site.rig.address_of(self.arn), timeout=5)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            answer.read()
            return answer.status, dict(answer.getheaders())
        except ConnectionError:
            return 0, {}
        finally:
            connection.close()


@pytest.mark.long
async def test_a_request_meets_the_first_rule_whose_condition_it_fulfils(site: Site) -> None:
    door = Door(site)
    door.add(1, door.fixed("201"), Field="path-pattern", PathPatternConfig={"Values": ["/api/*"]})
    door.add(2, door.fixed("202"), Field="host-header", HostHeaderConfig={"Values": ["*.example.com"]})
    door.add(3, door.fixed("203"), Field="http-header", HttpHeaderConfig={"HttpHeaderName": "X-Beta", "Values": ["y*"]})
    door.add(4, door.fixed("405"), Field="http-request-method", HttpRequestMethodConfig={"Values": ["DELETE"]})
    door.add(5, door.fixed("206"), Field="query-string", QueryStringConfig={"Values": [{"Key": "v", "Value": "2"}]})
    to = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301", "Host": "#{host}", "Path": "/#{path}"}
    door.add(
        6, {"Type": "redirect", "RedirectConfig": to}, Field="path-pattern", PathPatternConfig={"Values": ["/old"]}
    )
    await site.until(lambda: door.ask("/old")[0] == 301)
    assert door.ask("/api/x?y=1", Host="a.example.com")[0] == 201
    assert door.ask("/x", Host="a.example.com:80")[0] == 202
    assert door.ask("/x", X_Beta="yes")[0] == 203
    assert door.ask("/x", "DELETE")[0] == 405
    assert door.ask("/x?v=2")[0] == 206
    assert door.ask("/x?v=3")[0] == 404
    assert door.ask("/old", Host="shop.test")[1]["location"] == "https://shop.test:443/old"


@pytest.mark.long
async def test_a_sticky_rule_keeps_a_client_with_its_group(site: Site) -> None:
    """Also when the weights have moved on: for as long as the cookie says."""
    await site.until_healthy("blue", 2)
    await site.until_answered_by("1")
    site.update("green", desiredCount=1, taskDefinition=site.definition(RELEASE="2"))
    await site.until_healthy("green", 1)
    site.weigh(blue=100, green=0, sticky=600)
    cookie = ""

    def given() -> str:
        with urllib.request.urlopen(site.url, timeout=5) as answer:
            return str(answer.headers.get("Set-Cookie") or "").partition(";")[0]

    await site.until(lambda: bool(given()))
    cookie = given()
    site.weigh(blue=0, green=100, sticky=600)
    await site.until_answered_by("2")
    assert site.answer(Cookie=f"a=b; {cookie}") == "1"


@pytest.mark.long
async def test_a_client_stays_with_the_target_that_its_cookie_is_of(site: Site) -> None:
    """Another one goes to another; without the group's attribute nobody stays anywhere."""
    await site.until_healthy("blue", 2)
    site.weigh(blue=100, green=0)
    await site.until_answered_by("1")

    def keep(enabled: str) -> None:
        told = {"stickiness.enabled": enabled, "stickiness.type": "lb_cookie"}
        attributes = [{"Key": key, "Value": value} for key, value in told.items()]
        asked = {"TargetGroupArn": site.place.target_groups["blue"], "Attributes": attributes}
        site.elb.modify_target_group_attributes(**asked)

    def come(cookie: str = "") -> tuple[str, str]:
        """Which target answers, and the cookie that it came with."""
        request = urllib.request.Request(f"{site.url}/env/PORT", headers={"Cookie": cookie} if cookie else {})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode(), str(answer.headers.get("Set-Cookie") or "").partition(";")[0]

    await site.until(lambda: len({come()[0] for _ in range(10)}) == 2)
    keep("true")
    await site.until(lambda: come()[1].startswith("AWSALB="))
    mine = come()
    assert {come(mine[1])[0] for _ in range(20)} == {mine[0]}
    await site.until(lambda: come()[0] != mine[0])
    keep("false")
    await site.until(lambda: not come()[1])
    assert len({come(mine[1])[0] for _ in range(20)}) == 2


@pytest.mark.long
async def test_the_preview_leads_to_the_group_that_gets_no_visitors(site: Site) -> None:
    site.update("green", desiredCount=1, taskDefinition=site.definition(RELEASE="2"))
    await site.until_healthy("green", 1)
    await site.until(lambda: site.answer(**{PREVIEW_HEADER: site.place.preview_token}) == "2")


@pytest.mark.long
async def test_an_https_listener_speaks_tls(site: Site) -> None:
    certificate = site.rig.client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"]
    made = site.elb.create_listener(
        LoadBalancerArn=site.place.load_balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[Door.fixed("200")],
    )
    address = site.rig.address_of(made["Listeners"][0]["ListenerArn"])
    trusting = ssl._create_unverified_context()

    def status() -> int:
        connection = http.client.HTTPSConnection(address, timeout=5, context=trusting)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    await site.until(lambda: status() == 200)
