"""Labels and variables that tell a proxy about a service."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.file.init.compose.judge.features import names_of, values_of
from crossfade.file.init.compose.proxy import traefik
from crossfade.file.init.compose.proxy.caddy import host_of
from crossfade.file.init.compose.proxy.taken import Taken
from crossfade.file.reading.document import parse
from crossfade.file.reading.problem import WrongFileError

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
# Middlewares that keep visitors out.
_GUARDS = re.compile(
    r"(?:traefik\.http\.middlewares\.[^.]+|caddy(?:_\d+)?)\."
    r"(basicauth|digestauth|forwardauth|ipallowlist|ipwhitelist|basic_auth|forward_auth)\b",
    re.IGNORECASE,
)


def from_labels(service: str, labels: Any, taken: Taken) -> None:
    """Traefik's and Caddy's words about a service: rules as routes, and the port."""
    labels = values_of(labels)
    traefik.from_labels(service, labels, taken)
    for name, value in labels.items():
        if proxied := _UPSTREAMS.fullmatch(value) if _CADDYS_PROXY.fullmatch(name) else None:
            taken.ports[service] = int(proxied[2] or 80)
        elif _CADDYS_SITE.fullmatch(name) and "." in value:
            _site(service, name, value, labels, taken)


def _site(service: str, name: str, value: str, labels: Mapping[str, str], taken: Taken) -> None:
    """Caddy's labels of one site: its hosts are served by the service, or sent on to another one."""
    hosts = [host for address in re.split(r"[\s,]+", value) if (host := host_of(address))]
    own = {key.removeprefix(f"{name}."): text for key, text in labels.items() if key.startswith(f"{name}.")}
    sent = [text for key, text in own.items() if re.fullmatch(r"(\d+_)?redir(_\d+)?", key)]
    if sent and not any(key.endswith("reverse_proxy") for key in own):
        taken.redirect(hosts, re.sub(r"\s+(permanent|temporary|30\d)$", "", sent[0]))
        return
    for host in hosts or [""]:
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
    for host, below, number in _of_many_ports(service, variables.get("VIRTUAL_HOST_MULTIPORTS", ""), taken):
        if taken.at(service, str(number), f"{host}{below}"):
            taken.route(service, host, below)
    for host in filter(None, variables.get("VIRTUAL_HOST", "").split(",")):
        taken.route(service, host.strip().split(":")[0], path)


def _of_many_ports(service: str, text: str, taken: Taken) -> Iterator[tuple[str, str, int]]:
    """(host, path, port) of VIRTUAL_HOST_MULTIPORTS, which is YAML: {a.example.com: {/: {port: 7000}}}."""
    if not text.strip():
        return
    try:
        hosts = parse(text.encode(), "VIRTUAL_HOST_MULTIPORTS").plain()
    except WrongFileError:
        taken.untaken.append(f"VIRTUAL_HOST_MULTIPORTS of {service}, which is not a YAML mapping")
        return
    for host, paths in hosts.items():
        for path, how in paths.items() if isinstance(paths, dict) else [("/", None)]:
            port = how.get("port") if isinstance(how, dict) else None
            yield host, path, port if isinstance(port, int) else 80


def is_label(name: str) -> bool:
    """True for a label that `from_labels` takes over, or that only matters to a proxy that is gone."""
    return name.startswith(("traefik.", "caddy"))


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
