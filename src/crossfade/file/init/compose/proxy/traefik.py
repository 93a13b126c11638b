"""Traefik's labels of a service: rules as routes, ports, checks, and what has no counterpart."""

import re
from collections.abc import Mapping
from typing import Any

from crossfade.file.init.compose.proxy.rule import alternatives
from crossfade.file.init.compose.proxy.taken import PATH, Taken

_ARGUMENTS = r"\(((?:`[^`]*`|\"[^\"]*\"|'[^']*'|[^)`\"'])*)\)"
_HOST_RULE = re.compile(rf"\b(?:Host|HostSNI){_ARGUMENTS}")
_PATH_RULE = re.compile(rf"\b(PathPrefix|Path){_ARGUMENTS}")
_QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_OTHER_RULE = re.compile(r"\b(HostRegexp|PathRegexp|Headers?|HeadersRegexp|Method|Query|ClientIP)\(|!")
# Traefik's first words: traefik.frontend.rule=Host:a.example.com;PathPrefix:/api
_FIRST_RULE = re.compile(r"traefik\.(\w+\.)?frontend\.rule")
_RULE = re.compile(r"traefik\.http\.routers\.([^.]+)\.rule")
_PORT = re.compile(r"traefik\.http\.services\.([^.]+)\.loadbalancer\.server\.port", re.IGNORECASE)
_FIRST_PORT = re.compile(r"traefik\.(\w+\.)?port")
_CHECK = re.compile(r"\.loadbalancer\.healthcheck\.(path|port|interval|timeout|hostname|status)$", re.IGNORECASE)
_OURS = {"hostname": "host", "status": "codes"}
_CHANGES_PATHS = re.compile(
    r"traefik\.http\.middlewares\.[^.]+\.(stripprefix|stripprefixregex|replacepath|replacepathregex|addprefix)\.\w+",
    re.IGNORECASE,
)


def from_labels(service: str, labels: Mapping[str, str], taken: Taken) -> None:
    """Takes over what they say."""
    told = {name: value for name, value in labels.items() if name.startswith("traefik.")}
    if told.get("traefik.enable", "true").lower() == "false":
        return
    ports = {match[1]: value for name, value in told.items() if (match := _PORT.fullmatch(name))}
    for name, rule in told.items():
        if router := _RULE.fullmatch(name):
            port = ports.get(told.get(f"traefik.http.routers.{router[1]}.service", "").partition("@")[0], "")
            if taken.at(service, port, f"the rule {rule}"):
                _rule(service, rule, taken)
    for port in ports.values():
        if port.isdecimal():
            taken.ports.setdefault(service, int(port))
    for name, value in told.items():
        _label(service, name, value, taken)


def _label(service: str, name: str, value: str, taken: Taken) -> None:
    if _FIRST_RULE.fullmatch(name):
        _rule(service, re.sub(r"(\w+):\s*([^;]+)(;?)", _as_today, value), taken)
    elif name.endswith(".middlewares"):
        elsewhere = [one.strip() for one in value.split(",") if "@" in one and not one.strip().endswith("@docker")]
        taken.untaken += [f"the middleware {one} of {service}, which its own files have" for one in elsewhere]
    elif asked := _CHECK.search(name):
        _check(taken.checks.setdefault(service, {"codes": "200-399"}), asked[1].lower(), value)
    elif changed := _CHANGES_PATHS.fullmatch(name):
        said = f"{changed[1]} {value} changed paths before {service} saw a request; crossfade sends whole paths"
        taken.untaken.append(said)
    else:
        _instances(service, name, value, taken)


def _instances(service: str, name: str, value: str, taken: Taken) -> None:
    """At which port they are reached, and who stays with which."""
    if name.endswith(".loadbalancer.server.scheme") and value.lower() == "https":
        taken.not_http[service] = "HTTPS"
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
    if kind == "Path" and PATH.fullmatch(path):
        taken.add(service, {**({"host": host.lower()} if host else {}), "path": path})
    else:
        taken.route(service, host, path)
