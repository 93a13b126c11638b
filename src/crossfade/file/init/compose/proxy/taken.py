"""What a proxy of the Compose file did, so that crossfade's own balancer does it: routes, ports, certificates."""

import re
from dataclasses import dataclass, field
from typing import Any

Route = dict[str, str]

HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
PATH = re.compile(r"/|(/[^\s*?#/{}()^$\\]+)+")


@dataclass
class Taken:
    """What proxies said: routes, ports, cookies and health checks by service, hosts that are sent on, certificates, and
    what has no counterpart; `not_http` says of services by which other protocol they were asked.
    """

    routes: dict[str, list[Route]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    addressed: dict[str, int] = field(default_factory=dict)  # by other services, at these ports
    cookies: dict[str, str] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    not_http: dict[str, str] = field(default_factory=dict)
    certificate: str = ""
    key: str = ""
    no_https: bool = False  # its files are here, and none serves it
    untaken: list[str] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)  # what of the proxy's own files kept visitors out

    def route(self, service: str, host: str, path: str) -> None:
        """Requests to a host (empty: any) and a path go to the service. `/` is everything below it."""
        if host and not HOST.fullmatch(host.lower()):  # nobody else's requests instead
            self.untaken.append(f"requests to the host {host} went to {service}")
            return
        route = {"host": host.lower()} if host else {}
        clean = path.rstrip("/*") or "/"
        if not PATH.fullmatch(clean):
            self.untaken.append(f"the path {path} of {service}")
            return
        if clean != "/" or not route:
            route["path"] = "/*" if clean == "/" else f"{clean}/*"
        self.add(service, route)

    def at(self, service: str, port: str, what: str) -> bool:
        """True for the port at which the service is asked, the first one; what went to another one is told."""
        number = int(port) if port.isdecimal() else None
        if number is None or self.ports.setdefault(service, number) == number:
            return True
        self.untaken.append(f"{what} went to port {number} of {service}; a service has one port")
        return False

    def spread(self, services: list[str]) -> None:
        """Several services got the same requests by turns; the first gets them all."""
        if len(others := list(dict.fromkeys(services))) > 1:
            self.untaken.append(f"requests went by turns to {', '.join(others)}: {others[0]} gets all, by its replicas")

    def served(self, paths: list[str], place: str) -> None:
        """The proxy answered these paths (none: all that no service does) with files of a folder."""
        what = ", ".join(paths) or "what nothing else answers"
        self.untaken.append(f"{what} was served from the folder {place}; a service with `static` can")

    def answered_with(self, words: list[str]) -> None:
        """The proxy set a header of answers: `X-Frame-Options DENY`. Before its name Caddy has how: `+`, `?` or `>`."""
        name, value = words[0].lstrip("+?>") if words else "", " ".join(words[1:]).strip('"')
        if value and _HEADER.fullmatch(name):
            self.untaken.append(f"answers got the header {name}: {value}; `headers` of a service can")

    def redirect(self, hosts: list[str], to: str) -> None:
        """Visitors of these hosts are sent on to another, path and all. To HTTPS of the same is no redirect here."""
        found = re.fullmatch(r"https?://([^/{}$:]+)(:\d+)?(?:\{uri\}|\$request_uri)", to)
        other = found[1].lower() if found and not found[2] and HOST.fullmatch(found[1].lower()) else ""
        same = re.match(r"https://(\$host|\$http_host|\$server_name|\{host\})\b", to) or hosts == [other]
        if same:
            return
        if not hosts or not other or any("*" in host for host in hosts):
            self.untaken.append(f"{', '.join(hosts) or 'everything'} was sent on to {to}")
            return
        self.redirects |= {host: other for host in hosts if host != other}

    def add(self, service: str, route: Route) -> None:
        """One more route, unless the service has it."""
        if route not in self.routes.setdefault(service, []):
            self.routes[service].append(route)
