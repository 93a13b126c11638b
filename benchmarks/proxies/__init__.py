"""Everybody who can switch traffic from one release to another: crossfade and its peers, behind one interface."""

from benchmarks.proxies.caddy import Caddy
from benchmarks.proxies.crossfade import Controller, CrossfadeEnvoy, CrossfadeHaproxy
from benchmarks.proxies.haproxy import HaproxyMap, HaproxyReload
from benchmarks.proxies.nginx import Nginx
from benchmarks.proxies.proxy import Proxy
from benchmarks.proxies.traefik import Traefik

ALL: tuple[type[Proxy], ...] = (
    *(CrossfadeEnvoy, CrossfadeHaproxy, Controller),
    *(Nginx, HaproxyReload, HaproxyMap, Traefik, Caddy),
)

__all__ = ["ALL", "Controller", "CrossfadeEnvoy", "CrossfadeHaproxy", "Proxy"]
