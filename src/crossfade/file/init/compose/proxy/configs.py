"""What the configuration of nginx or Caddy that stands beside a Compose file says about its services."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.judge.features import values_of
from crossfade.file.init.compose.proxy.caddy import Caddyfile, filled
from crossfade.file.init.compose.proxy.taken import HOST, Taken
from crossfade.file.init.compose.source.mounts import Mount, mounts_of, on_this_machine
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, is_there

_LARGEST = 1 << 18
_MOST_FILES = 50
_WORDS = re.compile(r"\"[^\"]*\"|'[^']*'|[{};]|[^\s{};#\"']+|#[^\n]*")
_UNREAD = re.compile(r"haproxy\.cfg|/haproxy/?$|envoy\.ya?ml|httpd\.conf|apache2?/|/etc/traefik|dynamic|varnish")
_SENDS = re.compile(r"(^|[{;])\s*(proxy_pass|reverse_proxy)\s", re.MULTILINE)
_GUARDS = frozenset({"auth_basic", "auth_request", "auth_jwt", "deny"})
_LIMITS = frozenset({"limit_req", "limit_conn"})
_PASSES = ("proxy_pass", "uwsgi_pass", "fastcgi_pass", "grpc_pass")


def from_config(proxy: dict[str, Any], folder: Path, services: Collection[str], taken: Taken) -> list[str]:
    """Takes over what the mounted files of a proxy say about `services`; the names of the files that were read."""
    read = []
    mounts = mounts_of(proxy)
    secure = []
    for path in [*_configs(mounts, folder, taken), *_built_in(proxy, folder)]:
        text, variables = _text(path), values_of(proxy.get("environment"))
        if path.name.startswith("Caddyfile"):
            Caddyfile(services, mounts, taken).read(filled(text, variables))
        else:
            text = _filled(text, variables)
            _Nginx(services, mounts, taken).read(text)
            secure.append(re.search(r"ssl|\b443\b", text) is not None)
        read.append(path.name)
    taken.no_https |= bool(secure) and not any(secure)
    return read


def _configs(mounts: list[Mount], folder: Path, taken: Taken) -> Iterator[Path]:
    """The files of a proxy's configuration that are here, those in a mounted folder among them."""
    for mount in mounts:
        place = from_folder(folder, mount.source)
        if mount.kind == "bind" and _UNREAD.search(mount.target):
            taken.untaken.append(f"{mount.source} is not read: write its hosts, paths and certificates into this file")
        if mount.kind != "bind" or not re.search(r"nginx|Caddyfile|/caddy", mount.target):
            continue
        if not is_there(place) and re.search(r"\.conf$|/etc/(nginx|caddy)|Caddyfile", mount.target):
            taken.untaken.append(f"{mount.source} does not exist, so nothing of it is taken over")
        if is_file(place):
            yield place
        elif is_folder(place) and re.search(r"conf\.d|templates|sites|/etc/nginx/?$|/etc/caddy/?$", mount.target):
            found = (path for path in sorted(place.iterdir()) if is_file(path))
            good = [path for path in found if re.search(r"\.(conf|template)$|Caddyfile", path.name)]
            yield from good[:_MOST_FILES]


def _built_in(proxy: dict[str, Any], folder: Path) -> Iterator[Path]:
    """What its Dockerfile may copy into it: files beside it that send requests on."""
    build = proxy.get("build")
    context = str(build.get("context") or "") if isinstance(build, dict) else ""
    there = from_folder(folder, context)
    if not context or "://" in context or not is_folder(there):
        return
    beside = [there, *(path for path in there.iterdir() if is_folder(path))]
    files = [path for place in beside for path in sorted(place.iterdir()) if is_file(path)][:_MOST_FILES]
    yield from (path for path in files if _SENDS.search(_text(path)))


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """With the values of the proxy's own variables, as a template of its configuration gets them; all others stay."""
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace(f"${{{name}}}", variables[name])
        text = re.sub(rf"\${re.escape(name)}\b", variables[name].replace("\\", r"\\"), text)
    return text


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:_LARGEST].decode(errors="replace")
    except OSError:
        return ""


