"""A line of Envoy's access log as a request that CloudWatch counts."""

from collections.abc import Callable, Mapping

from tests.rig.cloudwatch.minutes import Request

_NONE = "-"
_NOT_CONNECTED = "UF"  # https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage


def read(line: str, balancers: Mapping[int, str], targets: Callable[[str], int]) -> Request | None:
    """`balancers` are ids by the port of a listener, such as `app/shop-dev/0123456789abcdef`. None: not of ours.

    `targets` says how many a group sends to.
    """
    _, port, cluster, status, flags, host, took = line.split("\t")
    balancer = balancers.get(int(port))
    if balancer is None:
        return None
    chosen = host != _NONE
    by_target = chosen and flags == _NONE
    seconds = int(took) / 1e6 if took != _NONE else None
    return Request(
        balancer,
        cluster if chosen else "",
        int(status),
        by_target,
        seconds,
        connected=_NOT_CONNECTED not in flags.split(","),
        share=1 / max(1, targets(cluster)),
    )
