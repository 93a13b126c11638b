"""Keys of our file as a Compose service has them: where what we cannot take stands."""

from typing import Any

from crossfade.file.reading.document import Keys

# The likeliest first.
_THEIRS: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {
    ("resources", "memory"): (("deploy", "resources", "limits", "memory"), ("mem_limit",)),
    ("resources", "cpu"): (("deploy", "resources", "limits", "cpus"), ("cpus",)),
    ("grace",): (("stop_grace_period",),),
    ("replicas",): (("deploy", "replicas"), ("scale",)),
    ("health", "interval"): (("healthcheck", "interval"),),
    ("health", "timeout"): (("healthcheck", "timeout"),),
    ("health", "unhealthy"): (("healthcheck", "retries"),),
    ("deploy", "warmup"): (("deploy", "update_config", "delay"),),
    ("deploy", "bake"): (("deploy", "update_config", "monitor"),),
}


def theirs(compose: dict[str, Any], ours: Keys) -> Keys:
    """The keys of a Compose service from which ours came; the same ones where they are called the same."""
    return next((keys for keys in _THEIRS.get(tuple(map(str, ours)), ()) if _has(compose, keys)), ours)


def _has(compose: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(compose, dict) or key not in compose:
            return False
        compose = compose[key]
    return True
