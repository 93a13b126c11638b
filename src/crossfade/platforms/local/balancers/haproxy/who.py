"""The client and the path of a request, settled before anything is decided by them."""

import re
from collections.abc import Collection, Iterator

from crossfade.platforms.local.balancers.haproxy.settings import quoted
from crossfade.platforms.local.balancers.rules import CLAIMS, HOST, SCHEMES, Door

ODD = "{ var(txn.odd) -m found }"
_TRUSTED = "{ var(txn.trusted) -m found }"
_PATH = "{ url_beg / }"
_HOST = f"{{ req.fhdr(host) -m reg {quoted(f'^{HOST}$')} }}"  # there, and nothing odd about it
_PROXIES = 8  # as many may stand one behind the other
_NO_ADDRESS = r"^0-9A-Fa-f:., \t"  # the letters that a list of addresses has not
_CLAIMS = ("X-Forwarded-Proto", *CLAIMS)
_OURS = ("X-Forwarded-For", "X-Real-IP")
_CGI = "Proxy"  # becomes HTTP_PROXY in CGI, and then all the app asks for goes there
_CONNECTION = ("Connection", "Upgrade", "HTTP2-Settings", "Transfer-Encoding")
# To WSGI and CGI, x_forwarded_proto is x-forwarded-proto, and to some x.forwarded.proto, too.
_ODD_LETTER = "[^a-z0-9-]"


def client(door: Door, previews: Collection[str]) -> Iterator[str]:
    """The client's address becomes the source: who is connected, or whom a trusted proxy names last that is none.

    `previews` are the names of headers that lead to previews.
    """
    ranges = " ".join(door.trusted)
    if door.proxy_protocol:
        if ranges:
            yield f"  tcp-request connection reject if !{{ src {ranges} }}"
        yield "  tcp-request connection expect-proxy layer4"
    if door.clients:
        yield f"  tcp-request connection reject if !{{ src {ranges} }}"
    yield "  tcp-request session set-var(sess.id) uuid(),bytes(0,18)"  # 60 random bits
    if ranges:
        yield f"  http-request set-var(txn.trusted) int(1) if {{ src {ranges} }}"
    else:
        yield "  tcp-request session set-var(sess.ip) src,lower"  # as text, once for all requests of the connection
    yield from _odd(door, previews)
    yield from _believed(door) if ranges else _of_a_stranger(door)
    given = "{ req.fhdr_cnt(x-request-id) gt 0 }"
    yield f"  http-request add-header X-Request-Id %[var(sess.id)]-%rt unless {given}"


def _odd(door: Door, previews: Collection[str]) -> Iterator[str]:
    """Whether there is anything about a request that the rules for its headers and its path could change.

    One look at all names and one at the path, instead of one for each rule: HAProxy remembers what a pattern said of a
    text, and clients send the same names again and again. It may find too much, and then the rules find nothing.
    """
    places = r"% /. // '\'" if door.by_path else "% /."  # of the whole URL: in `//x` HAProxy finds no path
    odd, claims = (_CGI, *_CONNECTION, *previews), (*_CLAIMS, *_OURS)
    names = _named(*odd) if door.trusted else _named(*odd, *claims)
    asked = f"{{ url -m sub {places} }} or {{ method TRACE }} or !{_HOST} or {_no_path(door)}"
    yield f"  http-request set-var(txn.odd) int(1) if {asked} or {names}"
    if door.trusted:
        yield f"  http-request set-var(txn.odd) int(1) if !{_TRUSTED} {_named(*claims)}"


def _no_path(door: Door) -> str:
    """Does the request ask for something else than a path? In HTTP/2 all have a whole URL here, and go on as a path."""
    if not door.tls:
        return f"!{_PATH}"
    return f"!{{ url_beg / https:// }} or !{_PATH} !HTTP_2.0"


def _named(*names: str) -> str:
    """Has the request a header of one of these names, or of one with an odd letter? Names come with commas between."""
    return f"{{ req.hdr_names -m reg -i {quoted(f'(^|,)({_either(*names)})(,|$)|[^a-z0-9,-]')} }}"


def _of_a_stranger(door: Door) -> Iterator[str]:
    """Nothing it says of itself is believed."""
    lies = f"^({_either(*_CLAIMS, *_OURS, _CGI)})$|{_ODD_LETTER}"
    yield f"  http-request del-header {quoted(lies)} -m reg if {ODD}"
    for name in _OURS:
        yield f"  http-request add-header {name} %[var(sess.ip)]"
    yield f"  http-request add-header X-Forwarded-Proto {_proto(door)}"


