"""Who may call, take on and read: interfaces, devices, vendors, keys, and what the state keeps."""

import json
from typing import Any

import pytest
import yaml
from tests.unit.aws.audit.test_kinds import found, made, policy

from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.resources.plan import understand
from crossfade.aws.resources.resource import Resource

ROLE = "aws_iam_role.x"
VENDOR, STRANGER = "arn:aws:iam::464622532012:root", "arn:aws:iam::999988887777:root"


def trusting(who: Any, condition: Any = None) -> Resource:
    tested = {"Condition": condition} if condition else {}
    return made(ROLE, assume_role_policy=policy(Action="sts:AssumeRole", Principal={"AWS": who}, **tested))


@pytest.mark.parametrize(
    ("who", "condition", "open_"),
    [
        (VENDOR, None, True),
        ("464622532012", None, True),
        ("arn:aws:iam::464622532012:role/crawler", None, True),
        (VENDOR, {"StringLike": {"sts:ExternalId": "*"}}, True),
        (VENDOR, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, True),
        (VENDOR, {"StringEquals": {"sts:ExternalId": "5f0c6a"}}, False),
        ("arn:aws:iam::123456789012:root", None, False),
    ],
)
def test_a_vendor_says_for_whom_it_comes(who: str, condition: Any, *, open_: bool) -> None:
    """By an id that is this team's alone, whichever role of its own it comes with."""
    assert (("CF-SEC-018", ROLE) in found(trusting(who, condition))) is open_


@pytest.mark.parametrize(
    ("who", "condition", "beside", "found_"),
    [
        (STRANGER, None, (), True),
        ("999988887777", None, (), True),
        ("arn:aws:iam::999988887777:role/pipeline", None, (), False),
        (STRANGER, {"StringEquals": {"sts:ExternalId": "5f0c6a"}}, (), False),
        (STRANGER, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, (), False),
        (STRANGER, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, (), False),
        (STRANGER, None, (made("provider.aws", allowed_account_ids=["999988887777"]),), False),
        (STRANGER, None, (made("aws_ecr_repository.x", arn="arn:aws:ecr:us-east-1:999988887777:repository/a"),), False),
        (STRANGER, None, (made("aws_ecr_repository.x", arn="arn:aws:ecr:us-east-1:123456789012:repository/a"),), True),
    ],
)
def test_all_of_another_account_is_told_unless_it_is_ones_own(
    who: str, condition: Any, beside: tuple[Resource, ...], *, found_: bool
) -> None:
    """What stands elsewhere in the plan is the team's; one role of it, or a test of who asks, is no finding."""
    assert (("CF-SEC-019", ROLE) in found(trusting(who, condition), *beside)) is found_


def test_whose_account_it_is_was_looked_up_while_it_was_planned() -> None:
    """Terraform knows before it plans; new resources have no numbers yet."""
    role = {"address": ROLE, "mode": "managed", "type": "aws_iam_role", "values": dict(trusting(STRANGER).values)}
    known = {"address": "data.aws_caller_identity.me", "mode": "data", "type": "aws_caller_identity"}
    document = {
        "planned_values": {"root_module": {"resources": [role]}},
        "configuration": {"root_module": {}},
        "prior_state": {
            "values": {"root_module": {"resources": [{**known, "values": {"account_id": "999988887777"}}]}}
        },
    }
    ids = {one.rule.id for one in audit_plan(understand(document, "plan.json"), "plan.json")}
    assert "CF-SEC-019" not in ids
    del document["prior_state"]
    ids = {one.rule.id for one in audit_plan(understand(document, "plan.json"), "plan.json")}
    assert "CF-SEC-019" in ids