@dataclass
class _Nginx:
    """`server_name`, `location` and `proxy_pass`, with `upstream` blocks followed."""

    services: Collection[str]
    mounts: list[Mount]
    taken: Taken
    upstreams: dict[str, list[str]] = field(default_factory=dict)
    blocks: list[list[str]] = field(default_factory=list)
    hosts: list[list[str]] = field(default_factory=lambda: [[]])
    passes: list[tuple[str, str, list[str], list[str]]] = field(default_factory=list)

    def read(self, text: str) -> None:
        words: list[str] = []
        for word in _WORDS.findall(text):
            if word == "{":
                self.blocks.append(words)
                self.hosts.append([] if words[:1] == ["server"] else self.hosts[-1])
            elif word == "}" and self.blocks:
                self.blocks.pop()
                self.hosts.pop()
            elif word == ";":
                self._directive(words)
            elif not word.startswith("#"):
                words.append(word.strip("\"'"))
                continue
            words = []
        for how, target, location, hosts in self.passes:  # an upstream may stand behind its use
            self._passed(how, target, location, hosts)

    def _directive(self, words: list[str]) -> None:
        name, rest = (words[0], words[1:]) if words else ("", [])
        inside = self.blocks[-1] if self.blocks else []
        if not rest:
            return
        if name == "server" and inside[:1] == ["upstream"] and len(inside) > 1:
            self.upstreams.setdefault(inside[1], []).append(rest[0])
        elif name == "server_name":
            self.hosts[-1][:] = [host for host in rest if HOST.fullmatch(host.lower()) and host != "localhost"]
            self.taken.untaken += [f"visitors of the hosts {host}" for host in rest if host.startswith("~")]
        elif name == "ssl_certificate":
            self.taken.certificate = self.taken.certificate or on_this_machine(rest[0], self.mounts)
        elif name == "ssl_certificate_key":
            self.taken.key = self.taken.key or on_this_machine(rest[0], self.mounts)
        elif name == "return" and len(rest) > 1 and rest[0].startswith("3"):
            if path := self._in_location():
                self.taken.untaken.append(f"{path} was sent on to {rest[1]}")
            else:
                self.taken.redirect(self.hosts[-1], rest[1])
        elif name in ("alias", "root") and inside[:1] in (["location"], ["server"]):
            place = on_this_machine(rest[0], self.mounts) or rest[0]
            self.taken.served(inside[-1:] if inside[0] == "location" else [], place)
        elif name in _PASSES:
            location = next((block[1:] for block in reversed(self.blocks) if block[:1] == ["location"]), ["/"])
            self.passes.append((name, rest[0], location, self.hosts[-1]))
        else:
            self._by_itself(words)

    def _by_itself(self, words: list[str]) -> None:
        """What nginx did with a request itself."""
        name = words[0]
        if name in _GUARDS and words[1:] != ["off"] and not (name == "deny" and self._in_location()):
            self.taken.guards.append(name)
        elif name == "rewrite" and re.match(
            r"https://\$(host|http_host|server_name)\b", (words[2:3] and words[2]) or ""
        ):
            pass  # to HTTPS of the same host, as ours does by itself
        elif name in ("rewrite", "deny") or (name == "return" and self._in_location()):
            self.taken.untaken.append(f"{self._in_location()} {' '.join(words)}".strip())
        elif name == "add_header":
            self.taken.answered_with([word for word in words[1:] if word != "always"])
        elif name in _LIMITS:
            self.taken.untaken.append(f"{name} kept visitors from asking too often")

    def _in_location(self) -> str:
        """The path of a location of its own; empty where all of a host is meant, which may stand in `location /`."""
        inside = [block[-1] for block in self.blocks if block[:1] == ["location"] and block[1:] != ["/"]]
        return inside[-1] if inside else ""

    def _passed(self, how: str, target: str, location: list[str], hosts: list[str]) -> None:
        address, slash, cut = re.sub(r"^\w+://", "", target).partition("/")
        servers = self.upstreams.get(address, [address])
        name, _, port = servers[0].partition(":")
        path = location[-1] if location else "/"
        self.taken.spread([known for one in servers if (known := one.partition(":")[0]) in self.services])
        if name not in self.services:
            return
        if how != "proxy_pass":
            self.taken.not_http[name] = how.removesuffix("_pass")
            return
        if not self.taken.at(name, port, f"{', '.join(hosts)}{path}"):
            return
        if location[:1] in (["~"], ["~*"]):
            self.taken.untaken.append(f"the path {path} of {name} is a regular expression")
            return
        if slash and path.strip("/") and cut.strip("/") != path.strip("/"):
            self.taken.untaken.append(f"{path} was cut off before {name} saw a request; crossfade sends whole paths")
        for host in hosts or [""]:
            self.taken.route(name, host, path)
