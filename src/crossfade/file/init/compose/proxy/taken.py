"""What a proxy of the Compose file did, so that crossfade's own balancer does it: routes, ports, certificates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossfade.file.init.compose.judge.roles import names_of, values_of
from crossfade.file.init.compose.proxy.rule import alternatives

Route = dict[str, str]

_ARGUMENTS = r"\(((?:`[^`]*`|\"[^\"]*\"|'[^']*'|[^)`\"'])*)\)"
_HOST_RULE = re.compile(rf"\b(?:Host|HostSNI){_ARGUMENTS}")
_PATH_RULE = re.compile(rf"\b(PathPrefix|Path){_ARGUMENTS}")
_QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_OTHER_RULE = re.compile(r"\b(HostRegexp|PathRegexp|Headers?|HeadersRegexp|Method|Query|ClientIP)\(|!")
HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*")
# What is taken over, and what only matters to a proxy that is gone.
_KNOWN = re.compile(
    r"traefik\.(enable|port|docker\..*|constraint.*)|traefik\.http\.routers\.[^.]+\.(rule|entrypoints|service|tls.*|priority"
    r"|middlewares|rulesyntax)|traefik\.http\.services\.[^.]+\.loadbalancer\.(server\.(port|scheme)|sticky.*|passhostheader)",
    re.IGNORECASE,
)
# https://github.com/lucaslorentz/caddy-docker-proxy: caddy_1.reverse_proxy: "{{upstreams 4000}}"
_CADDYS_SITE = re.compile(r"caddy(_\d+)?")
_CADDYS_PROXY = re.compile(r"caddy(_\d+)?\.(\w+\.)?reverse_proxy")
_KNOWN_OF_CADDY = re.compile(
    r"caddy(_\d+)?|caddy_ingress_network|caddy(_\d+)?\.((\w+\.)?reverse_proxy|(\d+_)?redir(_\d+)?|tls.*|encode.*|log.*)"
)
_UPSTREAMS = re.compile(r"\{\{\s*upstreams(?:\s+https?)?(?:\s+([0-9]+))?\s*\}\}")
# Middlewares that keep visitors out.
_GUARDS = re.compile(
    r"(?:traefik\.http\.middlewares\.[^.]+|caddy(?:_\d+)?)\."
    r"(basicauth|digestauth|forwardauth|ipallowlist|ipwhitelist|basic_auth|forward_auth)\b",
    re.IGNORECASE,
)
_CHANGES_PATHS = re.compile(
    r"traefik\.http\.middlewares\.[^.]+\.(stripprefix|stripprefixregex|replacepath|replacepathregex|addprefix)\.\w+",
    re.IGNORECASE,
)
_PATH = re.compile(r"/|(/[^\s*?#/{}()^$\\]+)+")


@dataclass
class Taken:
    """What proxies said: routes, ports and cookies by service, hosts that are sent on, certificates, and what has no
    counterpart; `not_http` says of services by which other protocol they were asked.
    """

    routes: dict[str, list[Route]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    not_http: dict[str, str] = field(default_factory=dict)
    certificate: str = ""
    key: str = ""
    no_https: bool = False  # its files are here, and none serves it
    untaken: list[str] = field(default_factory=list)

    def route(self, service: str, host: str, path: str) -> None:
        """Requests to a host (empty: any) and a path go to the service. `/` is everything below it."""
        route = {"host": host.lower()} if host and HOST.fullmatch(host.lower()) else {}
        clean = path.rstrip("/*") or "/"
        if not _PATH.fullmatch(clean):
            self.untaken.append(f"the path {path} of {service}")
            return
        if clean != "/" or not route:
            route["path"] = "/*" if clean == "/" else f"{clean}/*"
        self.add(service, route)

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


def from_labels(service: str, labels: Any, taken: Taken) -> None:
    """Traefik's and nginx-proxy's words about a service: rules as routes, and the port."""
    labels = values_of(labels)
    for name, value in labels.items():
        if name.endswith(".loadbalancer.server.port") and value.isdecimal():
            taken.ports[service] = int(value)
        elif name.endswith(".loadbalancer.sticky.cookie.name"):
            taken.cookies[service] = value
        elif re.search(r"\.loadbalancer\.sticky(\.cookie)?$", name) and value.lower() == "true":
            taken.cookies.setdefault(service, "")
        elif ".http.routers." in name and name.endswith(".rule"):
            _rule(service, value, taken)
        elif proxied := _UPSTREAMS.fullmatch(value) if _CADDYS_PROXY.fullmatch(name) else None:
            taken.ports[service] = int(proxied[1] or 80)
        elif _CADDYS_SITE.fullmatch(name) and "." in value:
            _site(service, name, value, labels, taken)
        elif changed := _CHANGES_PATHS.fullmatch(name):
            said = f"{changed[1]} {value} changed paths before {service} saw a request; crossfade sends whole paths"
            taken.untaken.append(said)


def _site(service: str, name: str, value: str, labels: Mapping[str, str], taken: Taken) -> None:
    """Caddy's labels of one site: its hosts are served by the service, or sent on to another one."""
    hosts = [re.sub(r"^https?://", "", host) for host in re.split(r"[\s,]+", value)]
    own = {key.removeprefix(f"{name}."): text for key, text in labels.items() if key.startswith(f"{name}.")}
    sent = [text for key, text in own.items() if re.fullmatch(r"(\d+_)?redir(_\d+)?", key)]
    if sent and not any(key.endswith("reverse_proxy") for key in own):
        taken.redirect([host.lower() for host in hosts], re.sub(r"\s+(permanent|temporary|30\d)$", "", sent[0]))
        return
    for host in hosts:
        taken.route(service, host, "/")
    for key, text in own.items():
        if cut := re.match(r"(handle_path|uri|rewrite)\b", key):
            taken.untaken.append(f"{cut[1]} {text} changed paths before {service} saw a request")


