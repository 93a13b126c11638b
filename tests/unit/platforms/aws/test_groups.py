"""Auto Scaling groups: what their hosts run on, and refreshes that somebody else began."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.places import NOWHERE

from crossfade.core.errors import RefusedError
from crossfade.core.fleet import Health
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.refreshes import Refreshes
from crossfade.platforms.aws.autoscaling.templates import platform
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.place import Colour
from crossfade.platforms.aws.refusals import AwsError


class Answering(Clients):
    """Gives the same answer to whatever is asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        return self._answer


@pytest.mark.parametrize(
    ("instance", "made_for"),
    [
        ("t3.micro", "linux/amd64"),
        ("t4g.small", "linux/arm64"),
        ("a1.large", "linux/arm64"),
        ("m6gd.large", "linux/arm64"),
        ("c7gn.xlarge", "linux/arm64"),
        ("im4gn.large", "linux/arm64"),
        ("g5g.xlarge", "linux/arm64"),
        ("g4dn.xlarge", "linux/amd64"),
        ("m7i-flex.large", "linux/amd64"),
        ("", "linux/amd64"),
    ],
)
def test_hosts_with_gravitons_run_images_for_arm(instance: str, made_for: str) -> None:
    """By the letter behind the generation, whatever the class has besides: disks, a faster network."""
    data = {"InstanceType": instance} if instance else {}
    assert platform(data) == made_for


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"Status": "Pending"}, r"group shop-blue is being refreshed, .*, 0 % done: 08b9"),
        (
            {"Status": "InProgress", "StartTime": datetime(2026, 3, 1, 14, 5, tzinfo=UTC), "PercentageComplete": 40},
            r"group shop-blue is being refreshed, .*, since 14:05:00 UTC, 40 % done: 08b9",
        ),
    ],
)
async def test_a_refresh_of_another_hand_is_refused_from_its_first_moment(told: Answer, shown: str) -> None:
    """One that has only been ordered has no beginning yet, and is as much another's."""
    colours = (Colour(name="blue", service="shop-blue", group=""), Colour(name="green", service="shop-green", group=""))
    place = replace(NOWHERE, colours=colours)
    clients = Answering({"InstanceRefreshes": [{"InstanceRefreshId": "08b9", **told}]})
    with pytest.raises(RefusedError, match=shown):
        await Refreshes(clients).require_none(place)


class Writing(Clients):
    """A log in which a host wrote these lines at these times; `asked` says how far back somebody looked."""

    def __init__(self, lines: dict[float, str]) -> None:
        super().__init__()
        self.lines, self.since = lines, list[float]()

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        since = parameters["startTime"] / 1000
        self.since.append(since)
        return {"events": [{"message": line} for at, line in self.lines.items() if at >= since]}


class Time(SystemClock):
    """One that is set."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def now(self) -> float:
        return self.at


async def test_what_a_host_wrote_last_is_told_anew_and_its_whole_log_is_not_read() -> None:
    """What writes much has written just now; of what is silent one looks further back, a day at most."""
    unasked: Any = None
    clients, clock = Writing({10.0: "starting", 100_000.0: "no database\n"}), Time(100_001.0)
    lookout = GroupLookout(clients, unasked, unasked, clock, "/shop-prod/hosts")
    assert await lookout._with_line("answered 502", "i-1") == "answered 502: no database"
    assert clients.since == [100_001.0 - 60]
    clients.lines[100_010.0] = "no memory"
    clock.at += 10
    assert await lookout._with_line("answered 502", "i-1") == "answered 502: no database"
    clock.at += 10
    assert await lookout._with_line("answered 502", "i-1") == "answered 502: no memory"
    clock.at += 3000
    assert await lookout._with_line("answered 502", "i-1") == "answered 502: no memory"
    assert min(clients.since) > 10.0


async def test_an_app_that_is_started_again_and_again_is_told_by_its_error() -> None:
    """What it wrote last is that it starts once more."""
    unasked: Any = None
    said = ["Traceback (most recent call last):", '  File "app.py", line 3, in <module>', "RuntimeError: no database"]
    clients = Writing({float(at): line for at, line in enumerate(["starting", *said, "starting"])})
    lookout = GroupLookout(clients, unasked, unasked, Time(6.0), "/shop-prod/hosts")
    assert await lookout._with_line("answered 502", "i-1") == "answered 502: RuntimeError: no database"


class Logless(Clients):
    """An account without the log group."""

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        raise AwsError("the log group does not exist", code="ResourceNotFoundException")


async def test_a_sick_host_is_seen_where_there_is_no_log_of_it() -> None:
    """What it wrote last is a help; without it the look would fail, and with it the verdict on the release."""
    unasked: Any = None
    lookout = GroupLookout(Logless(), unasked, unasked, SystemClock(), "/shop-prod/hosts")
    assert await lookout._with_line("answered 502", "i-1") == "answered 502"


def told(instance: str, launched: datetime) -> Answer:
    return {"Reservations": [{"Instances": [{"InstanceId": instance, "LaunchTime": launched}]}]}


class Forgetful(Clients):
    """EC2, which does not know yet what was launched a moment ago, and has an error for who asks for it by its id."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, datetime] = {"i-1": datetime(2026, 3, 1, tzinfo=UTC)}

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        if unknown := set(parameters.get("InstanceIds", ())) - self.known.keys():
            raise AwsError(f"the instance IDs {unknown} do not exist", code="InvalidInstanceID.NotFound")
        (wanted,) = parameters["Filters"]
        found = [one for one in wanted["Values"] if one in self.known]
        return {"Reservations": [held for one in found for held in told(one, self.known[one])["Reservations"]]}


