"""HAProxy 2.6 or later as the balancer of one machine. A deploy goes through its runtime API, without a reload."""

from crossfade.platforms.local.balancers.haproxy.balancer import HaproxyBalancer

__all__ = ["HaproxyBalancer"]
