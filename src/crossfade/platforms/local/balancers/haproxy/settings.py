"""Settings that are the same for every HAProxy of ours."""

CONFIG = "haproxy.cfg"
LOG = "haproxy.log"
REQUESTS = "requests.log"
ACCESS = "access.log"
MASTER = "master.sock"
WORKER = "worker.sock"

SERVER_LINE = "  server "  # how the lines begin that the runtime API keeps true between two reloads

# Answers of one release in a second and a worker, above which one of EACH has its line: of 1,000 that is 59, enough for
# a percentile, and what is saved below that is less than a hundredth of a core.
OFTEN = 1000
# Of a release that is asked often one answer of so many has a line, which tells how long such answers take; how many
# there were is known from HAProxy's own totals. A prime, so that clients who take turns do not fall into step with it.
EACH = 17
KEPT = "set-log-level notice"  # a rule's action: this request has its line, come what may
SAMPLE = b"<6>"  # how the lines of the sample begin: with their level, so that copies of others are told from them
STREAM, PREVIEW, PREVIEW_STREAM = "stream", "preview", "preview-stream"  # values of `txn.kind`; of a plain request none

# A thread of HAProxy keeps 512 KiB of what it may use again, and so much are the copies of 32 requests that it may have
# to ask again. All else goes back to the C library after each request and comes from there for the next. So that one
# shall keep more than 7 pieces of a size at hand, and return no memory to the kernel that is needed again at once.
ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"
    f":glibc.malloc.trim_threshold={64 * 2**20}:glibc.malloc.top_pad={16 * 2**20}"
}

# A line has only what repeats from request to request, so that equal lines can be counted before they are looked into.
# `%ts` says who ended the request and when, `%Ta` the milliseconds from its first byte to the answer's last.
_COUNTED = "r %pid %[var(txn.svc)] %b %s %ts %ST %rc %Ta %[var(txn.kind)]"
_ACCESS = (
    '{"at":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","client":"%ci","method":"%HM","host":"%[var(txn.host),json(utf8s)]",'
    '"path":"%[capture.req.uri,json(utf8s)]","code":%ST,"bytes":%B,"milliseconds":%Ta,"group":"%b",'
    '"instance":"%s","request_id":"%[var(txn.id),json(utf8s)]"}'
)


def quoted(text: str) -> str:
    """One word to HAProxy, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def ms(seconds: float) -> str:
    """A duration, at least of a millisecond: 0 would be none at all."""
    return f"{max(1, round(seconds * 1000))}ms"


COUNT_FORMAT = quoted(_COUNTED)
ACCESS_FORMAT = quoted(f"{_COUNTED} {_ACCESS}")
