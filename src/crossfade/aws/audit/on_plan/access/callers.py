"""Who may call what answers over the network, as each interface or device has it."""

from collections.abc import Iterator, Mapping
from typing import Any

from yaml import YAMLError

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.statements import Statement, documents, statements
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.aws.tables import as_typed

_REST, _HTTP = "aws_api_gateway_rest_api", "aws_apigatewayv2_api"
# Of OpenAPI; browsers ask OPTIONS before they send anything that says who they are.
_VERBS = frozenset({"get", "put", "post", "delete", "patch", "head", "trace", "x-amazon-apigateway-any-method"})
_AUTH = "x-amazon-apigateway-auth"
_DEVICES = ("iot:Connect", "iot:Publish", "iot:Subscribe", "iot:UpdateThingShadow", "iot:GetThingShadow")


def unasked(inventory: Inventory) -> Iterator[Mark]:
    for method in inventory.of("aws_api_gateway_method"):
        preflight = method.values.get("http_method") == "OPTIONS"
        open_ = method.values.get("authorization") == "NONE" and not is_on(method.values.get("api_key_required"))
        if open_ and not preflight and not _is_guarded(inventory, method):
            yield Mark(method.address, f"authorization is NONE: {method.values.get('http_method')} is for everybody")
    for route in inventory.of("aws_apigatewayv2_route"):
        key = str(route.values.get("route_key"))
        # Of a WebSocket only who connects can be asked.
        later = not key.startswith("$connect") and _speaks(inventory, route) == "WEBSOCKET"
        if _is_open(route) and not later and not key.startswith("OPTIONS "):
            yield Mark(route.address, f"authorization_type is NONE: {key} is for everybody")
    for api in inventory.of(_HTTP):
        if api.values.get("target") or "target" in api.refers:
            yield Mark(api.address, "target is set: a route of its own, which cannot ask anybody who they are")
    for api in inventory.of(_REST, _HTTP):
        if not _lets_some_in(inventory, api):
            for called in _unasked_in(api.values.get("body")):
                yield Mark(api.address, f"body has no security for {called}: it is for everybody")


def _unasked_in(body: Any) -> Iterator[str]:
    """Operations of an interface as OpenAPI describes it, in JSON or YAML."""
    document = _described(body)
    paths = document.get("paths")
    for path, operations in paths.items() if isinstance(paths, Mapping) else ():
        for verb, operation in operations.items() if isinstance(operations, Mapping) else ():
            if str(verb).lower() in _VERBS and isinstance(operation, Mapping):
                own = operation.get("security", document.get("security"))
                if not own and not _asks(operation.get(_AUTH, document.get(_AUTH))):
                    yield f"{str(verb).upper()} {path}"


def _asks(auth: Any) -> bool:
    """AWS's own extension, whose type is NONE where everybody may."""
    return isinstance(auth, Mapping) and str(auth.get("type", "NONE")).upper() != "NONE"


def _described(body: Any) -> Mapping[str, Any]:
    """As typed: a version that looks like a date, and is none, stops nobody from reading the rest."""
    try:
        read = as_typed(body) if isinstance(body, str) else None
    except (YAMLError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, Mapping) else {}


def _is_open(route: Resource) -> bool:
    known = "authorization_type" not in route.later
    return known and route.values.get("authorization_type", "NONE") == "NONE"


def _speaks(inventory: Inventory, route: Resource) -> str:
    """Its protocol: of the interface it belongs to, or by what its key looks like."""
    for api in inventory.referred(route, "api_id", _HTTP):
        return str(api.values.get("protocol_type"))
    key = str(route.values.get("route_key"))
    return "HTTP" if "/" in key or key == "$default" else "WEBSOCKET"


def _is_guarded(inventory: Inventory, method: Resource) -> bool:
    """By being reached from inside alone, or by a policy that lets only some in."""
    return any(_lets_some_in(inventory, api) for api in inventory.referred(method, "rest_api_id", _REST))


def _lets_some_in(inventory: Inventory, api: Resource) -> bool:
    if "PRIVATE" in (first(api.values, "endpoint_configuration", "types") or ()):
        return True
    if api.type == _REST:
        for holder in (api, *inventory.referring(api, "aws_api_gateway_rest_api_policy")):
            read = list(statements(inventory, holder))
            hidden = "policy" in holder.later and not documents(inventory, holder, "policy")
            if hidden or (read and not any(one.anybody for one in read)):
                return True
    return False


def any_device(inventory: Inventory) -> Iterator[Mark]:
    """Policies of devices that do not name the device: one that is stolen speaks for all."""
    for policy in inventory.of("aws_iot_policy"):
        for one in statements(inventory, policy):
            if one.widely and not one.limited and (may := _of_devices(one)):
                yield Mark(policy.address, f"allows {', '.join(may)} on {min(one.resources, key=len)}")


def _of_devices(one: Statement) -> list[str]:
    if one.everything:
        return ["*"]
    return list(dict.fromkeys(pattern for action in _DEVICES if (pattern := one.permits(action))))


CHECKS = {"CF-NET-013": unasked, "CF-SEC-023": any_device}
