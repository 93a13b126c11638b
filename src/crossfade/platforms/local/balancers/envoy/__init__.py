"""Envoy as the balancer of one machine: one process, shared by all apps, told by files what to do."""

from crossfade.platforms.local.balancers.envoy.balancer import EnvoyBalancer

__all__ = ["EnvoyBalancer"]
