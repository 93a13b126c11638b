"""What of a plan should be secret and is not."""

import json
import re
from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.attributes import is_given
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.audit.on_plan.texts import shown, texts, variables, written_texts
from crossfade.aws.audit.secret import looks_secret
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource
from crossfade.telling.secrecy import secret_in

_HOSTS = ("aws_instance", "aws_launch_template", "aws_launch_configuration", "aws_spot_instance_request")
_SYMMETRIC = "SYMMETRIC_DEFAULT"
# Arguments of the provider that hold a password or a key as it is.
_PASSWORD = re.compile(
    r"(?:.*_)?(?:passwords?|passphrase|secret_string|secret_key|access_key|private_key|client_secret|shared_secret|api_key"
    r"|pre_shared_key|tunnel\d_preshared_key|token_key_value|master_user_secret|(?:auth|secret|access|oauth|hec)_token"
    r"|basic_auth_credentials|bgp_auth_key)(?:_wo)?|token"
)
# What is made with a secret that only the state keeps, and what keeps it out of there.
_MADE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("aws_iam_access_key", ("pgp_key",), "its secret"),
    ("aws_iam_service_specific_credential", (), "its password"),
    ("aws_iam_user_login_profile", ("pgp_key",), "the user's password"),
    ("aws_iot_certificate", ("csr", "certificate_pem"), "its private key"),
    ("aws_grafana_workspace_api_key", (), "the key"),
    ("aws_lightsail_bucket_access_key", (), "its secret"),
    ("aws_lightsail_key_pair", ("public_key", "pgp_key"), "its private key"),
    ("tls_private_key", (), "the key"),
)
# Attributes that have another beside them which Terraform writes and does not keep.
# https://developer.hashicorp.com/terraform/language/manage-sensitive-data/write-only
_PASSED = (
    ("aws_db_instance", "password"),
    ("aws_docdb_cluster", "master_password"),
    ("aws_rds_cluster", "master_password"),
    ("aws_redshift_cluster", "master_password"),
    ("aws_redshiftserverless_namespace", "admin_user_password"),
    ("aws_secretsmanager_secret_version", "secret_string"),
    ("aws_ssm_parameter", "value"),
)
_REFERENCE = re.compile(r"\$\{|\{\{resolve:|^arn:aws")


def in_plain_sight(inventory: Inventory) -> Iterator[Mark]:
    for address, name, value in variables(inventory):
        if why := looks_secret(_words(name), value):
            yield Mark(address, f"{name} {why}")


def _words(name: str) -> str:
    """`spring.datasource.password` and `db-password` in the letters of a variable."""
    return name.replace("-", "_").replace(".", "_")


def never_rotated(inventory: Inventory) -> Iterator[Mark]:
    for secret in inventory.of("aws_secretsmanager_secret"):
        if settings(inventory, secret, "aws_secretsmanager_secret_rotation", "secret_id"):
            continue
        # What `rotate` in the file becomes: somebody is told when the secret is due (docs/adr/0016).
        if "RotateEvery" not in (secret.values.get("tags") or {}):
            yield Mark(secret.address, "no aws_secretsmanager_secret_rotation")
        elif not _reminds(inventory, secret):
            yield Mark(secret.address, "its tag RotateEvery promises a reminder, and no rule that is on sends one")


def _reminds(inventory: Inventory, secret: Resource) -> bool:
    """A rule by the clock that speaks of it, is on, and has somebody whom it tells."""
    name = str(secret.values.get("name") or secret.address)
    return any(
        name in str(rule.values.get("description", ""))
        and rule.values.get("schedule_expression")
        and rule.values.get("state", "ENABLED") != "DISABLED"
        and rule.values.get("is_enabled") is not False
        and inventory.referring(rule, "aws_cloudwatch_event_target")
        for rule in inventory.of("aws_cloudwatch_event_rule")
    )


def credentials_for_any_request(inventory: Inventory) -> Iterator[Mark]:
    said = {
        one.region
        for one in inventory.of("aws_ec2_instance_metadata_defaults")
        if one.values.get("http_tokens") == "required"
    }
    for host in inventory.of(*_HOSTS):
        if host.region in said and not blocks(host.values, "metadata_options"):
            continue  # what a region says for all that leave it out
        if first(host.values, "metadata_options", "http_endpoint") == "disabled":
            continue  # nobody gets anything
        options = first(host.values, "metadata_options", "http_tokens")
        if options != "required" and (options or not blocks(host.values, "launch_template")):
            yield Mark(host.address, 'metadata_options.http_tokens is not "required"')


