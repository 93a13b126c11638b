"""Settings that are the same for every HAProxy of ours."""

CONFIG = "haproxy.cfg"
LOG = "haproxy.log"
REQUESTS = "requests.log"
ACCESS = "access.log"
MASTER = "master.sock"
WORKER = "worker.sock"

SERVER_LINE = "  server "  # how the lines begin that the runtime API keeps true between two reloads

# A line has only what repeats from request to request, so that equal lines can be counted before they are looked into.
# `%ts` says who ended the request and when, `%Ta` the milliseconds from its first byte to the answer's last.
_COUNTED = "r %pid %[var(txn.svc)] %b %s %ts %ST %rc %Ta %[var(txn.stream)] %[var(txn.preview)]"
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
