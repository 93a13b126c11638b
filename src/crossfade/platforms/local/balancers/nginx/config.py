"""nginx.conf as a pure function of what the services are to be.

Each service has variables of its own, here of the first: `$s0_split` draws the release by weight, `$s0_group` is where
a request goes once its preview header is looked at, `$s0_kind` says whether it is a client's or a preview's, and
`$s0_named` is the group that the header names in full.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from crossfade.core.service import Service, Tls
from crossfade.platforms.local.address import near, of_socket
from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.nginx import parts, settings
from crossfade.platforms.local.balancers.nginx.words import block, literal, quoted, upstream
from crossfade.platforms.local.balancers.previews import named
from crossfade.platforms.local.balancers.rules import HSTS, Door, answered_on_http, by_host, doors, seen_at, sent_on
from crossfade.platforms.local.balancers.unprivileged import Unprivileged

# Apps take a backslash for a slash, and `/..;x` for `/..`: whose path that is, nobody can say.
_CLEAR = r'if ($uri ~ "[\\\\]|/\.+;") { return 400; }'
_HTTPS = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """What nginx is told about itself."""

    workers: int
    who: Unprivileged | None  # who its workers are; None: as the master is
    shutdown: int  # seconds that a replaced worker may take
    files: int  # that one may have open


def render(
    entries: Mapping[str, Entry],
    links: Mapping[Tls, tuple[str, str]],
    secrets: Mapping[str, str],
    process: ProcessSettings,
) -> str:
    """The text. `links` are the names under which nginx reads certificate and key, `secrets` those of previews.

    Raises WrongInputError when services cannot share a port.
    """
    names = {key: f"s{number}" for number, key in enumerate(sorted(entries))}
    http = [settings.HTTP, parts.ASKED, *_passed_on(entries)]
    for key, entry in sorted(entries.items()):
        http += [*_upstreams(entry), *_variables(names[key], entry, secrets.get(key, ""))]
    for door in doors(entries):
        http += [*_servers(door, entries, names, links), *_sent_on(door, entries, links)]
    return "\n".join(
        [
            *([f"user {process.who.user} {process.who.group};"] if process.who else []),
            f"worker_processes {process.workers};",
            f"worker_shutdown_timeout {process.shutdown}s;",
            f"worker_rlimit_nofile {process.files};",
            f"events {{ worker_connections {process.files}; }}",
            settings.MAIN,
            block("http", http),
            "",
        ]
    )


def server(address: str) -> str:
    """An instance as nginx writes it, in its configuration and its logs: `127.0.0.1:8000`, `unix:sockets/4f1c9a02`."""
    path = near(address)
    return of_socket(path) if path else address


def _passed_on(entries: Mapping[str, Entry]) -> Iterator[str]:
    """The header of a preview goes on with requests of previews alone."""
    for number, header in enumerate(sorted({entry.service.preview.header.lower() for entry in entries.values()})):
        yield f"map $cf_kind $cf_pass{number} {{ default ''; preview $http_{header.replace('-', '_')}; }}"
        yield f"proxy_set_header {header} $cf_pass{number};"


def _upstreams(entry: Entry) -> Iterator[str]:
    """Only who is registered: workers that were replaced know the draining ones."""
    for group in entry.routing.groups:
        if not group.registered:
            continue
        service = entry.made(group.release)
        lines = [f"hash ${_sticky_key(service)} consistent;" if service.sticky else "least_conn;"]
        lines += [f"server {server(entry.address(i))} max_fails=3 fail_timeout=2s;" for i in group.registered]
        # An idle connection is closed before an app server would close it under a POST: they wait 2 s and more.
        lines += ["keepalive 64;", "keepalive_timeout 1s;"]
        yield block(f"upstream {upstream(service.key, group.release)}", lines)


def _variables(name: str, entry: Entry, secret: str) -> Iterator[str]:
    service, routing = entry.service, entry.routing
    filled = {group.release for group in routing.groups if group.registered}
    # A release that is still registered is balanced by a cookie though the newest may not ask for it any more.
    releases = [entry.made(group.release) for group in routing.groups]
    if kept := next((one for one in (service, *reversed(releases)) if one.sticky), None):
        yield from _sticky(name, kept)
    yield from _headers(name, service)
    shares = [(upstream(service.key, release), weight) for release, weight in routing.weights if release in filled]
    yield _split(name, f"${_sticky_key(service)}" if service.sticky else "$request_id", shares)
    yield from _stays(name, entry)
    header = f"$http_{service.preview.header.lower().replace('-', '_')}"
    asked, full = [], []
    if routing.preview in filled and routing.preview is not None:
        asked = [quoted(secret)]
        group = upstream(service.key, routing.preview)
        full = [f"{quoted(named(service.key, routing.preview, secret))} {group};"]
    yield block(f"map {header} ${name}_group", [f"default ${name}_to;", *(f"{value} {group};" for value in asked)])
    yield block(f"map {header} ${name}_kind", ["default clients;", *(f"{value} preview;" for value in asked)])
    yield block(f"map {header} ${name}_named", ["default '';", *full])
    yield from parts.variables(name, entry)


def _stays(name: str, entry: Entry) -> Iterator[str]:
    """Who stays with a release goes there, whatever the shares; who is new is told which one answers."""
    service, releases = entry.service, visitors.stayed_with(entry)
    cookie = re.escape(visitors.cookie(service))
    named_by = {release: rf"~(?:^|;\s*){cookie}={release}\s*(?:;|\z)" for release in releases}
    known = [f"{quoted(pattern)} {upstream(service.key, release)};" for release, pattern in named_by.items()]
    yield block(f"map $http_cookie ${name}_stays", ["default '';", *known])
    yield block(f"map ${name}_stays ${name}_to", [f"default ${name}_stays;", f"'' ${name}_split;"])
    told = [
        f'":clients:{upstream(service.key, release)}" '
        f'"{visitors.cookie(service)}={release}{visitors.attributes(service)}$cf_secure";'
        for release in releases
    ]
    if service.pins:
        now = f'"${name}_stays:${name}_kind:${name}_split"'
        yield block(f"map {now} ${name}_told", ["default '';", *told])


def _split(name: str, key: str, shares: list[tuple[str, int]]) -> str:
    """The last takes what rounding left, and all when it is the only one."""
    if not shares:
        return block(f"map '' ${name}_split", ["default '';"])
    total = sum(weight for _, weight in shares)
    lines = [f"{weight * 100 / total:.2f}% {group};" for group, weight in shares[:-1]]
    return block(f"split_clients {key} ${name}_split", [*lines, f"* {shares[-1][0]};"])


def _sticky_key(service: Service) -> str:
    return f"cf_sticky_{re.sub('[^a-z0-9]', '_', service.key.lower())}"


def _sticky(name: str, service: Service) -> Iterator[str]:
    """The balancer's own cookie, else the app's, else a new one of ours that begins with this request.

    Ours has a name of its own: had it the app's, our Set-Cookie would overwrite the session the app just opened.
    """
    if service.sticky is None:
        return
    ours = service.sticky.ours
    for variable, cookie in (("own", ours), ("app", service.sticky.cookie)):
        pattern = rf"~(?:^|;\s*){re.escape(cookie)}=(?<{name}_{variable}_value>[^;]+)"
        value = f"{quoted(pattern)} ${name}_{variable}_value;"
        yield block(f"map $http_cookie ${name}_{variable}", ["default '';", value])
    both = f"${name}_own:${name}_app"
    app_only = f"'~^:.' ${name}_app;"
    yield block(f"map {both} ${_sticky_key(service)}", [f"default ${name}_own;", ": $request_id;", app_only])
    rest = f"=$request_id; Path=/; Max-Age={round(service.sticky.ttl)}; HttpOnly$cf_secure"
    fresh = f'{literal(ours)[:-1]}{rest}"'
    yield block(f"map {both} ${name}_cookie", ["default '';", f": {fresh};"])


def _headers(name: str, service: Service) -> Iterator[str]:
    """Each header of ours as a variable, empty where the app says it itself: it may know better."""
    for number, (header, value) in enumerate(service.headers):
        theirs = f"$upstream_http_{header.lower().replace('-', '_')}"
        yield block(f"map {theirs} ${name}_header{number}", ["default '';", f"'' {literal(value)};"])


def _added(name: str, service: Service, door: Door) -> Iterator[str]:
    if service.sticky:
        yield f"add_header Set-Cookie ${name}_cookie always;"
    if service.pins:
        yield f"add_header Set-Cookie ${name}_told always;"
    for number, (header, _) in enumerate(service.headers):
        if door.secure or header.lower() != HSTS:
            yield f"add_header {header} ${name}_header{number} always;"


def _servers(
    door: Door, entries: Mapping[str, Entry], names: Mapping[str, str], links: Mapping[Tls, tuple[str, str]]
) -> Iterator[str]:
    if door.preview:
        yield block("server", [*_front(door, "*", "", ""), *_preview_port(entries[door.preview])])
        return
    services = [seen_at(door, entries[key].service) for key in door.services]
    mixed = {key: bool(parts.others(entries[key])) for key in door.services}
    trusted = f"$cf_trusted_{door.word}"
    if door.trusted:
        said = "$proxy_protocol_addr" if door.proxy_protocol else "$realip_remote_addr"
        ranges = [f"{cidr} 1;" for cidr in door.trusted]
        yield block(f"geo {said} {trusted}", ["default '';", *ranges])
        yield block(f"geo $realip_remote_addr $cf_peer_{door.word}", ["default '';", *ranges])
    for host, rules in by_host(services).items():
        lines = [*_front(door, host, *_certificate(door, host, services, links)), _CLEAR if door.by_path else ""]
        if door.trusted:
            lines.append(f"set $cf_trusted {trusted};")
        for key in door.services:
            chosen = f"set $cf_group ${names[key]}_named; set $cf_service {key};"
            lines.append(f"if (${names[key]}_named) {{ {chosen} }}")
        lines += ["if ($cf_group) { return 418; }", "error_page 418 = @named;"]
        lines += ["location @named { set $cf_kind preview; proxy_pass http://$cf_group; }", parts.GONE]
        for service in services:
            lines.append(
                block(f"location {_streams_of(names[service.key])}", _streams(names[service.key], service, door))
            )
            if mixed[service.key]:
                added = [*_timeouts(service), *_added(names[service.key], service, door)]
                lines += parts.places(names[service.key], added)
        taken: set[str] = set()
        for path, service in rules:
            lines += _locations(path, service, names[service.key], door, taken, mixed=mixed[service.key])
        if quoted("/") not in taken:
            lines.append("location / { return 404; }")
        yield block("server", lines)


def _sent_on(door: Door, entries: Mapping[str, Entry], links: Mapping[Tls, tuple[str, str]]) -> Iterator[str]:
    """Hosts that lead to another one, path and all."""
    services = [entries[key].service for key in door.services]
    for host, to in sent_on(door, by_host(services)):
        scheme, _, rest = to.partition("://")
        there = f"{'$cf_scheme' if scheme == 'http' else scheme}://{rest}$request_uri"
        lines = [*_front(door, host, *_certificate(door, host, services, links))]
        if door.trusted:
            lines.append(f"set $cf_trusted $cf_trusted_{door.word};")
        lines.append(f"if ($request_method ~ ^(GET|HEAD)$) {{ return 301 {there}; }}")
        yield block("server", [*lines, f"return 308 {there};"])


def _front(door: Door, host: str, certificate: str, key: str) -> Iterator[str]:
    address = f"[{door.host}]" if ":" in door.host else door.host
    flags = f"{' ssl http2' if certificate else ''}{' default_server' if host == '*' else ''}"
    yield f"listen {address}:{door.port}{flags}{' proxy_protocol' if door.proxy_protocol else ''};"
    yield from _client(door)
    yield f"server_name {'_' if host == '*' else host};"
    yield "if ($cf_odd_host) { return 400; }"
    yield 'if ($request_uri ~ "#") { return 400; }'  # nginx takes the path to end there, the app may not
    if certificate:
        yield f"ssl_certificate {certificate}; ssl_certificate_key {key};"
        yield settings.OF_HTTP2
    yield f"access_log {settings.REQUESTS} requests buffer=32k flush=20ms;"
    if door.access_log:
        yield f"access_log {settings.ACCESS} access;"


def _client(door: Door) -> Iterator[str]:
    """Who the client is, by a trusted proxy's word or what the connection begins with."""
    if door.proxy_protocol:
        yield from (f"set_real_ip_from {cidr};" for cidr in (door.trusted or ("0.0.0.0/0", "::/0")))
        yield "real_ip_header proxy_protocol;"
        if door.trusted:
            yield f"if ($cf_peer_{door.word} = '') {{ return 444; }}"
    elif door.trusted:
        yield from (f"set_real_ip_from {cidr};" for cidr in door.trusted)
        yield "real_ip_header X-Forwarded-For; real_ip_recursive on;"
        if door.clients:
            yield f"if ($cf_peer_{door.word} = '') {{ return 444; }}"


