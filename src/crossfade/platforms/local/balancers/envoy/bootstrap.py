"""Envoy's bootstrap: where it is asked, what it counts, and whom it asks for the rest."""

import hashlib
import json

from crossfade.platforms.local.balancers.counted.buckets import BUCKETS
from crossfade.platforms.local.balancers.envoy.clusters import ASKED, ASSETS, STREAMS, Json, typed
from crossfade.platforms.local.balancers.envoy.filters import streams

ADMIN = "admin.sock"
DISCOVERY = "discovery.sock"
BOOTSTRAP = "envoy.json"

_CONTROLLER = "crossfade"

REQUESTS = "completed|1xx|101|retry|time"
EVERYTHING = rf"^cluster\.[^.]+/[^.]+\.upstream_rq_({REQUESTS}|active)$"  # of all services

# How long an expression may be, in RE2's own measure: all names of headers that clients may not send are one of 835.
_RUNTIME = {"re2.max_program_size.error_level": 10_000}

# All that is ever asked for, as one expression: a hundred names of each cluster are looked up, and five expressions one
# after the other took a tenth of what Envoy does to begin with a cluster. What is not counted costs neither memory nor
# time later: Envoy counts most of it once more as `cluster.NAME.external.upstream_rq_time`, so a name has no dot in it.
_COUNTED = (
    r"^server\..*",
    r"^filesystem\.write_total_buffered$",
    EVERYTHING,
    rf"^cluster\.[^.]+({STREAMS}|{ASSETS})\.upstream_cx_total$",  # by which Envoy knows that a cluster has been used
    streams.COUNTED,
)


def bootstrap(connections: int) -> Json:
    """What Envoy reads when it starts. `connections` is how many of clients it keeps open at once.

    All paths are relative to the state directory, Envoy's working directory: a socket's path may be 107 long.
    """
    return {
        "node": {"cluster": _CONTROLLER},  # its id is given to each process
        "admin": {"address": {"pipe": {"path": ADMIN, "mode": 0o600}}},
        # Only when asked: an idle balancer does nothing, and an answer is never 5 s old.
        "stats_flush_on_admin": True,
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": "|".join(_COUNTED)}}]}},
            "histogram_bucket_settings": [{"match": {"suffix": "upstream_rq_time"}, "buckets": list(BUCKETS)}],
        },
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": _CONTROLLER, "retry_policy": _ASK_AGAIN}}],
            },
            "cds_config": ASKED,
            "lds_config": ASKED,
        },
        "layered_runtime": {"layers": [{"name": "fixed", "static_layer": _RUNTIME}]},
        "static_resources": {"clusters": [_controller()]},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        **typed("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
                        "max_active_downstream_connections": connections,
                    },
                }
            ]
        },
    }


def fingerprint() -> str:
    """Another one is another bootstrap; how many connections it allows is the machine's to say, and no difference."""
    return hashlib.sha256(json.dumps(bootstrap(0), sort_keys=True).encode()).hexdigest()[:16]


# For a while nobody may be there to ask; when there is, a rollout waits for it.
_ASK_AGAIN: Json = {"retry_back_off": {"base_interval": "0.05s", "max_interval": "0.2s"}}


def _controller() -> Json:
    protocol = "extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": _CONTROLLER,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": _CONTROLLER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": DISCOVERY}}}}]}],
        },
        "typed_extension_protocol_options": {
            f"envoy.{protocol}": {**typed(protocol), "explicit_http_config": {"http2_protocol_options": {}}}
        },
    }