@pytest.mark.parametrize(
    ("action", "resource", "condition", "wide"),
    [
        ("kms:Decrypt", "*", None, True),
        ("kms:*", "*", None, True),
        ("kms:ReEncrypt*", "arn:aws:kms:*:*:key/*", None, True),
        ("kms:Decrypt", "arn:aws:kms:us-east-1:1:key/0", None, False),
        ("kms:Encrypt", "*", None, False),
        ("kms:Decrypt", "*", {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, False),
        ("kms:Decrypt", "*", {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
    ],
)
def test_who_decrypts_with_every_key(action: str, resource: str, condition: Any, *, wide: bool) -> None:
    """A condition on the service narrows it, one on how somebody asks does not; encrypting gives nothing away."""
    tested = {"Condition": condition} if condition else {}
    text = policy(Action=action, Resource=resource, **tested)
    assert (("CF-SEC-017", "aws_iam_policy.x") in found(made("aws_iam_policy.x", policy=text))) is wide


@pytest.mark.parametrize(
    ("action", "resource", "rule", "wide"),
    [
        ("s3:GetObject", "*", "CF-SEC-027", True),
        ("s3:Get*", "arn:aws:s3:::*", "CF-SEC-027", True),
        ("dynamodb:Scan", "arn:aws:dynamodb:*:*:table/*", "CF-SEC-027", True),
        ("s3:*", "*", "CF-SEC-027", False),
        ("s3:GetObject", "arn:aws:s3:::acme-*/*", "CF-SEC-027", False),
        ("s3:ListAllMyBuckets", "*", "CF-SEC-027", False),
        ("ssm:GetParameter*", "*", "CF-SEC-004", True),
        ("ssm:GetParameters", "arn:aws:ssm:us-east-1:1:parameter/*", "CF-SEC-004", True),
        ("ssm:GetParameters", "arn:aws:ssm:us-east-1:1:parameter/shop/*", "CF-SEC-004", False),
        ("ssm:DescribeParameters", "*", "CF-SEC-004", False),
        ("s3:PutBucketPolicy", "*", "CF-SEC-028", True),
        ("kms:CreateGrant", "arn:aws:kms:*:*:key/*", "CF-SEC-028", True),
        ("s3:PutBucketPolicy", "arn:aws:s3:::acme-site", "CF-SEC-028", False),
        ("s3:PutObject", "*", "CF-SEC-028", False),
        ("cloudtrail:Stop*", "*", "CF-SEC-029", True),
        ("cloudtrail:LookupEvents", "*", "CF-SEC-029", False),
        ("logs:DeleteLogGroup", "arn:aws:logs:us-east-1:1:log-group:/shop/*", "CF-SEC-029", False),
    ],
)
def test_who_has_everything_that_is_there(action: str, resource: str, rule: str, *, wide: bool) -> None:
    """Data, secret parameters, what gives them away and what hides that; all of a service is apart."""
    text = policy(Action=action, Resource=resource)
    assert ((rule, "aws_iam_policy.x") in found(made("aws_iam_policy.x", policy=text))) is wide


REST, METHOD = "aws_api_gateway_rest_api.a", "aws_api_gateway_method.m"
OPEN = {"authorization": "NONE", "http_method": "GET"}
OF_REST = {"rest_api_id": (REST,)}
ONE_NETWORK = policy(
    Principal="*", Action="execute-api:Invoke", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
)


@pytest.mark.parametrize(
    ("method", "beside", "asked"),
    [
        (OPEN, (made(REST),), False),
        ({**OPEN, "http_method": "OPTIONS"}, (made(REST),), True),
        ({**OPEN, "api_key_required": True}, (made(REST),), True),
        ({**OPEN, "authorization": "AWS_IAM"}, (made(REST),), True),
        (OPEN, (made(REST, endpoint_configuration=[{"types": ["PRIVATE"]}]),), True),
        (OPEN, (made(REST, policy=ONE_NETWORK),), True),
        (OPEN, (made(REST, policy=policy(Principal="*", Action="execute-api:Invoke")),), False),
        (OPEN, (made(REST), made("aws_api_gateway_rest_api_policy.p", OF_REST, policy=ONE_NETWORK)), True),
    ],
)
def test_a_method_asks_who_comes_or_is_not_for_everybody(
    method: Any, beside: tuple[Resource, ...], *, asked: bool
) -> None:
    """By itself, by a key, by being inside, or by the policy of its interface; a browser's first question is free."""
    assert (("CF-NET-013", METHOD) not in found(made(METHOD, OF_REST, **method), *beside)) is asked


SAID = {"get": {"security": [{"users": []}]}}


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ({"paths": {"/a": {"get": {}}}}, False),
        ({"paths": {"/a": {"x-amazon-apigateway-any-method": {}}}}, False),
        ({"paths": {"/a": {**SAID, "post": {"security": []}}}}, False),
        ({"paths": {"/a": SAID}}, True),
        ({"paths": {"/a": {**SAID, "options": {}, "parameters": []}}}, True),
        ({"security": [{"users": []}], "paths": {"/a": {"get": {}}}}, True),
        ({"paths": {"/a": {"get": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}}}}, True),
        ({"paths": {"/a": {"get": {"x-amazon-apigateway-auth": {"type": "NONE"}}}}}, False),
        ({"paths": None}, True),
    ],
)
def test_an_interface_that_is_described_says_whom_it_asks(document: Any, *, asked: bool) -> None:
    """For each operation, or for all; in JSON or in YAML. One that is reached from inside asks by being there."""
    for body in (json.dumps(document), yaml.safe_dump(document)):
        assert (("CF-NET-013", REST) not in found(made(REST, body=body))) is asked
        inside = [{"types": ["PRIVATE"]}]
        assert ("CF-NET-013", REST) not in found(made(REST, body=body, endpoint_configuration=inside))
    assert ("CF-NET-013", REST) not in found(made(REST, body="{not: [a description"))


