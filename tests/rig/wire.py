"""AWS's wire formats, both ways, for any operation: botocore's models with moto's parsers and serialisers.

They are moto's internals, which is why moto is pinned.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from werkzeug.datastructures import MultiDict

if TYPE_CHECKING:  # whoever only names what is in a call loads nothing of moto, which takes a second
    from moto.core.model import OperationModel, ServiceModel

Json = dict[str, Any]

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
# Names that requests are signed with, where botocore calls the service otherwise.
_SIGNED_AS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
FORM = "application/x-www-form-urlencoded"


class AwsError(Exception):
    """An answer that says no. `status` is HTTP's; `more` is what it says besides, in JSON alone."""

    def __init__(self, code: str, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.more = code, message, status, more


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """One request of a client. `params` has the names of the API's reference; empty where they were not asked for."""

    service: str
    operation: str
    region: str
    protocol: str
    params: Json = field(default_factory=dict)


def read(method: str, url: str, headers: Mapping[str, str], body: bytes, *, mine: bool) -> Call:
    """Whose request this is; its parameters only where they are wanted."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    if scope is None:
        return Call("", "", "us-east-1", "")
    service = _SIGNED_AS.get(scope["service"], scope["service"])
    split = urlsplit(url)
    form = headers.get("Content-Type", "").startswith(FORM)
    from moto.core.parse import PROTOCOL_PARSERS

    values = MultiDict(parse_qsl(body.decode() if form else split.query, keep_blank_values=True))
    named: dict[str, str] = {}
    if target := headers.get("X-Amz-Target"):
        protocol, operation = "json", target.rsplit(".", 1)[-1]
    elif form:
        protocol, operation = "query", values.get("Action", "")
    else:
        way = _way_of(service, method, split.path, values.to_dict(), headers)
        protocol, operation = (_model(service).protocol, way.name) if way else ("rest-json", "")
        named = way.parameters(split.path) if way else {}
    params: Json = {}
    if mine:
        asked: Any = {"method": method, "values": values, "headers": headers, "body": body}
        asked |= {"url_path": split.path, "url_params": named}
        params = _plain(PROTOCOL_PARSERS[protocol](_operation(service, operation)).parse(asked))
    return Call(service, operation, scope["region"], protocol, params)


def answer(call: Call, result: Json) -> Answer:
    """`result`, with the names of the API's reference, in the protocol that the client speaks."""
    from moto.core.serialize import get_serializer_class

    serialise = get_serializer_class(call.service, call.protocol)
    made = serialise(operation_model=_operation(call.service, call.operation)).serialize(result)
    body = made["body"]
    return Answer(int(made["status_code"]), dict(made["headers"]), body if isinstance(body, bytes) else body.encode())


def refusal(call: Call, error: AwsError) -> Answer:
    if call.protocol in ("json", "rest-json"):
        said = {"__type": error.code, "message": error.message, "Message": error.message, **error.more}
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
        return Answer(error.status, headers, json.dumps(said).encode())
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    if call.service == "s3":
        text = f"<Error>{inner}</Error>"
    if call.service == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors></Response>"
    return Answer(error.status, {"Content-Type": "text/xml"}, text.encode())


@cache
def _model(service: str) -> "ServiceModel":
    from moto.core.utils import get_service_model

    return get_service_model(service)


@cache
def _operation(service: str, operation: str) -> "OperationModel":
    found: OperationModel = _model(service).operation_model(operation)
    return found


def _plain(value: Any) -> Any:
    """Without moto's dictionary that knows each name twice."""
    if hasattr(value, "items"):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class _Way:
    """How an operation of a REST protocol is asked for: what must be in its query and its headers."""

    name: str
    verb: str
    path: "re.Pattern[str]"  # with a group for each parameter
    named: tuple[str, ...]
    said: dict[str, str]  # in the query, with this value
    needed: frozenset[str]  # in the query, whatever its value
    headers: frozenset[str]

    def fits(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str]) -> bool:
        return (
            self.verb == method
            and self.path.fullmatch(path) is not None
            and self.said.items() <= query.items()
            and self.needed <= query.keys()
            and all(name in headers for name in self.headers)
        )

    def parameters(self, path: str) -> dict[str, str]:
        """Those that are in the path, by their names."""
        found = self.path.fullmatch(path)
        return {name: unquote(text) for name, text in zip(self.named, found.groups(), strict=True)} if found else {}

    @property
    def strictness(self) -> int:
        return len(self.said) + len(self.needed) + len(self.headers)


def _way_of(service: str, method: str, path: str, query: dict[str, str], headers: Mapping[str, str]) -> _Way | None:
    """That which asks for most of what is there; None where none fits, or there is no such service."""
    fitting = [way for way in _ways(service) if way.fits(method, path, query, headers)]
    return min(fitting, key=lambda way: (-way.strictness, way.name)) if fitting else None


@cache
def _ways(service: str) -> tuple[_Way, ...]:
    try:
        model = _model(service)
    except Exception:  # noqa: BLE001  moto says it in several ways
        return ()
    return tuple(_way(model.operation_model(name)) for name in model.operation_names)


def _way(operation: "OperationModel") -> _Way:
    path, _, query = operation.http["requestUri"].partition("?")
    text = re.sub(r"\\\{[^}]*\\\+\\\}", "(.+)", re.escape(path))
    text = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", text)
    named = tuple(re.findall(r"\{([^}+]*)\+?\}", path))
    shape = operation.input_shape
    members = [shape.members[name] for name in shape.required_members] if shape else []

    def needed(place: str) -> frozenset[str]:
        return frozenset(one.serialization["name"] for one in members if one.serialization.get("location") == place)

    said = dict(parse_qsl(query, keep_blank_values=True))
    verb = operation.http["method"]
    return _Way(operation.name, verb, re.compile(text), named, said, needed("querystring"), needed("header"))
