"""Secrets in whatever a plan has as text: scripts, packed ones too, documents, steps, and words of a command."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.unit.aws.audit.test_kinds import found, made

from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.resources.plan import Plan
from crossfade.aws.resources.resource import Resource

WORD = "hunter2" + "hunter2"
RANDOM = "q8Zr1tYw6Kp3Vb9X" + "c2Ns5Mf7Jh4Lg0Da"  # in two parts, so that no scanner takes it for a real one


def told(*resources: Resource) -> bool:
    return bool({id_ for id_, _ in found(*resources)} & {"CF-SEC-001", "CF-SEC-012"})


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f'echo "DB_PASSWORD={WORD}" >> /etc/environment', True),
        (f"docker run -d -e API_TOKEN={WORD} -e DEBUG=1 shop", True),
        (f"A=1 PGPASSWORD={WORD} psql -h db", True),
        (f"      db_password: {WORD}", True),
        (f'{{"env": {{"DB_PASSWORD": "{WORD}"}}}}', True),
        (f"app --db-password {WORD}", True),
        ("aws secretsmanager get-secret-value --secret-id shop/db", False),
        ("docker login --password-stdin registry.example.com", False),
        ("PASSWORD=$(aws ssm get-parameter --name /db)", False),
        ("app --token $TOKEN --password-file /run/secrets/db", False),
        ("# password: see the wiki", False),
        ("docker build --secret id=npm,env=NPM_TOKEN .", False),
        ("DB_PASSWORD=arn:aws:secretsmanager:eu-west-1:1:secret:db", False),
    ],
)
def test_a_secret_is_found_wherever_it_stands_in_a_script(line: str, *, secret: bool) -> None:
    """At the beginning of a line or within one; as it is, in Base64, and packed."""
    script = f"#!/bin/sh\n{line}\n"
    packed = base64.b64encode(gzip.compress(script.encode())).decode()
    for values in ({"user_data": script}, {"user_data_base64": packed}):
        assert told(made("aws_instance.h", **values)) is secret


def test_a_script_that_unpacks_to_more_than_any_host_takes_is_read_as_far_as_it_goes() -> None:
    """A gigabyte of zeros is somebody's joke, and what is damaged is no script."""
    bomb = base64.b64encode(gzip.compress(b"DB_PASSWORD=x1y2z3\n" + b"0" * 50_000_000)).decode()
    assert told(made("aws_instance.h", user_data_base64=bomb))
    assert not told(made("aws_instance.h", user_data_base64=base64.b64encode(b"\x1f\x8bnot gzip").decode()))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_eks_addon", {"configuration_values": json.dumps({"env": {"DB_PASSWORD": WORD}})}),
        ("aws_s3_object", {"content": f"DB_PASSWORD={WORD}\n"}),
        ("aws_codebuild_project", {"source": [{"buildspec": f"env:\n  variables:\n    NPM_TOKEN: {WORD}\n"}]}),
        ("aws_cloudformation_stack", {"parameters": {"DBPassword": WORD}}),
        ("aws_mskconnect_connector", {"connector_configuration": {"database.password": WORD}}),
    ],
)
def test_what_others_are_given_is_read(kind: str, values: Any) -> None:
    """Add-ons, objects, builds, stacks and connectors."""
    assert told(made(f"{kind}.x", **values))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_cloudfront_distribution", {"origin": [{"custom_header": [{"name": "X-Secret", "value": WORD}]}]}),
        (
            "aws_cloudwatch_event_connection",
            {"auth_parameters": [{"api_key": [{"key": "x-api-key", "value": WORD}]}]},
        ),
    ],
)
def test_what_others_are_shown_is_a_secret_that_need_not_be_typed(kind: str, values: Any) -> None:
    """A header or a key for a target has to be there; from a variable it is where it belongs."""
    assert told(replace(made(f"{kind}.x", **values), written=values))
    assert not told(made(f"{kind}.x", **values))


