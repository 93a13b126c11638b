"""Streams: WebSockets and event streams, told from requests by the answer once it begins.

What a client would accept does not say it: every POST of an MCP client would take an event stream, and most are
answered with one JSON. So a filter looks at the answer's status and content type, counts a stream as opened at its
instance and marks it, and a logger counts the marked ones as closed when they end.
"""

import re
from collections import Counter
from collections.abc import Mapping

from crossfade.platforms.local.balancers.envoy.clusters import Json, typed
from crossfade.platforms.local.balancers.envoy.filters.seldom import has, seldom

EVENTS = "text/event-stream"
SWITCHED = 101  # the status that begins a WebSocket

# The two counters of each instance, by the names that they have in the statistics.
COUNTED = r"^(http\.[0-9]+\.lua\.opened|streams\.closed\.at)\..+$"
_OPENED = re.compile(r"http\.[0-9]+\.lua\.opened\.(?P<address>.+)")
_CLOSED = re.compile(r"streams\.closed\.at\.(?P<address>.+)")

_FILTER, _OURS, _MARK = "streams", "crossfade", "stream"
_INSTANCE = "x-crossfade-instance"  # carries the address from one filter to the next, and goes no further
_SCRIPT = f"""
function envoy_on_response(answer)
  local headers = answer:headers()
  answer:stats():counter("opened." .. headers:get("{_INSTANCE}")):inc()
  headers:remove("{_INSTANCE}")
  answer:streamInfo():dynamicMetadata():set("{_OURS}", "{_MARK}", true)
end
"""


def looked_for() -> Json:
    """What a route says whose answers may be streams: looking costs 7 % of what a request does."""
    return {_FILTER: {**typed("config.route.v3.FilterConfig"), "config": {}}}


def opening() -> Json:
    """The filter, for routes that ask for it. What it consists of is made once an answer is a stream."""
    script = {**typed("extensions.filters.http.lua.v3.Lua"), "default_source_code": {"inline_string": _SCRIPT}}
    address = {
        **typed("extensions.filters.http.header_mutation.v3.HeaderMutation"),
        "mutations": {
            "response_mutations": [
                {
                    "append": {
                        "header": {"key": _INSTANCE, "value": "%UPSTREAM_HOST%"},
                        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                    }
                }
            ]
        },
    }
    chain = [  # answers pass the last one first
        {"name": "envoy.filters.http.lua", "typed_config": script},
        {"name": "envoy.filters.http.header_mutation", "typed_config": address},
    ]
    return seldom(
        _FILTER,
        "count",
        {"filter_chain": {"typed_config": chain}},
        has("response", "content-type", {"prefix": EVENTS, "ignore_case": True}),
        has("response", ":status", {"exact": str(SWITCHED)}),
        disabled=True,
    )


def closing() -> Json:
    """The logger that counts the end of what `opening` marked."""
    counter = {
        "stat": {"name": "closed", "tags": [{"name": "at", "value_format": "%UPSTREAM_HOST%"}]},
        "value_fixed": 1,
    }
    marked = {"filter": _OURS, "path": [{"key": _MARK}], "value": {"bool_match": True}}
    return {
        "name": "envoy.access_loggers.stats",
        "filter": {"metadata_filter": {"matcher": marked, "match_if_key_not_found": False}},
        "typed_config": {
            **typed("extensions.access_loggers.stats.v3.Config"),
            "stat_prefix": "streams",
            "counters": [counter],
        },
    }


def held(stats: Mapping[str, str]) -> Counter[str]:
    """How many streams are open, by the address of the instance."""
    found = Counter[str]()
    for stat, value in stats.items():
        if opened := _OPENED.fullmatch(stat):
            found[opened["address"]] += int(value)
        elif closed := _CLOSED.fullmatch(stat):
            found[closed["address"]] -= int(value)
    return found


def is_stream(status: int, content_type: str) -> bool:
    """Is an answer that begins so one?"""
    return status == SWITCHED or content_type.lower().startswith(EVENTS)
