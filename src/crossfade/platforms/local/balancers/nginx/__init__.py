"""nginx 1.18 or later as the balancer of one machine, for who has it. A change is a reload, which can lose requests."""

from crossfade.platforms.local.balancers.nginx.balancer import NginxBalancer

__all__ = ["NginxBalancer"]
