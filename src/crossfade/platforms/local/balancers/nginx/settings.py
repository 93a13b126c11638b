"""Settings that are the same for every nginx of ours."""

from crossfade.platforms.local.balancers.nginx.words import quoted
from crossfade.platforms.local.balancers.rules import CLAIMS, HEAD_WITHIN, HOST, SCHEMES

REQUESTS = "requests.log"
ERRORS = "error.log"
ACCESS = "access.log"
STREAM_ERRORS = "stream-errors.log"  # the end of a stream is none, so it is not looked for among the others
PID = "nginx.pid"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

MAIN = f"""pid {PID};
error_log {ERRORS} error;"""

_FOLDERS = "\n".join(f"{name}_temp_path temporary/{name};" for name in TEMPORARY)

# A line of the requests log has only what repeats from request to request, so that equal lines can be counted before
# they are looked into. `$cf_streamed` says that the answer was a stream, `$cf_reached` how far the last try came: none,
# unreached, reached, answered.
_REQUESTS = "\\t".join(
    [
        *("$cf_kind", "$cf_service", "$cf_group", "$cf_streamed", "$status", "$upstream_status", "$cf_reached"),
        "$request_time",
    ]
)
_ACCESS = (
    '{"at":"$time_iso8601","client":"$remote_addr","method":"$request_method","host":"$http_host",'
    '"path":"$request_uri","code":$status,"bytes":$bytes_sent,"seconds":$request_time,"group":"$cf_group",'
    '"instance":"$upstream_addr","request_id":"$cf_request_id"}'
)

# What is said of a client reaches the app when a trusted proxy says it: then `$cf_trusted` is 1. Headers with an
# underscore or a dot, which WSGI and CGI take for these, nginx drops by itself. Of upgrades only that to a WebSocket
# reaches it: one to HTTP/2 would be a tunnel, whose further requests no route has seen.
_VARIABLES = {name: name.lower().replace("-", "_") for name in CLAIMS}
_CLAIMS = "\n".join(f"proxy_set_header {name} $cf_{variable};" for name, variable in _VARIABLES.items())
# The Host that reaches an app is the one that its route was found by, which the first line of a request may name.
_SAME_HOST = r"^(?<cf_named>\S+) (?P=cf_named)\.?(?::\d*)?$"
_SCHEMES = " ".join(rf"'~*^1:({words})\s*(,|$)' {scheme};" for scheme, words in SCHEMES.items())
_BELIEVED = "\n".join(
    f"map $cf_trusted $cf_{variable} {{ default ''; 1 $http_{variable}; }}" for variable in _VARIABLES.values()
)

# A request that is given up at once is met by no limit of streams (CVE-2023-44487), and many an nginx knows none but
# that of the requests of a connection: the next one costs who floods a handshake, and a browser nothing that it feels.
OF_HTTP2 = "keepalive_requests 1000; http2_max_concurrent_streams 100;"

HTTP = f"""{_FOLDERS}
default_type text/plain;
server_tokens off;
map_hash_bucket_size 512;
map_hash_max_size 8192;
variables_hash_bucket_size 512;
variables_hash_max_size 8192;
server_names_hash_bucket_size 512;
client_max_body_size 0;
keepalive_requests 1000000;
ssl_protocols TLSv1.2 TLSv1.3;
proxy_buffering off;
proxy_request_buffering off;
proxy_http_version 1.1;
proxy_next_upstream error;
proxy_next_upstream_tries 3;
client_header_timeout {HEAD_WITHIN};
proxy_connect_timeout 2s;
proxy_pass_header Server;
proxy_pass_header Date;
proxy_set_header Host $cf_host;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-Proto $cf_scheme;
{_CLAIMS}
proxy_set_header Proxy '';
proxy_set_header X-Request-Id $cf_request_id;
proxy_set_header Upgrade $cf_upgrade;
proxy_set_header HTTP2-Settings '';
proxy_set_header Connection $cf_connection;
map "$host $http_host" $cf_host {{ default $host; '_ ' ''; '~*{_SAME_HOST}' $http_host; }}
map $http_host $cf_odd_host {{ default 1; '' ''; {quoted(f"~^{HOST}$")} ''; }}
geo $cf_dollar {{ default '$'; }}
map '' $cf_trusted {{ default ''; }}
map "$cf_trusted:$http_x_forwarded_proto" $cf_scheme {{ default $scheme; {_SCHEMES} }}
map $cf_scheme $cf_secure {{ default ''; https '; Secure'; }}
{_BELIEVED}
map '' $cf_kind {{ default none; }}
map '' $cf_service {{ default ''; }}
map '' $cf_group {{ default ''; }}
map $server_protocol:$http_upgrade $cf_upgrade {{ default ''; ~*^HTTP/1.1:websocket$ websocket; }}
map "$cf_upgrade:$cf_kind" $cf_connection {{ default ''; ~^websocket: upgrade; :preview close; }}
map $http_x_request_id $cf_request_id {{ default $http_x_request_id; '' $request_id; }}
map "$http_upgrade:$http_accept" $cf_streaming {{ default ''; ~*^websocket: stream; ~text/event-stream stream; }}
map "$status:$upstream_http_content_type" $cf_streamed {{ default ''; ~^101: stream; ~*:text/event-stream stream; }}
map "$upstream_connect_time;$upstream_header_time" $cf_reached {{
  default answered;
  ';' none;
  '~-;.*-$' unreached;
  '~-$' reached;
}}
log_format requests '{_REQUESTS}';
log_format access escape=json '{_ACCESS}';"""
