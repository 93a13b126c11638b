"""What the configuration of nginx or Caddy that stands beside a Compose file says about its services."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.judge.roles import values_of
from crossfade.file.init.compose.proxy.taken import HOST, Taken
from crossfade.file.init.compose.source.mounts import Mount, mounts_of
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, is_there

_LARGEST = 1 << 18
_MOST_FILES = 50
_WORDS = re.compile(r"\"[^\"]*\"|'[^']*'|[{};]|[^\s{};#\"']+|#[^\n]*")
_PASSES = ("proxy_pass", "uwsgi_pass", "fastcgi_pass", "grpc_pass")


def from_config(proxy: dict[str, Any], folder: Path, services: Collection[str], taken: Taken) -> list[str]:
    """Takes over what the mounted files of a proxy say about `services`; the names of the files that were read."""
    read = []
    mounts = mounts_of(proxy)
    secure = []
    for path in [*_configs(mounts, folder, taken), *_built_in(proxy, folder)]:
        text = _filled(_text(path), values_of(proxy.get("environment")))
        if path.name.startswith("Caddyfile"):
            _Caddy(services, taken).read(text)
        else:
            _Nginx(services, mounts, taken).read(text)
            secure.append(re.search(r"ssl|\b443\b", text) is not None)
        read.append(path.name)
    taken.no_https |= bool(secure) and not any(secure)
    return read


def _configs(mounts: list[Mount], folder: Path, taken: Taken) -> Iterator[Path]:
    """The files of a proxy's configuration that are here, those in a mounted folder among them."""
    for mount in mounts:
        place = from_folder(folder, mount.source)
        if mount.kind != "bind" or not re.search(r"nginx|Caddyfile|/caddy", mount.target):
            continue
        if not is_there(place) and re.search(r"\.conf$|/etc/(nginx|caddy)|Caddyfile", mount.target):
            taken.untaken.append(f"{mount.source} is not there, so that nothing of it is taken over")
        if is_file(place):
            yield place
        elif is_folder(place) and re.search(r"conf\.d|templates|sites|/etc/nginx/?$|/etc/caddy/?$", mount.target):
            found = (path for path in sorted(place.iterdir()) if path.is_file())
            good = [path for path in found if re.search(r"\.(conf|template)$|Caddyfile", path.name)]
            yield from good[:_MOST_FILES]


