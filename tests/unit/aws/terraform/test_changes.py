"""A plan of Terraform, read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.terraform.changes import read_changes

ACTIONS = {
    "no-op": ["no-op"],
    "read": ["read"],
    "create": ["create"],
    "update": ["update"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "replace, new one first": ["create", "delete"],
    "forget": ["forget"],
}


def entry(address: str, actions: list[str], **change: Any) -> dict[str, Any]:
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".")[-2],
        "change": {"actions": actions, "before": {}, "after": {}, **change},
    }


def why(actions: list[str], **change: Any) -> tuple[str, ...]:
    return read_changes({"resource_changes": [entry("aws_ecs_service.web", actions, **change)]}).resources[0].why


@given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=30))
def test_counts_are_those_of_terraform(kinds: list[str]) -> None:
    """One that is replaced is destroyed and added; what is read, forgotten or left as it is does not count."""
    changes = read_changes(
        {"resource_changes": [entry(f"aws_vpc.v{n}", ACTIONS[kind]) for n, kind in enumerate(kinds)]}
    )
    replaced = sum(kind.startswith("replace") for kind in kinds)
    assert changes.add == kinds.count("create") + replaced
    assert changes.change == kinds.count("update")
    assert changes.destroy == kinds.count("delete") + replaced
    assert bool(changes) is (changes.steps > 0)


def test_a_data_source_is_no_change() -> None:
    """Terraform reads some only while it applies."""
    data = entry("data.aws_ami.this", ["create"]) | {"mode": "data"}
    assert not read_changes({"resource_changes": [data]})


def test_an_output_alone_is_a_change() -> None:
    """It has to be applied as well before anybody can read it."""
    outputs = {"url": {"actions": ["create"]}, "name": {"actions": ["no-op"]}}
    changes = read_changes({"output_changes": outputs})
    assert changes
    assert changes.outputs == ("url",)
    assert changes.steps == 0


def test_an_update_says_what_differs() -> None:
    """Values where they are short, names where they are not."""
    before = {"desired_count": 1, "name": "web", "tags": {}, "on": False, "text": "", "gone": None}
    after = {"desired_count": 2, "name": "web", "tags": {"a": "b"}, "on": True, "text": "x" * 200, "gone": "back"}
    assert why(["update"], before=before, after=after) == (
        "desired_count 1 -> 2",
        "gone nothing -> back",
        "on false -> true",
        "tags",
        "text",
    )


def test_a_replacement_says_what_forces_it() -> None:
    """A new id and a new address are no reasons."""
    change = {
        "before": {"id": "db-1", "engine_version": "15", "username": "app"},
        "after": {"engine_version": "15", "username": "owner"},
        "after_unknown": {"id": True},
        "replace_paths": [["username"]],
    }
    assert why(["delete", "create"], **change) == ("username app -> owner",)


def test_what_is_known_later_is_said_so() -> None:
    """An update with a value that only AWS can tell."""
    assert why(["update"], before={"arn": "a"}, after={}, after_unknown={"arn": True}) == ("arn (known after apply)",)


@pytest.mark.parametrize("mark", [True, {"inner": True}, [{"inner": True}]])
def test_secrets_are_not_shown(mark: Any) -> None:
    """Neither the old value nor the new one, wherever in it the secret is."""
    for side in ("before_sensitive", "after_sensitive"):
        change = {"before": {"password": "old"}, "after": {"password": "new"}, side: {"password": mark}}
        assert why(["update"], **change) == ("password",)


def test_what_belongs_together_stands_together() -> None:
    """By module of the environment; a module inside of it is a part of the name."""
    addresses = ["module.vpc.aws_vpc.this", "aws_sns_topic.x", "module.vpc.module.nat.aws_eip.this[0]"]
    changes = read_changes({"resource_changes": [entry(one, ["create"]) for one in addresses]})
    found = {module: [one.name for one in inside] for module, inside in changes.by_module().items()}
    assert found == {"": ["aws_sns_topic.x"], "module.vpc": ["aws_vpc.this", "module.nat.aws_eip.this[0]"]}


def test_drift_that_matters() -> None:
    """What is gone or will be set right is said; what AWS filled in by itself is not."""
    drift = [
        entry("aws_vpc.gone", ["delete"]),
        entry("aws_vpc.changed", ["update"]),
        entry("aws_vpc.filled", ["update"]),
    ]
    changes = read_changes({"resource_drift": drift, "resource_changes": [entry("aws_vpc.changed", ["update"])]})
    assert changes.drifted == ("aws_vpc.gone", "aws_vpc.changed")
