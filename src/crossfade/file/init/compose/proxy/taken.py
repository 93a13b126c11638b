"""What a proxy of the Compose file did, so that crossfade's own balancer does it: routes, ports, certificates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from crossfade.file.init.compose.judge.features import names_of, values_of
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
    r"traefik\.(enable|(\w+\.)?port|(\w+\.)?frontend\.(rule|priority|entrypoints)|docker\..*|constraint.*)|traefik\.http\.routers\.[^.]+\.(rule|entrypoints|service|tls.*|priority"
    r"|middlewares|rulesyntax)|traefik\.http\.services\.[^.]+\.loadbalancer\.(server\.(port|scheme)|sticky.*|passhostheader"
    r"|healthcheck\.(path|port|interval|timeout|hostname|status|followredirects))",
    re.IGNORECASE,
)
# https://github.com/lucaslorentz/caddy-docker-proxy: caddy_1.reverse_proxy: "{{upstreams 4000}}"
_CADDYS_SITE = re.compile(r"caddy(_\d+)?")
_CADDYS_PROXY = re.compile(r"caddy(_\d+)?\.(\w+\.)*?(\d+_)?reverse_proxy")
_KNOWN_OF_CADDY = re.compile(
    r"caddy(_\d+)?|caddy_ingress_network|caddy(_\d+)?\.((\w+\.)*?(\d+_)?reverse_proxy|(\d+_)?(handle|handle_path|route)(_\d+)?"
    r"|(\d+_)?redir(_\d+)?|tls.*|encode.*|log.*)"
)
_UPSTREAMS = re.compile(r"(?:(/\S*)\s+)?\{\{\s*upstreams(?:\s+https?)?(?:\s+([0-9]+))?\s*\}\}")
# Traefik's first words: traefik.frontend.rule=Host:a.example.com;PathPrefix:/api
_FIRST_RULE = re.compile(r"traefik\.(\w+\.)?frontend\.rule")
_FIRST_PORT = re.compile(r"traefik\.(\w+\.)?port")
_CHECK = re.compile(r"\.loadbalancer\.healthcheck\.(path|port|interval|timeout|hostname|status)$", re.IGNORECASE)
_OURS = {"hostname": "host", "status": "codes"}
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
        route = {"host": host.lower()} if host and HOST.fullmatch(host.lower()) else {}
        clean = path.rstrip("/*") or "/"
        if not _PATH.fullmatch(clean):
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
        if name.startswith("traefik."):
            _traefik(service, name, value, taken)
        elif proxied := _UPSTREAMS.fullmatch(value) if _CADDYS_PROXY.fullmatch(name) else None:
            taken.ports[service] = int(proxied[2] or 80)
        elif _CADDYS_SITE.fullmatch(name) and "." in value:
            _site(service, name, value, labels, taken)


def _traefik(service: str, name: str, value: str, taken: Taken) -> None:
    if (".http.routers." in name and name.endswith(".rule")) or _FIRST_RULE.fullmatch(name):
        first = re.sub(r"(\w+):\s*([^;]+)(;?)", _as_today, value)
        _rule(service, first if _FIRST_RULE.fullmatch(name) else value, taken)
    elif asked := _CHECK.search(name):
        _check(taken.checks.setdefault(service, {"codes": "200-399"}), asked[1].lower(), value)
    elif changed := _CHANGES_PATHS.fullmatch(name):
        said = f"{changed[1]} {value} changed paths before {service} saw a request; crossfade sends whole paths"
        taken.untaken.append(said)
    else:
        _instances(service, name, value, taken)


def _instances(service: str, name: str, value: str, taken: Taken) -> None:
    """At which port they are reached, and who stays with which."""
    if name.endswith(".loadbalancer.server.port") and value.isdecimal():
        taken.ports[service] = int(value)
    elif _FIRST_PORT.fullmatch(name) and value.isdecimal():
        taken.ports.setdefault(service, int(value))
    elif name.endswith(".loadbalancer.sticky.cookie.name"):
        taken.cookies[service] = value
    elif re.search(r"\.loadbalancer\.sticky(\.cookie)?$", name) and value.lower() == "true":
        taken.cookies.setdefault(service, "")


def _as_today(rule: re.Match[str]) -> str:
    """Host:a,b; as Host(`a`, `b`) &&."""
    values = ", ".join(f"`{value.strip()}`" for value in rule[2].split(","))
    return f"{rule[1]}({values}){' && ' if rule[3] else ''}"


def _check(check: dict[str, Any], key: str, value: str) -> None:
    """Traefik asks by itself, whole answers of 200-399 unless it is told which; a bare number is of seconds."""
    number = int(value) if value.isdecimal() else None
    if key in ("interval", "timeout"):
        check[key] = f"{value}s" if number is not None else value
    else:
        check[_OURS.get(key, key)] = number if key == "port" and number else value


def _site(service: str, name: str, value: str, labels: Mapping[str, str], taken: Taken) -> None:
    """Caddy's labels of one site: its hosts are served by the service, or sent on to another one."""
    hosts = [re.sub(r"^https?://", "", host) for host in re.split(r"[\s,]+", value)]
    own = {key.removeprefix(f"{name}."): text for key, text in labels.items() if key.startswith(f"{name}.")}
    sent = [text for key, text in own.items() if re.fullmatch(r"(\d+_)?redir(_\d+)?", key)]
    if sent and not any(key.endswith("reverse_proxy") for key in own):
        taken.redirect([host.lower() for host in hosts], re.sub(r"\s+(permanent|temporary|30\d)$", "", sent[0]))
        return
    for host in hosts:
        for path in _caddys_paths(own) or ["/"]:
            taken.route(service, host, path)
    for key, text in own.items():
        if cut := re.fullmatch(r"(?:\d+_)?(handle_path|uri|rewrite)(?:_\d+)?(?:\.(?!.*reverse_proxy).*)?", key):
            taken.untaken.append(f"{cut[1]} {text} changed paths before {service} saw a request")


