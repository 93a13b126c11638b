"""Open ports as Envoy's listeners.

Everything that changes with a release is in routes and endpoints: a listener that is replaced drains its connections,
so one is replaced only when its port, its certificates or its access log change.
"""

from collections.abc import Iterator

from crossfade.core.service import IDLE_TIMEOUT, Tls
from crossfade.platforms.local.balancers.envoy.clusters import ASKED, HELD, WINDOWS, Json, seconds, typed
from crossfade.platforms.local.balancers.envoy.filters import proxies, streams
from crossfade.platforms.local.balancers.rules import CLAIMS, HEAD_WITHIN, Door

_FIRST_BYTES = "5s"
# Between two requests of a connection: longer than any balancer in front keeps one (Google's: 600 s), for a request
# that it sends into a connection that we are closing is lost.
_BETWEEN = "620s"
_STREAMS = 100  # of an HTTP/2 connection, each of which may need a connection to an instance

FAILURES = "failures.log"
ACCESS = "access.log"


def listener(door: Door) -> Json:
    return {
        **typed("config.listener.v3.Listener"),
        "name": door.name,
        "address": {"socket_address": {"address": door.host, "port_value": door.port}},
        "filter_chains": list(_chains(door)),
        "per_connection_buffer_limit_bytes": HELD,
        **({"freebind": True} if door.clients else {}),  # the app's network may come up later than we do
        # These wait for the first bytes of a connection: who opens one and says nothing is sent away.
        "listener_filters": [
            *([_listener_filter("proxy_protocol", "ProxyProtocol")] if door.proxy_protocol else []),
            _listener_filter("tls_inspector", "TlsInspector")
            if door.tls
            else _listener_filter("http_inspector", "HttpInspector"),
        ],
        "listener_filters_timeout": _FIRST_BYTES,
    }


def _listener_filter(name: str, kind: str) -> Json:
    return {
        "name": f"envoy.filters.listener.{name}",
        "typed_config": typed(f"extensions.filters.listener.{name}.v3.{kind}"),
    }


def _chains(door: Door) -> Iterator[Json]:
    """One for everybody, and one before it for proxies whose word on the client counts.

    With PROXY protocol the address is what the connection begins with, and only trusted ones may say it if there are
    any: nobody else finds a chain.
    """
    trusted = [_range(cidr) for cidr in door.trusted]
    direct: Json = {"direct_source_prefix_ranges": trusted} if door.proxy_protocol and trusted else {}
    if trusted:
        yield _chain(door, {**direct, "source_prefix_ranges": trusted}, trusted=trusted)
    if door.clients:
        return  # who comes from elsewhere finds no chain, and is closed
    yield _chain(door, direct, trusted=[])


def _chain(door: Door, match: Json, trusted: list[Json]) -> Json:
    return {
        "filters": [_connection_manager(door, trusted)],
        **({"filter_chain_match": match} if match else {}),
        **({"transport_socket": _tls(door.tls), "transport_socket_connect_timeout": HEAD_WITHIN} if door.tls else {}),
    }


def _range(cidr: str) -> Json:
    address, _, length = cidr.partition("/")
    return {"address_prefix": address, "prefix_len": int(length)}


_NEVER = "proxy"  # becomes HTTP_PROXY in CGI, and then all that the app asks for goes there
# PHP and some CGI take x.forwarded.for for x-forwarded-for. What begins with a colon is Envoy's own.
_ODD_NAME = "[a-z0-9-]*[^a-z0-9:-].*"


def _client(trusted: list[Json]) -> Json:
    """Who the client is: who is connected, or whom a trusted proxy names last that is not one itself."""
    never = (_NEVER, _ODD_NAME, proxies.CLIENT)
    unwanted = never if trusted else (*map(str.lower, CLAIMS), *never)
    early = {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            **typed("extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"),
            # One expression for each name that comes; to look for 80 names takes 27,000 instructions more.
            "mutations": [{"remove_on_match": {"key_matcher": {"safe_regex": {"regex": "|".join(unwanted)}}}}],
        },
    }
    if not trusted:
        return {"use_remote_address": True, "skip_xff_append": True, "early_header_mutation_extensions": [early]}
    named = {
        "name": "envoy.http.original_ip_detection.xff",
        "typed_config": {
            **typed("extensions.http.original_ip_detection.xff.v3.XffConfig"),
            "xff_trusted_cidrs": {"cidrs": trusted},
            "skip_xff_append": True,
        },
    }
    return {"original_ip_detection_extensions": [named], "early_header_mutation_extensions": [early]}