def _believed(door: Door) -> Iterator[str]:
    """A trusted proxy is believed what it says of its client, and anybody else nothing."""
    ranges = " ".join(door.trusted)
    # HAProxy reads no address in brackets, and would step over what is none: who is named before that, nobody knows.
    odd = f"{_TRUSTED} {{ req.fhdr(x-forwarded-for) -m reg {quoted(f'[{_NO_ADDRESS}]')} }}"
    for rule, found in (
        ("replace-value", r"^\[([0-9A-Fa-f:.]+)\](:[0-9]+)?$"),
        ("replace-header", rf"^.*[{_NO_ADDRESS}][^,]*(.*)$"),
    ):
        yield f"  http-request {rule} X-Forwarded-For {quoted(found)} '\\1' if {odd}"
    for back in range(1, _PROXIES + 1):
        yield f"  http-request set-src hdr_ip(x-forwarded-for,-{back}) if {_TRUSTED} {{ src {ranges} }}"
    yield f"  http-request del-header {quoted(f'^({_either(*_CLAIMS)})$')} -m reg if {ODD} !{_TRUSTED}"
    yield f"  http-request del-header {quoted(f'^{_either(_CGI)}$|{_ODD_LETTER}')} -m reg if {ODD}"
    for name in _OURS:
        yield f"  http-request set-header {name} %[src]"
    for scheme, words in SCHEMES.items():
        said = quoted(rf"^({words})[ \t]*(,|$)")
        yield f"  http-request set-var(txn.proto) str({scheme}) if {{ req.fhdr(x-forwarded-proto,1) -m reg -i {said} }}"
    yield f"  http-request set-header X-Forwarded-Proto %[var(txn.proto,{_proto(door)})]"


def _either(*names: str) -> str:
    """A pattern of these, in lower-case letters as HAProxy keeps names."""
    return "|".join(re.escape(name.lower()).replace(r"\-", "-") for name in names)


def _proto(door: Door) -> str:
    return "https" if door.tls else "http"


def connection() -> Iterator[str]:
    """What a client says of its connection stays between it and us.

    Of what it names there (`Connection: X-Forwarded-Proto`), an app that is a proxy itself would take out what we say.
    An upgrade to HTTP/2 would be a tunnel, whose further requests no route has seen. What is chunked in HTTP/1.0, which
    has no chunks, some apps would take for the next request.
    """
    yield f"  http-request deny deny_status 400 if {ODD} HTTP_1.0 {{ req.fhdr(transfer-encoding) -m found }}"
    websocket = "{ req.hdr(upgrade) -m str -i websocket }"
    yield f"  http-request set-header Connection Upgrade if {ODD} {websocket}"
    for name in ("Connection", "Upgrade"):
        yield f"  http-request del-header {name} if {ODD} !{websocket}"
    yield f"  http-request del-header HTTP2-Settings if {ODD}"


def host() -> Iterator[str]:
    """One that no name can be is refused, and none at all but in HTTP/1.0, which has none yet.

    A whole URL, which HAProxy takes only with the same Host, goes on as its path. No path is `*`, nor `host:port` as of
    a CONNECT, which would be a tunnel to an app that answers it as it answers anything. A TRACE would show what only
    the app is told.
    """
    odd = f"{ODD} !{_HOST}"
    yield f"  http-request deny deny_status 400 if {odd} {{ req.fhdr(host) -m found }} or {odd} !HTTP_1.0"
    url = f"{ODD} !{_PATH}"
    yield f"  http-request deny deny_status 400 if {url} !{{ url -m reg -i ^https?://[^/?]+/ }} or {url} !{_HOST}"
    yield f"  http-request set-uri %[pathq] if {url}"
    yield f"  http-request deny deny_status 405 if {ODD} {{ method TRACE }}"


def path(door: Door) -> Iterator[str]:
    """A path means the rule that its app would take it for; slashes are looked into where paths decide who answers."""
    if door.by_path:
        # Apps take a backslash for a slash, and `/..;x` for `/..`: whose path that is, nobody can say.
        twofold = r"{ path -m reg -i '[\\]|%5c|%00|/(\.|%2e)+;' }"
        yield f"  http-request deny deny_status 400 if {ODD} {twofold}"
        yield f"  http-request normalize-uri path-merge-slashes if {ODD}"  # HAProxy finds no path that begins with two
        yield f"  http-request set-path %[path,regsub(%2f,/,gi)] if {ODD}"
    yield "  http-request normalize-uri percent-decode-unreserved"  # with an `if`, 2.6 takes it for path-merge-slashes
    if door.by_path:
        yield f"  http-request normalize-uri path-merge-slashes if {ODD}"
    yield f"  http-request normalize-uri path-strip-dot if {ODD}"
    yield f"  http-request normalize-uri path-strip-dotdot full if {ODD}"
