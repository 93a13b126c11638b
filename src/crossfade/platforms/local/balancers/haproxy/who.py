"""The client and the path of a request, settled before anything is decided by them."""

from collections.abc import Iterator

from crossfade.platforms.local.balancers.rules import CLAIMS, Door

_TRUSTED = "{ var(txn.trusted) -m found }"
_PROXIES = 8  # as many may stand one behind the other


def client(door: Door) -> Iterator[str]:
    """The client's address becomes the source: who is connected, or whom a trusted proxy names last that is none."""
    ranges = " ".join(door.trusted)
    if door.proxy_protocol:
        if ranges:
            yield f"  tcp-request connection reject if !{{ src {ranges} }}"
        yield "  tcp-request connection expect-proxy layer4"
    if door.clients:
        yield f"  tcp-request connection reject if !{{ src {ranges} }}"
    if ranges:
        yield f"  http-request set-var(txn.trusted) int(1) if {{ src {ranges} }}"
        for back in range(1, _PROXIES + 1):
            yield f"  http-request set-src hdr_ip(x-forwarded-for,-{back}) if {_TRUSTED} {{ src {ranges} }}"
    for name in ("X-Forwarded-Proto", *CLAIMS):
        yield f"  http-request del-header {name}{f' if !{_TRUSTED}' if ranges else ''}"
    yield "  http-request del-header Proxy"  # becomes HTTP_PROXY in CGI, and then all the app asks for goes there
    yield "  http-request del-header _ -m sub"  # to WSGI and CGI, x_forwarded_proto is x-forwarded-proto
    yield "  http-request set-header X-Forwarded-For %[src]"
    yield "  http-request set-header X-Real-IP %[src]"
    proto = "https" if door.tls else "http"
    yield f"  http-request set-header X-Forwarded-Proto {proto} unless {{ req.hdr_cnt(x-forwarded-proto) gt 0 }}"


def path(door: Door) -> Iterator[str]:
    """A path means the rule that its app would take it for; slashes are looked into where paths decide who answers."""
    if door.by_path:
        # Apps take a backslash for a slash, and `/..;x` for `/..`: whose path that is, nobody can say.
        yield r"  http-request deny deny_status 400 if { path -m reg -i '[\\]|%5c|%00|/(\.|%2e)+;' }"
        yield "  http-request normalize-uri path-merge-slashes"  # HAProxy finds no path in one that begins with two
        yield "  http-request set-path %[path,regsub(%2f,/,gi)]"
    yield "  http-request normalize-uri percent-decode-unreserved"
    if door.by_path:
        yield "  http-request normalize-uri path-merge-slashes"
    yield "  http-request normalize-uri path-strip-dot"
    yield "  http-request normalize-uri path-strip-dotdot full"