def test_what_a_build_fetches_is_no_secret() -> None:
    """Names of variables with the place of each; what stands beside them is."""
    fetched = (
        "env:\n  secrets-manager:\n    NPM_TOKEN: app/npm:token\n    KEY: app/key\n  variables:\n    STAGE: prod\n"
    )
    build = "aws_codebuild_project.b"
    assert not told(made(build, source=[{"buildspec": fetched}]))
    assert told(made(build, source=[{"buildspec": f"{fetched}    NPM_TOKEN: {WORD}\n"}]))


LOOKED_UP = {"parameter-store": {"API_TOKEN": "api_token"}, "secrets-manager": {"DB_PASSWORD": "prod/db:password"}}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_codebuild_project", {"source": [{"buildspec": yaml.safe_dump({"env": LOOKED_UP})}]}),
        ("aws_codebuild_project", {"source": [{"buildspec": json.dumps({"env": LOOKED_UP})}]}),
        ("aws_codebuild_project", {"source": [{"buildspec": "env:\n  secrets-manager: {DB_PASSWORD: prod/db}\n"}]}),
        ("aws_codebuild_project", {"source": [{"buildspec": "env:\n  parameter-store: # of SSM\n    TOKEN: a/b\n"}]}),
        ("aws_cloudformation_stack", {"template_body": "Properties:\n  MasterUserPassword: !Ref DatabasePassword\n"}),
    ],
)
def test_where_a_secret_is_looked_up_it_does_not_stand(kind: str, values: Any) -> None:
    """By its name in a store of AWS, or by that of a stack's parameter."""
    assert not told(made(f"{kind}.x", **values))


def test_what_stands_behind_names_of_secrets_is_read() -> None:
    """The next section of a build has variables as they are."""
    spec = yaml.safe_dump({"env": {**LOOKED_UP, "variables": {"NPM_TOKEN": WORD}}})
    assert told(made("aws_codebuild_project.x", source=[{"buildspec": spec}]))


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("aws_codebuild_source_credential", {"token": WORD}),
        ("aws_codepipeline_webhook", {"authentication_configuration": [{"secret_token": WORD}]}),
        ("aws_amplify_app", {"access_token": WORD}),
        ("aws_elasticache_user", {"passwords": [WORD]}),
        ("aws_db_instance", {"password_wo": WORD}),
        ("aws_secretsmanager_secret_version", {"secret_string": json.dumps({"password": WORD})}),
        ("terraform_data", {"provisioner": [{"command": f"export DB_PASSWORD={WORD}; make"}]}),
        ("terraform_data", {"provisioner": [{"environment": {"API_TOKEN": WORD}}]}),
        ("aws_instance", {"provisioner": [{"inline": ["set -e", f"export DB_PASSWORD={WORD}"]}]}),
    ],
)
def test_what_somebody_typed_is_found_by_its_name(kind: str, written: Any) -> None:
    """Whatever has it: an argument, a document, or a step that Terraform runs."""
    assert told(replace(made(f"{kind}.x"), written=written))


def test_a_document_that_has_no_secret_is_none() -> None:
    """The name of a user and a host may stand there."""
    kind = "aws_secretsmanager_secret_version"
    harmless = {"secret_string": json.dumps({"username": "shop", "host": "db"})}
    assert not told(replace(made(f"{kind}.x"), written=harmless))


@pytest.mark.parametrize(("value", "secret"), [("test", False), (RANDOM, True), ("AKIA" + "ABCDEFGHIJKLMNOP", True)])
def test_a_provider_signs_in_with_what_stands_there(value: str, *, secret: bool) -> None:
    """By what it is: a test has `secret_key = "test"`."""
    signed = Resource(address="provider.aws.x", type="provider", written={"secret_key": value})
    plan = Plan(resources=(made("aws_vpc.v"),), providers=(signed,))
    marks = [(one.rule.id, one.where) for one in audit_plan(plan, "plan.json")]
    assert (("CF-SEC-012", "provider.aws.x") in marks) is secret