def _caddys_paths(own: Mapping[str, str]) -> list[str]:
    """The paths that a site sends here: of `reverse_proxy: /api/* {{upstreams}}`, or of one below `handle: /api/*`."""
    found = []
    for key, text in own.items():
        if key.endswith("reverse_proxy") and (proxied := _UPSTREAMS.fullmatch(text)):
            above = own.get(key.rpartition(".")[0], "")
            found.append(proxied[1] or (above if above.startswith("/") else "/"))
    return list(dict.fromkeys(found))


def from_variables(service: str, variables: Mapping[str, str], taken: Taken) -> None:
    """VIRTUAL_HOST, VIRTUAL_PATH, VIRTUAL_PORT and their like, as nginx-proxy reads them."""
    if port := variables.get("VIRTUAL_PORT", ""):
        taken.ports.setdefault(service, int(port) if port.isdecimal() else 80)
    if (proto := variables.get("VIRTUAL_PROTO", "http")) in ("fastcgi", "uwsgi"):
        taken.not_http[service] = proto
    path = variables.get("VIRTUAL_PATH", "/")
    if path != "/" and variables.get("VIRTUAL_DEST", path) != path:
        taken.untaken.append(f"{path} was cut off before {service} saw a request; crossfade sends whole paths")
    for host, below, number in _of_many_ports(variables.get("VIRTUAL_HOST_MULTIPORTS", "")):
        if taken.at(service, str(number), f"{host}{below}"):
            taken.route(service, host, below)
    for host in filter(None, variables.get("VIRTUAL_HOST", "").split(",")):
        taken.route(service, host.strip().split(":")[0], variables.get("VIRTUAL_PATH", "/"))


def _of_many_ports(text: str) -> Iterator[tuple[str, str, int]]:
    """(host, path, port) of VIRTUAL_HOST_MULTIPORTS, which is YAML: {a.example.com: {/: {port: 7000}}}."""
    try:
        hosts = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    for host, paths in hosts.items() if isinstance(hosts, dict) else ():
        for path, how in paths.items() if isinstance(paths, dict) else [("/", None)]:
            port = how.get("port") if isinstance(how, dict) else None
            yield str(host), str(path), port if isinstance(port, int) else 80


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
