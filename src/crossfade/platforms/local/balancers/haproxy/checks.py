"""Health checks as HAProxy makes them."""

from collections.abc import Iterator

from crossfade.core.service import Service
from crossfade.platforms.local.balancers.haproxy.settings import ms, quoted


def lines(service: Service) -> Iterator[str]:
    """As our own probe asks. HAProxy looks for a body's words in the first 16 KiB, its buffer, and not in 64."""
    check = service.health
    if check.elsewhere:  # HAProxy sees whether somebody listens
        yield f"  timeout check {ms(check.timeout)}"
        return
    codes = ",".join(f"{low}-{high}" if low != high else f"{low}" for low, high in check.codes)
    there = "localhost" if service.listen_on == "socket" else "%[bc_dst]:%[bc_dst_port]"
    headers = [("Host", check.host or there), ("Connection", "close")]
    headers += [(name, value.replace("%", "%%")) for name, value in check.headers]
    said = "".join(f" hdr {name} {quoted(value)}" for name, value in headers)
    yield "  option httpchk"
    yield f"  http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1{said}"
    yield f"  http-check expect status {codes}"
    if check.body:
        yield f"  http-check expect string {quoted(check.body)}"
    yield f"  timeout check {ms(check.timeout)}"
