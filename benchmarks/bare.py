"""The smallest that do the same work: an Envoy and a HAProxy that pass requests on, and an Envoy that answers them."""

import json
from typing import Any

from benchmarks.proxies.crossfade import envoy_binary
from benchmarks.proxies.proxy import found

_TYPES = "type.googleapis.com/envoy.extensions"


def passing(port: int, to: int, workers: int) -> list[str]:
    """The command of one with one listener, one route and one cluster, and nothing that Envoy does not insist on."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": to}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {"name": "app", "type": "STATIC", "load_assignment": {"cluster_name": "app", "endpoints": endpoints}}
    return _command(port, workers, {"route": {"cluster": "app"}}, [cluster])


# As few rules as can keep two of our promises: the app learns who asks, and what is safe to repeat is asked again.
_TOLD = (
    *("  tcp-request session set-var(sess.id) uuid(),bytes(0,18)", "  tcp-request session set-var(sess.ip) src,lower"),
    *(f"  http-request add-header {name} %[var(sess.ip)]" for name in ("X-Forwarded-For", "X-Real-IP")),
    *("  http-request add-header X-Forwarded-Proto http", "  http-request add-header X-Request-Id %[var(sess.id)]-%rt"),
)
_AGAIN = (
    "  retry-on conn-failure empty-response",
    "  http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
)


def haproxy(port: int, to: int, workers: int, *, promises: bool = False) -> list[str]:
    """The command of a HAProxy that only passes requests on; its configuration is in its words: it reads no other."""
    lines = [
        *("global", f"  nbthread {workers}", "defaults", "  mode http", "  timeout connect 2s"),
        *("  timeout client 60s", "  timeout server 60s", "frontend web", f"  bind 127.0.0.1:{port}"),
        *("  default_backend app", *(_TOLD if promises else ()), "backend app", *(_AGAIN if promises else ())),
        *(f"  server one 127.0.0.1:{to}", ""),
    ]
    return _haproxy(lines)


def usual(port: int, to: int, workers: int) -> list[str]:
    """The command of a HAProxy as people have it: with what Debian's file begins with, who asks, and a check.

    Debian's writes its lines to a syslog that need not run here; this one to its output.
    """
    return _haproxy(
        [
            *("global", f"  nbthread {workers}", "  log stdout format raw local0", "defaults", "  log global"),
            *("  mode http", "  option httplog", "  option dontlognull", "  timeout connect 5000"),
            *("  timeout client 50000", "  timeout server 50000", "frontend web", f"  bind 127.0.0.1:{port}"),
            *("  option forwardfor", "  default_backend app", "backend app"),
            *(f"  server one 127.0.0.1:{to} check", ""),
        ]
    )


def _haproxy(lines: list[str]) -> list[str]:
    script = 'printf %s "$1" > haproxy.cfg && exec "$0" -db -f haproxy.cfg'
    return ["/bin/sh", "-c", script, found("haproxy") or "haproxy", "\n".join(lines)]


def answering(port: int, workers: int) -> list[str]:
    """The command of one that answers every request with three bytes."""
    return _command(port, workers, {"direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}}, [])


def _command(port: int, workers: int, action: dict[str, Any], clusters: list[dict[str, Any]]) -> list[str]:
    """No hot restart: it would ask for shared memory of its own."""
    words = [envoy_binary(), "--concurrency", str(workers), "--disable-hot-restart", "--log-level", "error"]
    return [*words, "--config-yaml", json.dumps(_static(port, action, clusters))]


def _static(port: int, action: dict[str, Any], clusters: list[dict[str, Any]]) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "route_config": {
            "virtual_hosts": [{"name": "web", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}]
        },
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"}}
        ],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}