def _certificate(
    door: Door, host: str, services: list[Service], links: Mapping[Tls, tuple[str, str]]
) -> tuple[str, str]:
    """The certificate of the service that has rules for this host; the first of the port for all others."""
    if not door.tls:
        return "", ""
    for service in services:
        if service.listener.tls and any(rule.host.lower() == host for rule in service.routes):
            return links[service.listener.tls]
    return links[door.tls[0]]


def _preview_port(entry: Entry) -> Iterator[str]:
    key, release = entry.service.key, entry.routing.preview
    yield f"set $cf_kind preview; set $cf_service {key};"
    if any(group.release == release and group.registered for group in entry.routing.groups) and release is not None:
        group = upstream(key, release)
        yield block(
            "location /", [f"set $cf_group {group};", *_timeouts(entry.service), "proxy_pass http://$cf_group;"]
        )
    else:
        yield f'location / {{ return 503 "No release of {key} is in preview.\\n"; }}'


def _locations(path: str, service: Service, name: str, door: Door, taken: set[str], *, mixed: bool) -> Iterator[str]:
    """What a rule is here: `/api/*` is both `= /api` and `/api/`. A place that is `taken` belongs to a rule before.
    `mixed`: two releases answer clients.
    """
    redirected = service.key in door.redirect
    exceptions = answered_on_http(service, path) if redirected else ()
    for some, redirects in (*((one, False) for one in exceptions), (path, redirected)):
        lines = [f"set $cf_service {service.key}; set $cf_group ${name}_group; set $cf_kind ${name}_kind;"]
        if redirects:
            lines += _redirects(service)
        lines.append(f"if ($cf_group = '') {{ return 503 'No release of {service.key} serves now.\\n'; }}")
        lines += ["if ($cf_streaming) { return 419; }", f"error_page 419 = {_streams_of(name)};"]
        lines += parts.sent_there(name) if mixed else []
        lines += [*_timeouts(service), *_added(name, service, door), "proxy_pass http://$cf_group;"]
        for place in _places(some):
            if place not in taken:
                taken.add(place)
                yield block(f"location {place}", lines)


