"""What Envoy is told: a listener for each of ours, a cluster for each target group, each kind in a file of its own."""

from pathlib import Path

from tests.rig.balancer.targets import Group, State
from tests.rig.wire import Json

_NO_LIMIT = 1_000_000_000
# Of each request, once it is answered. The last is TargetResponseTime: from when the request has left until the target
# begins to answer.
ACCESS = (
    "%START_TIME(%s.%6f)%\t%DOWNSTREAM_LOCAL_PORT%\t%UPSTREAM_CLUSTER_RAW%\t%RESPONSE_CODE%\t%RESPONSE_FLAGS%\t"
    "%UPSTREAM_HOST%\t%COMMON_DURATION(US_TX_END:US_RX_BEG:us)%"
)


def typed(kind: str, **fields: object) -> Json:
    """A resource of Envoy's that says what it is."""
    return {"@type": f"type.googleapis.com/envoy.{kind}", **fields}


def bootstrap(folder: Path) -> Json:
    return {
        "node": {"id": "rig", "cluster": "rig"},
        "admin": {"address": {"pipe": {"path": str(folder / "admin.sock")}}},
        "dynamic_resources": {"lds_config": _file(folder / "lds"), "cds_config": _file(folder / "cds")},
    }


def _file(path: Path) -> Json:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def cluster(group: Group, folder: Path, idle: float) -> Json:
    """`idle`: seconds after which a connection to a target that carries nothing is closed."""
    algorithm = group.attributes.get("load_balancing.algorithm.type", "round_robin")
    sticky = group.attributes.get("stickiness.enabled") == "true"
    policy = "RING_HASH" if sticky else "LEAST_REQUEST" if algorithm == "least_outstanding_requests" else "ROUND_ROBIN"
    limits = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), _NO_LIMIT)
    protocol = "extensions.upstreams.http.v3.HttpProtocolOptions"
    speaks = (
        "http2_protocol_options" if group.spec.get("ProtocolVersion") in ("HTTP2", "GRPC") else "http_protocol_options"
    )
    return {
        **typed("config.cluster.v3.Cluster"),
        "name": group.id,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(folder / endpoints_file(group))},
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html: 504
        # when no connection was made within 10 seconds.
        "connect_timeout": "10s",
        "lb_policy": policy,
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": {
            f"envoy.{protocol}": typed(
                protocol,
                common_http_protocol_options={"idle_timeout": f"{idle}s"},
                explicit_http_config={speaks: {}},
            )
        },
    }


def endpoints_file(group: Group) -> str:
    return f"eds-{group.id.rsplit('/', 1)[-1]}"


def assignment(group: Group, addresses: dict[tuple[str, int], tuple[str, int]]) -> Json:
    """Where each target really listens is in `addresses`. Who drains stays in, for what it still answers."""
    serving = group.serving()
    ends = []
    for key, target in sorted(group.targets.items()):
        host, port = addresses.get(key, key)
        state = "HEALTHY" if target in serving else "DRAINING" if target.health.state is State.DRAINING else "UNHEALTHY"
        address = {"socket_address": {"address": host, "port_value": port}}
        ends.append({"endpoint": {"address": address}, "health_status": state})
    assigned = typed("config.endpoint.v3.ClusterLoadAssignment", cluster_name=group.id)
    return {**assigned, "endpoints": [{"lb_endpoints": ends}]}


def listener(arn: str, port: int, folder: Path, idle: float, tls: tuple[Path, Path] | None) -> Json:
    """`port` of loopback; its routes are in a file named after it. `tls`: certificate and key of an HTTPS listener."""
    manager = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=routes_file(port),
        rds={"route_config_name": routes_file(port), "config_source": _file(folder / routes_file(port))},
        http_filters=[{"name": "router", "typed_config": typed("extensions.filters.http.router.v3.Router")}],
        use_remote_address=True,
        server_header_transformation="PASS_THROUGH",
        stream_idle_timeout=f"{idle}s",
        upgrade_configs=[{"upgrade_type": "websocket"}],
        local_reply_config={"mappers": _REPLIES},
        access_log=[
            {
                "name": "stdout",
                "typed_config": typed(
                    "extensions.access_loggers.stream.v3.StdoutAccessLog",
                    log_format={"text_format_source": {"inline_string": f"{ACCESS}\n"}},
                ),
            }
        ],
    )
    return {
        **typed("config.listener.v3.Listener"),
        "name": arn,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}], **_tls(tls)}],
    }


def _tls(files: tuple[Path, Path] | None) -> Json:
    if files is None:
        return {}
    certificate, key = ({"filename": str(file)} for file in files)
    shown = {
        "tls_certificates": [{"certificate_chain": certificate, "private_key": key}],
        "alpn_protocols": ["h2", "http/1.1"],
    }
    kind = "extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return {"transport_socket": {"name": "tls", "typed_config": typed(kind, common_tls_context=shown)}}


def routes_file(port: int) -> str:
    return f"rds-{port}"


def route_configuration(port: int, routes: list[Json]) -> Json:
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    return {**typed("config.route.v3.RouteConfiguration"), "name": routes_file(port), "virtual_hosts": hosts}


def _reply(flags: list[str], status: int) -> Json:
    return {"filter": {"response_flag_filter": {"flags": flags}}, "status_code": status}


# What an ALB answers itself where Envoy would say 503.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
_REPLIES = [
    _reply(["UF", "UC", "UR", "UPE"], 502),  # the target refused, or closed the connection with a request in it
    _reply(["UT", "SI"], 504),
]
