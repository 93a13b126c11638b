"""Listener rules: which requests go to which service, in the words of an Application Load Balancer."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.file.model import Route, Service

EVERYTHING = "/*"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
VALUES = 5  # hosts and paths of one rule


@dataclass(frozen=True, slots=True)
class ListenerRule:
    """A rule of the load balancer. Empty hosts or paths: any."""

    service: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def values(self) -> int:
        return len(self.hosts) + len(self.paths)


def default(services: Mapping[str, Service]) -> str | None:
    """The service that gets what no rule is for."""
    return next((name for name, one in services.items() if any(map(_is_everything, one.routes))), None)


def rules(services: Mapping[str, Service]) -> tuple[ListenerRule, ...]:
    """Most specific first, as crossfade sorts them on one machine. Neighbours of one service and host are one rule."""
    asked = [(route, name) for name, one in services.items() for route in one.routes if not _is_everything(route)]
    found: list[ListenerRule] = []
    for route, name in sorted(asked, key=lambda pair: _order(pair[0])):
        rule = ListenerRule(name, (route.host,) if route.host else (), _patterns(route.path))
        last = found[-1] if found else None
        if last and last.paths and rule.paths and (last.service, last.hosts) == (rule.service, rule.hosts):
            both = ListenerRule(name, rule.hosts, last.paths + rule.paths)
            if both.values <= VALUES:
                found[-1] = both
                continue
        found.append(rule)
    return tuple(found)


def _is_everything(route: Route) -> bool:
    return route.host is None and route.path == EVERYTHING


def _patterns(path: str) -> tuple[str, ...]:
    """`/api/*` has `/api` in it, which for a load balancer is another path."""
    if path == EVERYTHING:
        return ()
    return (path.removesuffix("/*"), path) if path.endswith("/*") else (path,)


def _order(route: Route) -> tuple[bool, bool, int, bool, int, str]:
    """Exact hosts, then wildcards from the longest, then any; exact paths, then prefixes from the longest."""
    host = route.host or ""
    return (not host, host.startswith("*."), -len(host), route.path.endswith("*"), -len(route.path), route.path)