def _built_in(proxy: dict[str, Any], folder: Path) -> Iterator[Path]:
    """What its Dockerfile may copy into it: files beside it that send requests on."""
    build = proxy.get("build")
    context = str(build.get("context") or "") if isinstance(build, dict) else ""
    there = from_folder(folder, context)
    if not context or "://" in context or not is_folder(there):
        return
    beside = [there, *(path for path in there.iterdir() if path.is_dir())]
    files = [path for place in beside for path in sorted(place.iterdir()) if path.is_file()][:_MOST_FILES]
    yield from (path for path in files if re.search(r"^\s*(proxy_pass|reverse_proxy)\s", _text(path), re.MULTILINE))


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
    upstreams: dict[str, str] = field(default_factory=dict)
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
            self.upstreams.setdefault(inside[1], rest[0])
        elif name == "server_name":
            known = [host for host in rest if HOST.fullmatch(host.lower()) and host != "localhost"]
            self.hosts[-1][:] = known
        elif name == "ssl_certificate":
            self.taken.certificate = self.taken.certificate or _on_this_machine(rest[0], self.mounts)
        elif name == "ssl_certificate_key":
            self.taken.key = self.taken.key or _on_this_machine(rest[0], self.mounts)
        elif name == "return" and len(rest) > 1 and rest[0].startswith("3"):
            if path := self._in_location():
                self.taken.untaken.append(f"{path} was sent on to {rest[1]}")
            else:
                self.taken.redirect(self.hosts[-1], rest[1])
        elif name in ("alias", "root") and inside[:1] in (["location"], ["server"]):
            what = inside[-1] if inside[0] == "location" else "what nothing else answers"
            place = _on_this_machine(rest[0], self.mounts) or rest[0]
            self.taken.untaken.append(f"{what} was served from the folder {place}; a service with `static` can")
        elif name in _PASSES:
            location = next((block[1:] for block in reversed(self.blocks) if block[:1] == ["location"]), ["/"])
            self.passes.append((name, rest[0], location, self.hosts[-1]))

    def _in_location(self) -> str:
        """The path of a location of its own; empty where all of a host is meant, which may stand in `location /`."""
        inside = [block[-1] for block in self.blocks if block[:1] == ["location"] and block[1:] != ["/"]]
        return inside[-1] if inside else ""

    def _passed(self, how: str, target: str, location: list[str], hosts: list[str]) -> None:
        address, slash, cut = re.sub(r"^\w+://", "", target).partition("/")
        name, _, port = self.upstreams.get(address, address).partition(":")
        path = location[-1] if location else "/"
        if name not in self.services:
            return
        if how != "proxy_pass":
            self.taken.not_http[name] = how.removesuffix("_pass")
            return
        if port.isdecimal():
            self.taken.ports.setdefault(name, int(port))
        if location[:1] in (["~"], ["~*"]):
            self.taken.untaken.append(f"the path {path} of {name} is a regular expression")
            return
        if slash and path.strip("/") and cut.strip("/") != path.strip("/"):
            self.taken.untaken.append(f"{path} was cut off before {name} saw a request; crossfade sends whole paths")
        for host in hosts or [""]:
            self.taken.route(name, host, path)


def _on_this_machine(inside: str, mounts: list[Mount]) -> str:
    """Where a file of the container is on the machine, by its mounts; empty when none brings it."""
    for mount in mounts:
        target = mount.target.rstrip("/")
        if mount.kind == "bind" and (inside == target or inside.startswith(f"{target}/")):
            return mount.source.rstrip("/") + inside.removeprefix(target)
    return ""


@dataclass
class _Caddy:
    """Sites with `reverse_proxy [/path*] name:port`, also inside `handle /path/*`."""

    services: Collection[str]
    taken: Taken
    hosts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=lambda: ["/"])

    def read(self, text: str) -> None:
        for raw in text.splitlines():
            line = raw.split("#")[0].strip()
            if proxied := re.match(r"reverse_proxy\s+(?:(/\S*)\s+)?(?:https?://)?([\w.-]+)(?::([0-9]+))?", line):
                self._proxied(proxied[2], proxied[3], proxied[1] or self.paths[-1])
            elif (sent := re.match(r"redir\s+(?:\*\s+)?(https?://\S+)", line)) and len(self.paths) > 1:
                self.taken.redirect(self.hosts, sent[1])
            if line.endswith("{"):
                self._begin(line)
            elif line == "}" and len(self.paths) > 1:
                self.paths.pop()

    def _begin(self, line: str) -> None:
        if len(self.paths) == 1:
            self.hosts = [host for site in re.split(r"[\s,]+", line[:-1]) if (host := _site(site))]
        matched = re.match(r"(handle|handle_path|route)\s+(/\S*)", line)
        self.paths.append(matched[2] if matched else self.paths[-1])
        if matched and matched[1] == "handle_path":
            self.taken.untaken.append(f"{matched[2]} was cut off by Caddy; crossfade sends whole paths")

    def _proxied(self, name: str, port: str, path: str) -> None:
        if name not in self.services:
            return
        if port:
            self.taken.ports.setdefault(name, int(port))
        for host in self.hosts or [""]:
            self.taken.route(name, host, path)


def _site(address: str) -> str:
    """The host of a site's address; empty for `:80` and localhost."""
    host = re.sub(r"^https?://", "", address).split(":")[0].split("/")[0]
    return host if host not in ("", "localhost") and HOST.fullmatch(host) else ""
