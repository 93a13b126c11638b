"""Target groups as Envoy's clusters, and their instances as its endpoints.

A release has two clusters of the same instances, and from its preview on two more. Those for WebSocket and SSE
connections tell the streams that an instance holds from its in-flight requests; those for previews tell them from
clients' requests. One whose clients keep their instance has another, for parts of pages: a hash leads to its own
instances only, and what they lack is looked for in those of another release.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from crossfade.core.routing import TargetGroup
from crossfade.core.service import HealthCheck, Service
from crossfade.platforms.local.address import host_of, near
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.h2c import GREETING

Json = dict[str, Any]


class RoutePart:
    """A part of a resource that outlives it: of thousands of routes of a port a deploy changes a handful.

    As text, because of ten thousand routes the collector of garbage would go through millions of dicts again and again.
    """

    __slots__ = ("encoded", "text")

    def __init__(self, content: Json) -> None:
        self.text = json.dumps(content)
        self.encoded = b""  # for who sends it


STREAMS, PREVIEW, ASSETS = "/streams", "/preview", "/assets"
ASKED: Json = {"ads": {}, "resource_api_version": "V3"}  # from the controller, with all else
# Above anything one machine can hold: who limits traffic is the app, never a default of the balancer.
_NO_LIMIT = 1_000_000_000
# App servers close idle connections after 2 s (gunicorn) to 5 s (node, uvicorn). A POST sent into such a closing
# connection cannot be repeated safely, so ours are closed before theirs. By age, and not when idle: Envoy applies a
# cluster's idle timeout to the connections of its own health check too, also while it waits for the answer (1.40), and
# a health path that takes 1.1 s would end all traffic. A request under way at that age is still answered.
_CONNECTION_AGE = "1s"
# Bytes that are held of an answer that a client does not read, or of what it sends before the app reads it. Envoy's own
# limits are 1 MiB and windows of 16 MiB: twelve connections of a hundred streams each took 4.6 GB, for one client.
HELD = 1 << 16
WINDOWS: Json = {"initial_stream_window_size": 1 << 18, "initial_connection_window_size": 1 << 20}


def typed(kind: str, **fields: Any) -> Json:
    """A resource of Envoy's that says what it is."""
    return {"@type": f"type.googleapis.com/envoy.{kind}", **fields}


def name(service: str, release: int, *, preview: bool = False, streams: bool = False) -> str:
    """`feedback/web/7`, `feedback/web/7/streams`, `feedback/web/7/preview` and `feedback/web/7/preview/streams`."""
    return f"{service}/{release}{PREVIEW if preview else ''}{STREAMS if streams else ''}"


def assets_of(service: str, release: int) -> str:
    """`feedback/web/7/assets`."""
    return f"{service}/{release}{ASSETS}"


def is_clients(cluster: str) -> bool:
    """Are its requests those of clients?"""
    return PREVIEW not in cluster


def group_of(cluster: str) -> str:
    """`feedback/web/7`, whichever of its clusters it is."""
    return "/".join(cluster.split("/")[:3])


def clusters(entry: Entry) -> list[Json]:
    found = []
    for group in entry.routing.groups:
        key, release, service = entry.service.key, group.release, entry.made(group.release)
        for preview in _ways(entry, release):
            for streams in (False, True):
                called = name(key, release, preview=preview, streams=streams)
                found.append(_cluster(called, service, preview=preview, seldom=streams))
        if service.sticky:
            found.append(_cluster(assets_of(key, release), replace(service, sticky=None), preview=False, seldom=True))
    return found


def assignments(entry: Entry) -> dict[str, Json]:
    """Endpoints by the name of their cluster.

    A draining instance stays listed: what it still holds can be counted there. Nobody stands in for a release in its
    preview: the old release would pass the smoke test of the new one.
    """
    found = {}
    for group in entry.routing.groups:
        for preview in _ways(entry, group.release):
            stand_ins = () if preview else entry.stand_ins(group.release)
            for streams in (False, True):
                cluster = name(entry.service.key, group.release, preview=preview, streams=streams)
                found[cluster] = _assignment(cluster, (group, *stand_ins), entry)
        if entry.made(group.release).sticky:
            cluster = assets_of(entry.service.key, group.release)
            found[cluster] = _assignment(cluster, (group, *entry.stand_ins(group.release)), entry)
    return found


def _ways(entry: Entry, release: int) -> tuple[bool, ...]:
    """Clients', and the preview's where it is one: of hundreds of releases a few are, and a cluster costs 1 ms."""
    return (False, True) if entry.has_preview(release) else (False,)


def _cluster(called: str, service: Service, *, preview: bool, seldom: bool) -> Json:
    balance: Json = {"lb_policy": "RING_HASH"} if service.sticky else {"lb_policy": "LEAST_REQUEST"}
    return {
        **typed("config.cluster.v3.Cluster"),
        "name": called,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": ASKED},
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": HELD,
        **balance,
        # A preview shows the release as it is, and its instances are not asked twice as often for it.
        "health_checks": [] if preview else [_health_check(service.health, seldom=seldom)],
        "ignore_health_on_host_removal": True,
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 0},  # never send to an instance that is known to be dead
            "update_merge_window": "0s",  # a drain counts at once, not up to a second later
        },
        "outlier_detection": _OUTLIERS,
        "circuit_breakers": {"thresholds": [_LIMITS, {**_LIMITS, "priority": "HIGH"}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                **typed("extensions.upstreams.http.v3.HttpProtocolOptions"),
                "common_http_protocol_options": {"idle_timeout": "0s", "max_connection_duration": _CONNECTION_AGE},
                "explicit_http_config": {"http2_protocol_options": WINDOWS}
                if service.protocol == "h2c"
                else {"http_protocol_options": {}},
            }
        },
    }


