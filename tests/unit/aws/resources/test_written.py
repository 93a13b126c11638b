"""What somebody typed into the configuration, and what only comes through it."""

import base64
import json
from hashlib import sha1
from typing import Any

import pytest
from tests.unit.aws.resources.plans import document, resource

from crossfade.aws.resources.plan import understand

TYPED = "typed-into-the-file"
ADDRESS = "aws_db_instance.db"


def config(address: str, **expressions: Any) -> dict[str, Any]:
    kind, name = address.split(".")
    return {"address": address, "mode": "managed", "type": kind, "name": name, "expressions": expressions}


def of(value: Any, expression: Any, *, given: Any = None, prior: Any = (), **root: Any) -> Any:
    """What is written of the password of a resource whose plan has `value`, in the root or in its module `m`."""
    inside = config(ADDRESS, password=expression)
    configuration: dict[str, Any] = {"resources": [inside], **root}
    where = ADDRESS
    if call := root.get("call"):
        module = {"resources": [inside], "variables": root.get("module_variables", {})}
        configuration = {"module_calls": {"m": {"expressions": call, "module": module}}, **root}
        where = f"module.m.{ADDRESS}"
    planned = [resource(where, password=value)]
    plan = document([], configuration, children=[{"resources": planned}]) if call else document(planned, configuration)
    if given is not None:
        plan["variables"] = {"secret": {"value": given}}
    if prior:
        plan["prior_state"] = {"values": {"root_module": {"resources": prior}}}
    (found,) = understand(plan, "plan.json").resources
    return found.written.get("password")


SECRET = {"references": ["var.secret"]}


@pytest.mark.parametrize(
    ("given", "typed"), [(TYPED, TYPED), ("from the shell", None), (None, TYPED)], ids=["default", "given", "old plan"]
)
def test_a_variables_default_is_written_unless_another_value_is_given(given: str | None, typed: str | None) -> None:
    """Whoever reads the repository reads the default."""
    variables = {"secret": {"default": TYPED}}
    assert of(given or TYPED, SECRET, given=given, variables=variables) == typed


def test_what_a_module_is_given_as_it_is_is_written() -> None:
    """In the call, or as the default of the module; not what is passed on from elsewhere."""
    assert of(TYPED, SECRET, call={"secret": {"constant_value": TYPED}}) == TYPED
    assert of(TYPED, SECRET, call={"other": {}}, module_variables={"secret": {"default": TYPED}}) == TYPED
    assert of(TYPED, SECRET, call={"secret": {"references": ["random_password.p.result", "random_password.p"]}}) is None
    passed_on = {"secret": {"references": ["var.secret"]}}
    assert of(TYPED, SECRET, call=passed_on, variables={"secret": {"default": TYPED}}) == TYPED


def test_a_part_of_a_variable_is_written_as_its_whole_is() -> None:
    """var.database.password of a default that is an object."""
    whole = {"secret": {"default": {"password": TYPED}}}
    assert of(TYPED, {"references": ["var.secret.password", "var.secret"]}, variables=whole) == TYPED


def test_what_functions_make_of_constants_is_written() -> None:
    """Jsonencode of what somebody typed has no reference at all."""
    assert of(TYPED, {}) == TYPED
    assert of(TYPED, {"references": ["random_password.p.result", "random_password.p"]}) is None


LOCAL = {"references": ["local.secret"]}
DECLARED = {"secret": {"sensitive": True}}


def looked_up(**values: Any) -> dict[str, Any]:
    return {"address": "data.vault_generic_secret.s", "mode": "data", "type": "vault_generic_secret", "values": values}


def kept(kind: str, **values: Any) -> dict[str, Any]:
    return {
        "address": f"{kind}.kept",
        "mode": "managed",
        "type": kind,
        "values": values,
        "sensitive_values": dict.fromkeys(values, True),
    }


def test_a_local_value_of_constants_is_written() -> None:
    """Nothing came from outside, so somebody typed it; also what a module is given, and one of several by key."""
    assert of(TYPED, LOCAL) == TYPED
    assert of(TYPED, SECRET, call={"secret": LOCAL}) == TYPED
    by_stage = {"references": ["local.secrets", "var.secret"]}
    assert of(TYPED, by_stage, given="prod", variables=DECLARED) == TYPED


@pytest.mark.parametrize(
    "value",
    [
        "from the shell",
        "postgres://app:from the shell@db",
        base64.b64encode(b"app:from the shell").decode(),
        sha1(b"from the shell", usedforsecurity=False).hexdigest(),
    ],
)
def test_a_local_value_of_what_a_variable_brings_is_not_written(value: str) -> None:
    """As it is, as a part, encoded or hashed."""
    assert of(value, LOCAL, given="from the shell", variables=DECLARED) is None


@pytest.mark.parametrize(
    "there",
    [
        looked_up(data={"password": TYPED}),
        looked_up(data_json=json.dumps({"password": TYPED})),
        kept("random_password", result=TYPED),
        kept("aws_iam_access_key", secret=TYPED),
    ],
)
def test_a_local_value_of_what_terraform_looked_up_or_made_is_not_written(there: dict[str, Any]) -> None:
    """A secret of a store, whole or as a part of a document, and a password that Terraform made before."""
    assert of(TYPED, LOCAL, prior=[there]) is None


def test_what_was_applied_before_is_written_still() -> None:
    """The state of a database has the password that its configuration gives it."""
    assert of(TYPED, LOCAL, prior=[kept("aws_db_instance", password=TYPED) | {"address": ADDRESS}]) == TYPED


def test_of_a_plan_without_its_variables_nobody_knows() -> None:
    """A variable without a default was given, and an old plan does not say with what."""
    assert of(TYPED, LOCAL, variables=DECLARED) is None


def test_a_text_around_a_variable_is_not_the_variable() -> None:
    """A plan tells `"${var.secret}-x"` from the variable by the value alone."""
    assert of("typed-into-the-file-x", SECRET, variables={"secret": {"default": TYPED}}) is None


def test_of_a_script_a_plan_has_only_a_hash() -> None:
    """That of what somebody typed tells that it is that."""
    hashed = sha1(TYPED.encode(), usedforsecurity=False).hexdigest()
    assert of(hashed, SECRET, variables={"secret": {"default": TYPED}}) == TYPED


def test_steps_and_providers_are_written_too() -> None:
    """What Terraform runs once something is made, and what it signs in with."""
    made = config("aws_instance.h")
    made["provisioners"] = [{"type": "local-exec", "expressions": {"command": {"constant_value": "make"}}}]
    plan = document([resource("aws_instance.h")], {"resources": [made]})
    plan["configuration"]["provider_config"] = {
        "aws.x": {"name": "aws", "expressions": {"secret_key": {"constant_value": TYPED}}}
    }
    read = understand(plan, "plan.json")
    assert read.resources[0].written == {"provisioner": [{"command": "make"}]}
    assert [(one.address, one.written) for one in read.providers] == [("provider.aws.x", {"secret_key": TYPED})]
