"""One health check of a target, as its group asks for it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import asyncio

from tests.rig.balancer.targets import Health, State

_AGENT = "ELB-HealthChecker/2.0"


async def check(host: str, port: int, path: str, *, codes: str, timeout: float) -> Health | None:  # noqa: ASYNC109  the check's own
    """None when it passes, else what DescribeTargetHealth says of it. `timeout` in seconds of this machine."""
    try:
        async with asyncio.timeout(timeout):
            status = await _asked(host, port, path)
    except TimeoutError:
        return Health(State.UNHEALTHY, "Target.Timeout", "Request timed out")
    except (OSError, ValueError, IndexError):
        return Health(State.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")
    if matches(codes, status):
        return None
    said = f"Health checks failed with these codes: [{status}]"
    return Health(State.UNHEALTHY, "Target.ResponseCodeMismatch", said)


async def _asked(host: str, port: int, path: str) -> int:
    """The status of the answer. A client of aiohttp's would take four times as long, for each target many times."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {_AGENT}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


def matches(codes: str, status: int) -> bool:
    """`codes` is a Matcher: `200`, `200,302` or `200-399`."""
    for part in codes.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