def _redirects(service: Service) -> Iterator[str]:
    """With 308 a client sends the same method and body again; with 301 many make a GET of a POST."""
    port = "" if service.listener.https == _HTTPS else f":{service.listener.https}"
    there = f"https://$host{port}$request_uri"
    yield 'set $cf_came "$cf_scheme:$cf_kind:$request_method";'
    yield f'if ($cf_came ~ "^http:clients:(GET|HEAD)$") {{ return 301 {there}; }}'
    yield f'if ($cf_came ~ "^http:clients:") {{ return 308 {there}; }}'


def _streams_of(name: str) -> str:
    return f"@{name}_streams"


def _streams(name: str, service: Service, door: Door) -> list[str]:
    """WebSocket and event streams: only silence ends them, and who ends one is nobody's failure."""
    idle = _ms(service.idle_timeout)
    limits = f"proxy_read_timeout {idle}; proxy_send_timeout {idle};"
    errors = f"error_log {settings.STREAM_ERRORS} error;"
    return [errors, limits, *_added(name, service, door), "proxy_pass http://$cf_group;"]


def _places(path: str) -> tuple[str, ...]:
    """Nginx compares with what a path means, so `/a%20b` is looked for as it reads without the escape."""
    path = unquote(path)
    if not path.endswith("*"):
        return (f"= {quoted(path)}",)
    stem = path[:-1] or "/"
    if stem == "/" or not stem.endswith("/"):
        return (quoted(stem),)
    return (f"= {quoted(stem[:-1])}", quoted(stem))


def _timeouts(service: Service) -> list[str]:
    """Between two reads: nginx has no limit for a request as a whole."""
    read = service.timeout or service.idle_timeout
    return [f"proxy_read_timeout {_ms(read)}; proxy_send_timeout {_ms(service.idle_timeout)};"]


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
