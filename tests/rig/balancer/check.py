"""One health check of a target, as its group asks for it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import aiohttp
from tests.rig.balancer.targets import Health, State


async def check(session: aiohttp.ClientSession, url: str, *, codes: str, timeout: float) -> Health | None:  # noqa: ASYNC109  the check's own
    """None when it passes, else what DescribeTargetHealth says of it. `timeout` in seconds of this machine."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=timeout), allow_redirects=False) as answer:
            if matches(codes, answer.status):
                return None
            said = f"Health checks failed with these codes: [{answer.status}]"
            return Health(State.UNHEALTHY, "Target.ResponseCodeMismatch", said)
    except TimeoutError:
        return Health(State.UNHEALTHY, "Target.Timeout", "Request timed out")
    except (aiohttp.ClientError, OSError):
        return Health(State.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")


def matches(codes: str, status: int) -> bool:
    """`codes` is a Matcher: `200`, `200,302` or `200-399`."""
    for part in codes.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
