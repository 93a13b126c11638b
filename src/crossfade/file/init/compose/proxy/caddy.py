"""A Caddyfile: which of its sites sends what to whom."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from crossfade.file.init.compose.proxy.taken import HOST, Taken
from crossfade.file.init.compose.source.mounts import Mount, on_this_machine

_VARIABLE = re.compile(r"\{\$(\w+)(?::([^{}]*))?\}")
_GUARDS = frozenset({"basic_auth", "basicauth", "forward_auth"})
_BLOCKS = frozenset({"handle", "handle_path", "route"})
_UPSTREAM = re.compile(r"(?:https?://|h2c://)?([\w-]+(?:\.[\w-]+)*)(?::([0-9]+))?")


def filled(text: str, variables: Mapping[str, str]) -> str:
    """With {$NAME} and {$NAME:default} as Caddy fills them in from its own variables."""
    return _VARIABLE.sub(lambda match: variables.get(match[1]) or match[2] or "", text)


@dataclass
class Caddyfile:
    """Sites with what they send on: `reverse_proxy [/path*|@matcher] name:port`, also inside of `handle /path/*`."""

    services: Collection[str]
    mounts: list[Mount]
    taken: Taken
    hosts: list[str] = field(default_factory=list)
    paths: list[list[str]] = field(default_factory=list)  # of the blocks that it is in, the site the first
    named: dict[str, list[str]] = field(default_factory=dict)  # paths of matchers with a name
    matcher: str = ""  # whose block it is in: that of a name, or of `header`
    root: str = ""

    def read(self, text: str) -> None:
        """Takes over what the file says."""
        for raw in text.splitlines():
            words = re.split(r"\s#", f" {raw}")[0].split()
            if not words:
                continue
            if words == ["}"]:
                self.paths = self.paths[:-1]
                self.matcher = ""
                continue
            opens = words[-1] == "{"
            said = words[:-1] if opens else words
            inside = self._said(said, opens=opens)
            if opens:
                self.paths.append(inside)

    def _said(self, words: list[str], *, opens: bool) -> list[str]:
        """Takes over one line; the paths of the block that it may open."""
        if not self.paths:
            if opens or not self.hosts:
                self.hosts = [host for word in " ".join(words).split(",") if (host := host_of(word.strip()))]
                self.root, self.named = "", {}
            else:  # a file with one site and no braces
                self._directive(words, ["/"])
            return ["/"]
        here = self.paths[-1]
        if self.matcher:
            self._matched(self.matcher, words)
        elif words and words[0].startswith("@"):
            self.matcher = words[0] if opens else ""
            self._matched(words[0], words[1:])
        elif words and words[0] in _BLOCKS:
            return self._block(words, here)
        elif words[:1] == ["header"] and opens:
            self.matcher = "header"
        elif words:
            self._directive(words, here)
        return here

    def _matched(self, name: str, words: list[str]) -> None:
        if name == "header":
            self.taken.answered_with(words)
        elif words[:1] == ["path"]:
            self.named.setdefault(name, []).extend(words[1:])
        elif words:
            self.taken.untaken.append(f"what {name} matched: {' '.join(words)}")

    def _block(self, words: list[str], here: list[str]) -> list[str]:
        paths, _ = self._paths(words[1:], here)
        if words[0] == "handle_path":
            self.taken.untaken.append(f"{', '.join(paths)} was cut off by Caddy; crossfade sends whole paths")
        return paths

    def _paths(self, words: list[str], here: list[str]) -> tuple[list[str], list[str]]:
        """The paths that a matcher means, and the words behind it."""
        if words and words[0].startswith("@"):
            return self.named.get(words[0], []), words[1:]
        if words and words[0] == "*":
            return here, words[1:]
        return ([words[0]], words[1:]) if words and words[0].startswith("/") else (here, words)

    def _directive(self, words: list[str], here: list[str]) -> None:
        name = words[0]
        paths, rest = self._paths(words[1:], here)
        if name in ("reverse_proxy", "to"):
            self._proxied(rest, paths)
        elif name == "php_fastcgi":
            self._spoken(rest, "fastcgi")
        elif name == "redir" and rest and paths == ["/"]:
            self.taken.redirect(self.hosts, rest[0])
        elif name == "root" and (rest or paths):
            self.root = (rest or paths)[-1]
        elif name == "file_server":
            place = on_this_machine(self.root, self.mounts) or self.root or "its root"
            self.taken.served([path for path in here if path != "/"], place)
        elif name == "tls" and len(words) > 2:  # noqa: PLR2004 - a certificate and its key
            self.taken.certificate = self.taken.certificate or on_this_machine(words[1], self.mounts)
            self.taken.key = self.taken.key or on_this_machine(words[2], self.mounts)
        elif name == "header":
            self.taken.answered_with(rest)
        elif name in _GUARDS:
            self.taken.guards.append(name)
        elif name in ("uri", "rewrite"):
            self.taken.untaken.append(f"{' '.join(words)} changed paths; crossfade sends them as they are")

    def _spoken(self, upstreams: list[str], how: str) -> None:
        for match in filter(None, map(_UPSTREAM.fullmatch, upstreams)):
            if match[1] in self.services:
                self.taken.not_http[match[1]] = how

    def _proxied(self, upstreams: list[str], paths: list[str]) -> None:
        found = [match for match in map(_UPSTREAM.fullmatch, upstreams) if match and match[1] in self.services]
        if not found:
            return
        name, port = found[0][1], found[0][2]
        self.taken.spread(list(dict.fromkeys(match[1] for match in found)))
        if not self.taken.at(name, port or "", f"{', '.join(self.hosts)}{', '.join(paths)}"):
            return
        for host in self.hosts or [""]:
            for path in paths:
                self.taken.route(name, host, path)


def host_of(address: str) -> str:
    """The host of a site's address; empty for `:80` and localhost."""
    host = re.sub(r"^https?://", "", address.lower()).split(":")[0].split("/")[0]
    return host if host not in ("", "localhost") and HOST.fullmatch(host) else ""
