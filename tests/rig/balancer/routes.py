"""A listener's rules as Envoy's routes, in the order in which AWS tries them.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.rig.wire import Json

_LAST = 1_000_000  # of a default rule, which has no number
_KEEP = re.compile(r"#\{(protocol|host|port|path|query)\}")
STICKY, STAYS = "AWSALBTG", "AWSALB"  # cookies that keep a client with a group, and with a target of one


def in_order(rules: list[Json]) -> list[Json]:
    """By priority, the default rule last."""
    return sorted(rules, key=lambda rule: _LAST if rule["IsDefault"] else int(rule["Priority"]))


def forwarded(rule: Json) -> list[tuple[str, int]]:
    """Target groups that the rule forwards to, with their weights; those with weight 0, too."""
    for action in rule["Actions"]:
        if action["Type"] == "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
            return [(one["TargetGroupArn"], int(one.get("Weight", 1))) for one in groups]
    return []


def routes(rules: list[Json], clusters: Mapping[str, str], kept: Mapping[str, Json] | None = None) -> list[Json]:
    """Envoy's routes for the rules of one listener; `clusters` are names by a target group's ARN.

    `kept` says by the same which clients stay with a target of the group.
    """
    found = [route for rule in in_order(rules) for route in _routes(rule, clusters)]
    by_name = {clusters[arn]: policy for arn, policy in (kept or {}).items()}
    for acts in (one["route"] for one in found if "route" in one):
        names = [one["name"] for one in acts.get("weighted_clusters", {}).get("clusters", ())] or [acts["cluster"]]
        policies = [by_name[name] for name in names if name in by_name]
        if policies:
            acts["hash_policy"] = policies[:1]  # groups of one service have the same
    return found


def stays(attributes: Mapping[str, str]) -> Json | None:
    """By which cookie a client stays with a target; None where none is to.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
    """
    if attributes.get("stickiness.enabled") != "true":
        return None
    if attributes.get("stickiness.type") == "app_cookie":  # the application's own, from when on it gives one
        return {"cookie": {"name": attributes.get("stickiness.app_cookie.cookie_name", "")}}
    seconds = attributes.get("stickiness.lb_cookie.duration_seconds", "86400")
    return {"cookie": {"name": STAYS, "ttl": f"{seconds}s", "path": "/"}}


def _routes(rule: Json, clusters: Mapping[str, str]) -> list[Json]:
    paths, wanted = ["*"], list[Json]()
    query: list[Json] = []
    for condition in rule.get("Conditions", []):
        match condition["Field"]:
            case "path-pattern":
                paths = _values(condition, "PathPatternConfig")
            case "host-header":
                hosts = _any(_values(condition, "HostHeaderConfig"), ignore_case=True)
                wanted.append(_header(":authority", f"{hosts}(:[0-9]+)?"))
            case "http-header":
                named = condition["HttpHeaderConfig"]
                wanted.append(_header(named["HttpHeaderName"], _any(named["Values"], ignore_case=True)))
            case "http-request-method":
                wanted.append(_header(":method", _any(_values(condition, "HttpRequestMethodConfig"))))
            case "query-string":
                query += [_query(one) for one in condition["QueryStringConfig"]["Values"] if one.get("Key")]
    found = []
    for path in paths:
        match: Json = {"safe_regex": {"regex": _glob(path)}, "headers": wanted, "query_parameters": query}
        found += [{"match": {**match, "headers": [*wanted, *more]}, **act} for more, act in _acts(rule, clusters)]
    return found


def _acts(rule: Json, clusters: Mapping[str, str]) -> list[tuple[list[Json], Json]]:
    """What is done, each with the headers that it takes to come to it; the last needs none."""
    for action in rule["Actions"]:
        match action["Type"]:
            case "forward":
                return _forward(rule, action, clusters)
            case "redirect":
                return [([], {"redirect": _redirect(action["RedirectConfig"])})]
            case "fixed-response":
                fixed = action["FixedResponseConfig"]
                body = {"body": {"inline_string": fixed["MessageBody"]}} if fixed.get("MessageBody") else {}
                return [([], {"direct_response": {"status": int(fixed["StatusCode"]), **body}})]
    return [([], _unavailable())]


def _forward(rule: Json, action: Json, clusters: Mapping[str, str]) -> list[tuple[list[Json], Json]]:
    groups = [(clusters[arn], weight) for arn, weight in forwarded(rule) if arn in clusters]
    asked = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    sticky = int(asked.get("DurationSeconds") or 0) if asked.get("Enabled") else 0
    weighted = [_weighted(cluster, weight, sticky) for cluster, weight in groups if weight]
    last = {"route": {"timeout": "0s", "weighted_clusters": {"clusters": weighted}}} if weighted else _unavailable()
    if not sticky:
        return [([], last)]
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html: a client with a cookie
    # goes to the group that the cookie names for as long as that is one of the rule's.
    again = [
        (
            [_header("cookie", f"(.*; ?)?{STICKY}={re.escape(_mark(cluster))}(;.*)?")],
            {"route": {"timeout": "0s", "cluster": cluster}},
        )
        for cluster, _ in groups
    ]
    return [*again, ([], last)]


def _weighted(cluster: str, weight: int, sticky: int) -> Json:
    if not sticky:
        return {"name": cluster, "weight": weight}
    cookie = f"{STICKY}={_mark(cluster)}; Max-Age={sticky}; Path=/"
    header = {"header": {"key": "Set-Cookie", "value": cookie}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
    return {"name": cluster, "weight": weight, "response_headers_to_add": [header]}


def _mark(cluster: str) -> str:
    """What a cookie names a group by."""
    return cluster.rsplit("/", 1)[-1]


def _unavailable() -> Json:
    """No group has a weight.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html, HTTP 503
    """
    return {"direct_response": {"status": 503}}


def _redirect(asked: Json) -> Json:
    """What AWS keeps with `#{host}` and the like, Envoy keeps by itself."""
    found: Json = {"response_code": "FOUND" if asked.get("StatusCode") == "HTTP_302" else "MOVED_PERMANENTLY"}
    if not _KEEP.fullmatch(asked.get("Protocol", "#{protocol}")):
        found["scheme_redirect"] = asked["Protocol"].lower()
    if not _KEEP.fullmatch(asked.get("Host", "#{host}")):
        found["host_redirect"] = asked["Host"]
    if not _KEEP.fullmatch(asked.get("Port", "#{port}")):
        found["port_redirect"] = int(asked["Port"])
    if not _KEEP.search(asked.get("Path", "/#{path}")):
        found["path_redirect"] = asked["Path"]
    return found


def _values(condition: Json, config: str) -> list[str]:
    """Also of the older form, which has them beside the field."""
    values: list[str] = condition.get(config, {}).get("Values") or condition.get("Values") or []
    return values


def _header(name: str, pattern: str) -> Json:
    return {"name": name, "string_match": {"safe_regex": {"regex": pattern}}}


def _query(one: dict[str, Any]) -> Json:
    return {"name": one["Key"], "string_match": {"safe_regex": {"regex": _glob(one["Value"])}}}


def _any(patterns: list[str], *, ignore_case: bool = False) -> str:
    return f"{'(?i)' if ignore_case else ''}({'|'.join(map(_glob, patterns))})"


def _glob(pattern: str) -> str:
    """`*` is anything, `?` is one character."""
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
