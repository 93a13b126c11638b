"""Retries: which requests are asked again, and where.

Anything may be repeated that never reached an instance; GET, HEAD and OPTIONS also when it died unanswered. An answer,
even a 500, is the app's and is never asked for twice: but that of a release which does not have a page's asset, while
another release runs that may.
"""

from crossfade.platforms.local.balancers.envoy.clusters import Json, typed
from crossfade.platforms.local.pages import PART_ENDINGS, PARTS

_NEVER_SENT = "connect-failure,refused-stream,reset-before-request"
_DIED = f"{_NEVER_SENT},reset"
_NOT_THERE = f"{_DIED},retriable-status-codes,retriable-headers"
_GONE = [404, 410]
_PAGE: Json = {"name": "content-type", "string_match": {"prefix": "text/html", "ignore_case": True}}
_STAND_IN = "envoy.retry_priorities.previous_priorities"


def retries(*, repeatable: bool, stood_in_for: bool, asset: bool) -> Json:
    """Two more tries and no more: a request that kills whoever gets it must not kill them all.

    Envoy counts priorities for each request, so only where there are two. An asset's second try is the other release's.
    """
    retried: Json = {"retry_on": _NOT_THERE if asset else _DIED if repeatable else _NEVER_SENT, "num_retries": 2}
    if asset:
        retried |= {"retriable_status_codes": _GONE, "retriable_headers": [_PAGE]}
    if stood_in_for:
        retried["retry_priority"] = _other_release(after=1 if asset else 2)
    return {
        **retried,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {**typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")},
            }
        ],
        # Of two instances the dead one has fewest requests, so three of four draws find it again: 0.75^30 is 0.02 %.
        "host_selection_retry_max_attempts": 30,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.050s"},
    }


def _other_release(*, after: int) -> Json:
    """So many tries in the release's own group, the next in the one that stands in for it."""
    return {
        "name": _STAND_IN,
        "typed_config": {
            **typed("extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
            "update_frequency": after,
        },
    }


def assets() -> tuple[list[Json], ...]:
    """What tells a request for a part of a page from one for a page: the browser says so, or the path's ending."""
    said = {"name": "sec-fetch-dest", "string_match": {"safe_regex": {"regex": PARTS}}}
    unsaid = {"name": "sec-fetch-dest", "present_match": False}
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": rf"[^?]*\.({PART_ENDINGS})(\?.*)?"}}}
    return [said], [unsaid, path]