async def test_a_host_that_ec2_does_not_know_yet_does_not_keep_the_others_from_being_seen() -> None:
    """It is asked for again at the next look."""
    unasked: Any = None
    clients = Forgetful()
    lookout = GroupLookout(clients, unasked, unasked, SystemClock(), "")
    await lookout._date(["i-1", "i-2"])
    assert lookout._launched.keys() == {"i-1"}
    clients.known["i-2"] = datetime(2026, 3, 2, tzinfo=UTC)
    await lookout._date(["i-1", "i-2"])
    assert lookout._launched.keys() == {"i-1", "i-2"}


@pytest.mark.parametrize(
    ("cause", "complaint", "own"),
    [
        ("an instance was taken out of service in response to an ELB system health check failure.", "", True),
        ("an instance was taken out of service in response to an EC2 instance status checks failure.", "", False),
        ("", "answered 503", True),
        ("", "", False),
    ],
)
def test_a_host_whose_end_nobody_explains_speaks_against_no_release(cause: str, complaint: str, own: bool) -> None:
    """Its group ends it and has not told why yet: what the load balancer heard of it counts, and nothing else does."""
    unasked: Any = None
    lookout = GroupLookout(Clients(), unasked, unasked, SystemClock(), "")
    if complaint:
        lookout._seen("shop/web", "i-1", TargetHealth(health=Health.UNHEALTHY, detail=complaint))
    assert lookout._is_its_own("i-1", cause) is own


@pytest.mark.parametrize(
    ("now", "blamed", "said"),
    [
        (None, False, "the load balancer no longer has it"),
        (TargetHealth(health=None, draining=True), False, "the load balancer no longer has it"),
        (TargetHealth(health=Health.UNHEALTHY, detail="answered 503"), True, "answered 503"),
    ],
)
async def test_a_host_that_was_healthy_and_is_ended_speaks_against_no_release(
    now: TargetHealth | None, blamed: bool, said: str
) -> None:
    """The load balancer lets go of its machine before its group hears of it, and nobody found it sick."""
    unasked: Any = None
    lookout = GroupLookout(Clients(), unasked, unasked, SystemClock(), "")
    host = {"InstanceId": "i-1", "LifecycleState": "InService", "HealthStatus": "Healthy"}
    at = "blue", f"i-1:{NOWHERE.port}"
    seen = [
        await lookout._task("shop/web", NOWHERE, "blue", host, None, {at: health} if health else {}, [])
        for health in (TargetHealth(health=Health.HEALTHY), now)
    ]
    assert [(task.blamed, task.detail) for task in seen] == [(True, ""), (blamed, said)]


class Begun(Clients):
    """A refresh runs, which nobody had heard that they began."""

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        raise AwsError("An Instance Refresh is already in progress", code="InstanceRefreshInProgress")


async def test_a_refresh_whose_answer_was_lost_has_begun() -> None:
    """Asked for again, AWS says that one runs: whoever restarts a service has just seen that none did."""
    await Refreshes(Begun()).begin("shop-blue", unfenced)
