"""Who may call what answers over the network, as each interface or device has it."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.statements import Statement, documents, statements
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource

_REST, _HTTP = "aws_api_gateway_rest_api", "aws_apigatewayv2_api"
_DEVICES = ("iot:Connect", "iot:Publish", "iot:Subscribe", "iot:UpdateThingShadow", "iot:GetThingShadow")


def unasked(inventory: Inventory) -> Iterator[Mark]:
    for method in inventory.of("aws_api_gateway_method"):
        # Browsers ask OPTIONS before they send anything that says who they are.
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
    for api in inventory.referred(method, "rest_api_id", _REST):
        if "PRIVATE" in (first(api.values, "endpoint_configuration", "types") or ()):
            return True
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
