"""A line of Envoy's access log as a request that CloudWatch counts."""

from collections.abc import Mapping

from tests.rig.cloudwatch.minutes import Request

_NONE = "-"


def read(line: str, balancers: Mapping[int, str]) -> Request | None:
    """`balancers` are ids by the port of a listener, such as `app/shop-dev/0123456789abcdef`. None: not of ours."""
    _, port, cluster, status, flags, host, took = line.split("\t")
    balancer = balancers.get(int(port))
    if balancer is None:
        return None
    chosen = host != _NONE
    by_target = chosen and flags == _NONE
    seconds = int(took) / 1e6 if took != _NONE else None
    return Request(balancer, cluster if chosen else "", int(status), by_target, seconds)