def from_variables(service: str, variables: Mapping[str, str], taken: Taken) -> None:
    """VIRTUAL_HOST, VIRTUAL_PATH and VIRTUAL_PORT, as nginx-proxy reads them."""
    if port := variables.get("VIRTUAL_PORT", ""):
        taken.ports.setdefault(service, int(port) if port.isdecimal() else 80)
    for host in filter(None, variables.get("VIRTUAL_HOST", "").split(",")):
        taken.route(service, host.strip().split(":")[0], variables.get("VIRTUAL_PATH", "/"))


def is_label(name: str) -> bool:
    """True for a label that `from_labels` takes over, or that only matters to a proxy that is gone."""
    return name.startswith(("traefik.", "caddy")) or name == "traefik.enable"


def labels_left(labels: Any) -> list[str]:
    """The labels that mean something beyond what is taken over: middlewares that cut paths, guard or redirect, how
    instances are asked, protocols other than HTTP.
    """
    names = names_of(labels)
    caddys = [name for name in names if name.startswith("caddy") and not _KNOWN_OF_CADDY.fullmatch(name)]
    return [name for name in names if name.startswith("traefik.") and not _KNOWN.fullmatch(name)] + caddys


def guards(labels: Any) -> list[str]:
    """What of a proxy's kept visitors out of the service, by the proxy's own words."""
    return sorted({match[1].lower() for name in names_of(labels) if (match := _GUARDS.match(name))})


def _rule(service: str, rule: str, taken: Taken) -> None:
    """Host(`a`) && PathPrefix(`/v1`), and alternatives of it with ||."""
    for alternative in alternatives(rule):
        if _OTHER_RULE.search(alternative):
            taken.untaken.append(f"the rule {alternative.strip()} of {service}")
            continue
        hosts = [host for match in _HOST_RULE.finditer(alternative) for host in _QUOTED.findall(match[1])]
        paths = [(match[1], path) for match in _PATH_RULE.finditer(alternative) for path in _QUOTED.findall(match[2])]
        for host in hosts or ([""] if paths else []):
            for kind, path in paths or [("PathPrefix", "/")]:
                _ruled(service, host, kind, path, taken)


def _ruled(service: str, host: str, kind: str, path: str, taken: Taken) -> None:
    if kind == "Path" and _PATH.fullmatch(path):
        taken.add(service, {**({"host": host.lower()} if host else {}), "path": path})
    else:
        taken.route(service, host, path)