@pytest.mark.parametrize("version", ["2024-13-99", "0x_", "!Sub x"])
def test_a_version_that_yaml_takes_for_something_else_hides_nothing(version: str) -> None:
    """What YAML takes for a date, a number or a tag, and is none, is a text, and the rest is looked at."""
    body = f"info: {{version: {version}}}\npaths: {{/a: {{get: {{}}}}}}"
    assert ("CF-NET-013", REST) in found(made(REST, body=body))


HTTP, ROUTE = "aws_apigatewayv2_api.a", "aws_apigatewayv2_route.r"


@pytest.mark.parametrize(
    ("protocol", "key", "kind", "asked"),
    [
        ("HTTP", "GET /", None, False),
        ("HTTP", "$default", "NONE", False),
        ("HTTP", "GET /", "JWT", True),
        ("HTTP", "OPTIONS /{proxy+}", None, True),
        ("WEBSOCKET", "$connect", None, False),
        ("WEBSOCKET", "send", None, True),
        ("WEBSOCKET", "$default", None, True),
    ],
)
def test_a_route_asks_and_a_socket_asks_once(protocol: str, key: str, kind: str | None, *, asked: bool) -> None:
    """Who is connected was asked when he came."""
    said = {"authorization_type": kind} if kind else {}
    route = made(ROUTE, {"api_id": (HTTP,)}, route_key=key, **said)
    assert (("CF-NET-013", ROUTE) not in found(route, made(HTTP, protocol_type=protocol))) is asked


def test_an_interface_that_is_made_with_its_target_asks_nobody() -> None:
    """Its only route has no authorizer."""
    assert ("CF-NET-013", HTTP) in found(
        made(HTTP, protocol_type="HTTP", target="arn:aws:lambda:us-east-1:1:function:f")
    )
    assert ("CF-NET-013", HTTP) not in found(made(HTTP, protocol_type="HTTP"))


