"""Failures: why a request failed, in plain words, from a line of the failures log."""

from dataclasses import dataclass
from typing import Any

from crossfade.platforms.local.balancers.envoy.clusters import group_of
from crossfade.platforms.local.balancers.envoy.filters.streams import is_stream
from crossfade.platforms.local.balancers.envoy.routes import CLIENTS, PREVIEW

NOBODY = "no release serving"  # answered by the balancer itself: in no statistic of Envoy's

_SERVER_ERROR = 500
_CLIENT_LEFT = frozenset({"DC", "DR"})
_BY_FLAG = {
    "UH": "no healthy instance",
    "NC": "no healthy instance",
    "UF": "connection refused",
    "UT": "timeout",
    "DT": "timeout",
    "SI": "idle timeout",
    "UPE": "wrong HTTP from instance",
    "OM": "balancer overloaded",
    "UO": "balancer overloaded",
}
_TRIED_ALL = frozenset({"URX", "-"})  # no release has it: with a 404 for an answer, that is the app's word as any other
_CUT = frozenset({"UC", "UR", "UPE", "LR", "UF"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One line of the log. `cause` is empty when the client left, which is no failure."""

    service: str
    group: str  # service/release; empty when it reached none
    cause: str
    preview: bool


def failure(line: dict[str, Any]) -> Failure | None:
    """None when no service failed: an unknown path, an asset that no release has, or a stream that came to its end."""
    kind, _, service = str(line.get("route") or "").partition("/")
    if kind not in {CLIENTS, PREVIEW}:
        return None
    flags = frozenset(str(line.get("flags") or "-").split(","))
    code = int(line.get("code") or 0)
    left = bool(flags & _CLIENT_LEFT)
    answered = 0 < code < _SERVER_ERROR
    if answered and is_stream(code, str(line.get("type") or "")):
        return None  # it was opened, and now it ended: who ended it is nobody's failure
    if answered and flags <= _TRIED_ALL:
        return None
    cause = "" if left else _cause(line, flags, code, answered=answered)
    group = group_of(str(line.get("cluster") or ""))
    return Failure(service=service, group=group, cause=cause, preview=kind == PREVIEW)


def _cause(line: dict[str, Any], flags: frozenset[str], code: int, *, answered: bool) -> str:
    details = str(line.get("details") or "")
    if details == "direct_response":
        return NOBODY
    if answered and flags & _CUT:
        return "truncated answer"
    if "UF" in flags and "refused" not in f"{details} {line.get('transport') or ''}".lower():
        return "no connection to instance"
    for flag, cause in _BY_FLAG.items():
        if flag in flags:
            return cause
    if flags & _CUT:
        return "reset by instance"
    return f"{code} from instance" if details == "via_upstream" else details or f"{code}"