_IDLE_CHECK = 60.0  # seconds between two checks of a healthy instance for a cluster that nobody has used

_ALL_TO_THE_LAST = 10_000_000  # percent: one healthy instance of 100,000 counts as all of them

_LIMITS: Json = {
    "max_connections": _NO_LIMIT,
    "max_pending_requests": _NO_LIMIT,
    "max_requests": _NO_LIMIT,
    "max_retries": _NO_LIMIT,
}

# Between two health checks, connections that fail five times in a row take an instance out for a few seconds. At most
# half of a group, so a single instance that restarts is tried again at once; 5xx answers are the verdict's business.
_OUTLIERS: Json = {
    "split_external_local_origin_errors": True,
    "consecutive_local_origin_failure": 5,
    "enforcing_consecutive_local_origin_failure": 100,
    "enforcing_local_origin_success_rate": 0,
    "enforcing_consecutive_5xx": 0,
    "enforcing_consecutive_gateway_failure": 0,
    "enforcing_success_rate": 0,
    "interval": "1s",
    "base_ejection_time": "2s",
    "max_ejection_time": "10s",
    "max_ejection_percent": 50,
}


_LOOKED_AT = 1 << 16  # bytes of an answer that are searched for what it should contain, as our own probe does


def _health_check(check: HealthCheck, *, seldom: bool) -> Json:
    """Envoy checks a new endpoint at once and believes the first pass; thresholds count from then on.

    The same instances are in a cluster for plain requests. So where nobody ever asked for a stream, the one for streams
    checks those that passed only now and then, and an instance is not asked twice as often as its service says.
    """
    interval = seconds(check.interval)
    return {
        "interval": interval,
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": seconds(max(check.interval, _IDLE_CHECK)) if seldom else interval,
        "timeout": seconds(check.timeout),
        "healthy_threshold": check.healthy,
        "unhealthy_threshold": check.unhealthy,
        "reuse_connection": False,  # kept until the next check, the app may be closing it just then
        **_asked(check),
    }


def _asked(check: HealthCheck) -> Json:
    """What our own probe asks elsewhere Envoy cannot: it looks whether somebody listens."""
    if check.elsewhere:
        return {"tcp_health_check": {}}
    return _SPEAKS_H2C if check.h2c else {"http_health_check": _get(check)}


# The beginning of a connection, and of what is received the head of a SETTINGS frame: kind, no flags, no stream.
_SPEAKS_H2C: Json = {"tcp_health_check": {"send": {"text": GREETING.hex()}, "receive": [{"text": "040000000000"}]}}


def _get(check: HealthCheck) -> Json:
    """A code that is not expected would end the traffic at the first failure were it not listed as retriable."""
    asked: Json = {}
    if check.headers:
        asked["request_headers_to_add"] = [
            # A value is a format, in which % begins a command.
            {"header": {"key": key, "value": value.replace("%", "%%")}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in check.headers
        ]
    if check.body:
        asked |= {"receive": [{"text": check.body.encode().hex()}], "response_buffer_size": _LOOKED_AT}
    return {
        "path": check.path,
        "expected_statuses": [{"start": low, "end": high + 1} for low, high in check.codes],
        "retriable_statuses": [{"start": 100, "end": 600}],
        **asked,
    }


def empty_assignment(cluster: str) -> Json:
    """No endpoints at all."""
    return {**typed("config.endpoint.v3.ClusterLoadAssignment"), "cluster_name": cluster}


def _assignment(cluster: str, groups: Iterable[TargetGroup], entry: Entry) -> Json:
    """The first group's instances, and with lower priority those that stand in when all of it are dead."""
    return {
        **empty_assignment(cluster),
        "endpoints": [
            {
                "priority": priority,
                "lb_endpoints": [
                    _endpoint(i, entry.address(i), state, entry.service.health.host) for i, state in _states(group)
                ],
            }
            for priority, group in enumerate(groups)
        ],
        # Envoy would begin to send requests past a group when 28 % of it are dead; here one healthy instance keeps all.
        "policy": {"overprovisioning_factor": _ALL_TO_THE_LAST},
    }


def _states(group: TargetGroup) -> list[tuple[str, str]]:
    return [(i, "HEALTHY") for i in group.registered] + [(i, "DRAINING") for i in group.draining]


def _endpoint(instance: str, address: str, state: str, asked_host: str) -> Json:
    return {
        "health_status": state,
        "endpoint": {
            "hostname": instance,  # comes back in /clusters: an endpoint is known by its instance's id
            "address": _place(address),
            "health_check_config": {"hostname": asked_host or host_of(address)},  # the Host, as in our own probe
        },
    }


def _place(address: str) -> Json:
    if path := near(address):
        return {"pipe": {"path": path}}
    host, port = address.rsplit(":", 1)
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def seconds(value: float) -> str:
    """A protobuf duration: `2.5s`."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
