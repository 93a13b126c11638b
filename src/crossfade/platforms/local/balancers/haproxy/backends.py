"""The backends of a service, which its releases take as they come, and the servers in them."""

import zlib
from collections.abc import Iterator

from crossfade.core.service import Service
from crossfade.platforms.local.address import near
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy import checks, settings
from crossfade.platforms.local.balancers.haproxy.settings import KEPT, ms
from crossfade.platforms.local.balancers.haproxy.slots import Slots, backend

_SAFE = "{ method GET HEAD OPTIONS }"
_UPGRADE = "{ status 101 }"
_EVENTS = "{ res.hdr(content-type) -m beg text/event-stream }"
_LENGTH = "res.hdr_val(content-length)"
_SHORT = 65_536  # bytes that are sent in one go: such an answer ends before anything else can happen to its worker


def lines(entry: Entry, slots: Slots, often: int) -> Iterator[str]:
    """One for each slot. A free one is as the newest release wants it, so that the next finds what it needs."""
    key = entry.service.key
    by_slot = {slots.of(key)[group.release]: group for group in entry.routing.groups}
    newest = entry.made(max(group.release for group in entry.routing.groups)) if by_slot else entry.service
    for slot in range(slots.size(key)):
        group = by_slot.get(slot)
        service = entry.made(group.release) if group else newest
        yield f"backend {backend(key, slot)}"
        yield from _backend(service, often)
        for instance in group.registered if group else ():
            address = entry.address(instance)
            yield f"{settings.SERVER_LINE}{instance} {server(service, instance, address)}"


def _backend(service: Service, often: int) -> Iterator[str]:
    yield "  balance hash var(txn.sticky)" if service.sticky else "  balance leastconn"
    if service.sticky:
        yield "  hash-type consistent sdbm avalanche"
    yield from checks.lines(service)
    yield f"  timeout server {ms(service.timeout or service.idle_timeout)}"
    yield f"  timeout tunnel {ms(service.idle_timeout)}"
    if service.timeout:
        long = "{ req.hdr(accept) -m sub text/event-stream }"
        yield f"  http-request set-timeout server {ms(service.idle_timeout)} if {long}"
    yield "  retry-on conn-failure empty-response"
    yield f"  http-request disable-l7-retry unless {_SAFE}"
    yield from _answers(often)


def _answers(often: int) -> Iterator[str]:
    """Which answers are sure to have a line in the log, and which are streams.

    All of a release that is not asked often; those that are long, or of a length that nobody knows; and streams, which
    are told from requests by their answer and counted while they last. What fails or is asked again is an error to
    HAProxy and has its line without a rule.
    """
    yield f"  http-response allow if {{ be_sess_rate gt {often} }} {{ {_LENGTH} lt {_SHORT} }} !{_UPGRADE}"
    yield f"  http-response {KEPT}"
    yield f"  http-response allow if {{ {_LENGTH} ge 0 }} !{_UPGRADE}"  # what ends by itself is no stream
    yield f"  http-response allow unless {_UPGRADE} or {_EVENTS}"
    yield "  stick-table type string len 128 size 100k expire 24d store conn_cur"
    yield "  http-response track-sc0 srv_name"
    yield f"  http-response set-var(txn.kind) str({settings.PREVIEW_STREAM}) if {{ var(txn.kind) -m found }}"
    yield f"  http-response set-var(txn.kind) str({settings.STREAM}) unless {{ var(txn.kind) -m found }}"


def server(service: Service, instance: str, address: str) -> str:
    """What a server is, in the words that a line of the file and `add server` share."""
    check = service.health
    path = near(address)
    where = f"unix@{path}" if path else address
    words = f"{where} check inter {ms(check.interval)} fall {check.unhealthy} rise {check.healthy}"
    # By its id a client is hashed to it: of its own, not of its place among the others, which changes.
    return f"{words} id {zlib.crc32(instance.encode()) % 2**30 + 1}" if service.sticky else words