@pytest.mark.parametrize(
    ("action", "resource", "any_"),
    [
        ("iot:*", "*", True),
        ("*", "*", True),
        ("iot:Publish", "arn:aws:iot:us-east-1:1:topic/*", True),
        ("iot:Connect", "arn:aws:iot:us-east-1:1:client/*", True),
        ("iot:Publish", "arn:aws:iot:us-east-1:1:topic/dt/${iot:Connection.Thing.ThingName}/*", False),
        ("iot:Subscribe", "arn:aws:iot:us-east-1:1:topicfilter/news/*", False),
        ("iot:Receive", "*", False),
    ],
)
def test_a_device_speaks_for_itself(action: str, resource: str, *, any_: bool) -> None:
    """It may hear what it subscribed to; what it says and asks for is its own."""
    name = "aws_iot_policy.x"
    assert (("CF-SEC-023", name) in found(made(name, policy=policy(Action=action, Resource=resource)))) is any_


@pytest.mark.parametrize(
    ("kind", "kept", "not_kept"),
    [
        ("aws_iam_access_key", {"user": "ci"}, {"user": "ci", "pgp_key": "keybase:ops"}),
        ("aws_iam_user_login_profile", {"user": "ann"}, {"user": "ann", "pgp_key": "keybase:ops"}),
        ("aws_iot_certificate", {"active": True}, {"active": True, "csr": "-----BEGIN CERTIFICATE REQUEST-----"}),
        ("aws_lightsail_key_pair", {}, {"public_key": "ssh-ed25519 AAAA"}),
    ],
)
def test_a_key_that_is_made_here_is_in_the_state(kind: str, kept: Any, not_kept: Any) -> None:
    """Unless it is sealed for somebody, or its secret part was made elsewhere."""
    assert ("CF-SEC-020", f"{kind}.x") in found(made(f"{kind}.x", **kept))
    assert ("CF-SEC-020", f"{kind}.x") not in found(made(f"{kind}.x", **not_kept))


@pytest.mark.parametrize(
    ("kind", "values", "refers", "kept"),
    [
        ("aws_db_instance", {"password": "from elsewhere"}, {}, True),
        ("aws_db_instance", {}, {"password": ("random_password.p",)}, True),
        ("aws_db_instance", {"manage_master_user_password": True}, {}, False),
        ("aws_db_instance", {"password_wo_version": 1}, {}, False),
        ("aws_secretsmanager_secret_version", {}, {"secret_string": ("random_password.p",)}, True),
        ("aws_ssm_parameter", {"type": "SecureString", "value": "from elsewhere"}, {}, True),
        ("aws_ssm_parameter", {"type": "String", "value": "10"}, {}, False),
    ],
)
def test_what_terraform_is_given_it_keeps(kind: str, values: Any, refers: Any, *, kept: bool) -> None:
    """As text, whoever made it; a write-only argument is not kept."""
    assert (("CF-SEC-021", f"{kind}.x") in found(made(f"{kind}.x", refers, **values))) is kept


def test_what_only_the_apply_tells_is_kept_all_the_same() -> None:
    """That it is kept is known though the secret is not."""
    kind = "aws_secretsmanager_secret_version"
    later = Resource(address=f"{kind}.x", type=kind, later=frozenset({"secret_string"}))
    assert ("CF-SEC-021", later.address) in found(later)


def test_the_name_of_a_secret_is_none() -> None:
    """DB_SECRET=prod/shop/db says which one; a password that stands there is one all the same."""
    task = "aws_lambda_function.f"
    for value, secret in (("prod/shop/db", False), ("hunter2-hunter2", True)):
        made_ = made(task, environment=[{"variables": {"DB_SECRET": value}}])
        assert (("CF-SEC-001", task) in found(made_)) is secret


def test_who_signed_in_comes_back_over_tls() -> None:
    """But to his own machine."""
    name = "aws_cognito_user_pool_client.c"
    for url, plain in (("http://shop.example.com/back", True), ("https://shop.example.com", False),
                       ("http://localhost:3000/back", False), ("http://localhost.example.com/back", True),
                       ("http://[::1]", False), ("myapp://back", False)):  # fmt: skip
        assert (("CF-TLS-001", name) in found(made(name, callback_urls=[url]))) is plain