def _paths(door: Door) -> Json:
    """So that a path means the rule that its app would take it for, however it is written.

    Slashes are only looked into where paths decide who answers: `/projects/a%2Fb` is one name to some apps.
    """
    if not door.by_path:
        return {"normalize_path": True}
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
    }


def _connection_manager(door: Door, trusted: list[Json]) -> Json:
    config = {
        **typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": door.name,
        "rds": {
            "route_config_name": door.name,
            "config_source": ASKED,
        },
        "http_filters": [
            *([proxies.reading(door.trusted, "https" if door.tls else "http")] if trusted else []),
            streams.opening(),
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    **typed("extensions.filters.http.router.v3.Router"),
                    "suppress_envoy_headers": True,
                },
            },
        ],
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": "localhost",
            # Apache's HttpClient asks for TLS with each request: as if it had not, where Envoy would answer with 403.
            "ignore_http_11_upgrade": [{"safe_regex": {"regex": _other_than("websocket")}}],
        },
        **_client(trusted),
        **_paths(door),
        "strip_trailing_host_dot": True,
        # To WSGI and CGI, x_forwarded_proto is x-forwarded-proto.
        "common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER", "idle_timeout": _BETWEEN},
        # Nobody is internal (an empty list would mean 127.0.0.1 and private networks): x-envoy-* is not obeyed.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        # Of services that say nothing else, and of requests that do not come to their end.
        "stream_idle_timeout": seconds(IDLE_TIMEOUT),
        "request_headers_timeout": HEAD_WITHIN,
        "http2_protocol_options": {"max_concurrent_streams": _STREAMS, **WINDOWS},
        "access_log": [_failures_log(), streams.closing(), *([_access_log()] if door.access_log else [])],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def _other_than(word: str) -> str:
    """An expression for all texts but this one, however it is written: RE2 has no negation."""
    shorter = [f"{word[:at]}([^{letter}].*)?" for at, letter in enumerate(word)]
    return f"(?i)({'|'.join(shorter)}|{word}.+)"


def _failures_log() -> Json:
    """One line for each request that failed or whose client left: few, so a log costs nothing."""
    fields = {
        "at": "%START_TIME(%s.%3f)%",
        "route": "%ROUTE_NAME%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "instance": "%UPSTREAM_HOST%",
        "method": "%REQ(:METHOD)%",
        "code": "%RESPONSE_CODE%",
        "type": "%RESP(CONTENT-TYPE)%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "transport": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    }
    at_least_500 = {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "crossfade.failure"}}}
    return {
        "name": "envoy.access_loggers.file",
        "filter": {"or_filter": {"filters": [{"status_code_filter": at_least_500}, {"response_flag_filter": {}}]}},
        "typed_config": _file(FAILURES, {"json_format": fields}),
    }


def _access_log() -> Json:
    fields = {
        "at": "%START_TIME%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "method": "%REQ(:METHOD)%",
        "host": "%REQ(:AUTHORITY)%",
        "path": "%REQ(:PATH)%",
        "code": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "bytes": "%BYTES_SENT%",
        "ms": "%DURATION%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "instance": "%UPSTREAM_HOST%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return {"name": "envoy.access_loggers.file", "typed_config": _file(ACCESS, {"json_format": fields})}


def _file(path: str, log_format: Json) -> Json:
    return {
        **typed("extensions.access_loggers.file.v3.FileAccessLog"),
        "path": path,
        "log_format": log_format,
    }


def _tls(certificates: tuple[Tls, ...]) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            **typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificate_sds_secret_configs": [
                    {"name": tls.certificate, "sds_config": ASKED} for tls in certificates
                ],
            },
        },
    }


def secret(tls: Tls, pair: tuple[str, str]) -> Json:
    """Certificate and key themselves: what was renewed is another resource, and no key is written by us."""
    certificate, key = pair
    return {
        **typed("extensions.transport_sockets.tls.v3.Secret"),
        "name": tls.certificate,
        "tls_certificate": {
            "certificate_chain": {"inline_string": certificate},
            "private_key": {"inline_string": key},
        },
    }
