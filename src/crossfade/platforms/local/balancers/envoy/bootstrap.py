"""What Envoy is started with: where it is asked, what it counts, and where it reads the rest from."""

from crossfade.platforms.local.balancers.buckets import BUCKETS
from crossfade.platforms.local.balancers.envoy.clusters import Json

ADMIN = "admin.sock"
CLUSTERS = "clusters.json"
LISTENERS = "listeners.json"
BOOTSTRAP = "envoy.json"

EVERYTHING = r"^cluster\.[^.]+\.upstream_rq_(completed|retry|time|active)$"  # of all services

# All that is ever asked for. What is not counted costs neither memory nor time: Envoy counts most of it once more as
# `cluster.NAME.external.upstream_rq_time`, so a name has no dot in it.
_COUNTED = (
    r"^server\..*",
    r"^filesystem\.write_total_buffered$",
    r".*\.(version_text|update_rejected)$",
    EVERYTHING,
)


def bootstrap() -> Json:
    """All paths are relative to the state directory, Envoy's working directory: a socket's path may be 107 long."""
    return {
        "node": {"id": "crossfade", "cluster": "crossfade"},
        "admin": {"address": {"pipe": {"path": ADMIN, "mode": 0o600}}},
        # Only when asked: an idle balancer does nothing, and an answer is never 5 s old.
        "stats_flush_on_admin": True,
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": r}} for r in _COUNTED]}},
            "histogram_bucket_settings": [{"match": {"suffix": "upstream_rq_time"}, "buckets": list(BUCKETS)}],
        },
        "dynamic_resources": {  # a watched file needs a folder in its name
            "lds_config": {"path_config_source": {"path": f"./{LISTENERS}"}},
            "cds_config": {"path_config_source": {"path": f"./{CLUSTERS}"}},
        },
    }