def written_out(inventory: Inventory) -> Iterator[Mark]:
    """Passwords as text of the configuration. One that Terraform makes or looks up is not known in a plan."""
    for resource in inventory.all:
        yield from _of_provider(resource) if resource.type == "provider" else _typed(resource)
    for parameter in inventory.of("aws_ssm_parameter"):
        value = parameter.values.get("value") or parameter.values.get("insecure_value") or ""
        name = str(parameter.values.get("name", "")).rpartition("/")[2]
        plain = parameter.values.get("type", "String") != "SecureString"
        if plain and (why := looks_secret(_words(name), str(value))):
            yield Mark(parameter.address, f"a parameter of type {parameter.values.get('type', 'String')} {why}")
        elif not plain and parameter.written.get("value"):
            yield Mark(parameter.address, "value is written in the configuration")


def _typed(resource: Resource) -> Iterator[Mark]:
    for path, value in texts(resource.written):
        key = path.rpartition(".")[2].lower()
        if _PASSWORD.fullmatch(key) and value and not _REFERENCE.search(value) and not _is_about(resource, key):
            yield Mark(resource.address, f"{path} is written in the configuration")
    for name, value in shown(resource):
        if looks_secret(_words(name), value):
            yield Mark(resource.address, f"{name} is written in the configuration")
    if resource.type != "aws_ssm_parameter":  # looked at by its type
        yield from _held(resource)


def _of_provider(provider: Resource) -> Iterator[Mark]:
    """By what a value is and not by how it is called: `secret_key = "test"` stands in many a test."""
    for path, value in texts(provider.written):
        if why := looks_secret(path.rpartition(".")[2], value, named=False):
            yield Mark(provider.address, f"{path} {why}")


def _held(resource: Resource) -> Iterator[Mark]:
    """Keys and tokens that their shape gives away, wherever they stand."""
    for path, value in written_texts(resource):
        if not _PASSWORD.fullmatch(path.rpartition(".")[2].lower()) and (why := secret_in(value)):
            yield Mark(resource.address, f"{path} {why}")


def _is_about(resource: Resource, key: str) -> bool:
    """A secret's text may be a whole document, in which the names say what is secret."""
    text = str(resource.written.get(key))
    if key != "secret_string" or looks_secret("SECRET", text):
        return False
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return True
    pairs = document.items() if isinstance(document, dict) else ()
    return not any(looks_secret(_words(name), str(value)) for name, value in pairs)


def made_into_the_state(inventory: Inventory) -> Iterator[Mark]:
    """What AWS or Terraform makes and shows once stays in the state, for whoever reads that."""
    for kind, by, what in _MADE:
        for one in inventory.of(kind):
            if not any(is_given(one, key) for key in by):
                yield Mark(one.address, f"{what} stands in Terraform's state")


def passed_through_the_state(inventory: Inventory) -> Iterator[Mark]:
    for kind, key in _PASSED:
        for one in inventory.of(kind):
            typed = key in one.written  # a finding of its own
            secret = kind != "aws_ssm_parameter" or one.values.get("type") == "SecureString"
            if secret and not typed and is_given(one, key):
                yield Mark(one.address, f"Terraform's state keeps its {key}: {key}_wo would not be there")


def keys_never_change(inventory: Inventory) -> Iterator[Mark]:
    for key in inventory.of("aws_kms_key"):
        symmetric = key.values.get("customer_master_key_spec", _SYMMETRIC) == _SYMMETRIC
        encrypts = key.values.get("key_usage", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"
        if symmetric and encrypts and not is_on(key.values.get("enable_key_rotation")):
            yield Mark(key.address, "enable_key_rotation is not true")


def readable_messages(inventory: Inventory) -> Iterator[Mark]:
    """Topics that alarms tell carry no data, and CloudWatch cannot write to one under AWS's own key."""
    for topic in inventory.of("aws_sns_topic"):
        if inventory.referring(topic, "aws_cloudwatch_metric_alarm", "aws_budgets_budget"):
            continue
        if not topic.values.get("kms_master_key_id") and "kms_master_key_id" not in topic.unknown:
            yield Mark(topic.address, "no kms_master_key_id")
    for stream in inventory.of("aws_kinesis_stream"):
        if stream.values.get("encryption_type", "NONE") == "NONE":
            yield Mark(stream.address, "encryption_type is NONE")
    for queue in inventory.of("aws_sqs_queue"):
        keyed = queue.values.get("kms_master_key_id") or "kms_master_key_id" in queue.unknown
        if queue.values.get("sqs_managed_sse_enabled") is False and not keyed:
            yield Mark(queue.address, "sqs_managed_sse_enabled is false, and no kms_master_key_id")


CHECKS = {
    "CF-SEC-011": keys_never_change,
    "CF-SEC-012": written_out,
    "CF-SEC-020": made_into_the_state,
    "CF-SEC-021": passed_through_the_state,
    "CF-DAT-016": readable_messages,
    "CF-SEC-001": in_plain_sight,
    "CF-SEC-002": never_rotated,
    "CF-SEC-007": credentials_for_any_request,
}
