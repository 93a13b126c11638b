"""A plan of Terraform, as it is shown."""

from typing import Any

from crossfade.aws.terraform.changes import Changes, ResourceChange
from crossfade.cli.aws.changes import as_json, described, summary


def one(address: str, action: Any, *why: str, **before: Any) -> ResourceChange:
    kind = address.split(".")[-2]
    return ResourceChange(address=address, type=kind, action=action, before=before, why=why)


CHANGES = Changes(
    resources=(
        one("module.service_api.aws_ecs_service.this", "update", "desired_count 1 -> 2"),
        one("module.bucket_files.aws_s3_bucket.this", "replace", "bucket a -> b", bucket="a"),
        one("aws_sns_topic.x", "create"),
        one("module.service_api.aws_iam_role.old", "delete"),
    ),
    outputs=("urls",),
    drifted=("module.service_api.aws_ecs_service.this",),
)


def test_grouped_and_readable() -> None:
    """By module, with what differs; what would be lost and what somebody else changed at the end."""
    assert described(CHANGES, "dev").splitlines() == [
        "dev: 2 to add, 1 to change, 2 to destroy",
        "",
        "environment",
        "  + aws_sns_topic.x",
        "",
        "module.bucket_files",
        "  ± aws_s3_bucket.this: bucket a -> b",
        "",
        "module.service_api",
        "  ~ aws_ecs_service.this: desired_count 1 -> 2",
        "  - aws_iam_role.old",
        "",
        "outputs: urls",
        "",
        "Data that will be lost:",
        "  bucket a (module.bucket_files.aws_s3_bucket.this): AWS refuses this until it is empty; an empty one follows",
        "",
        "Changed by something other than Terraform since the last run:",
        "  module.service_api.aws_ecs_service.this",
    ]


def test_nothing_to_do() -> None:
    """One line."""
    assert described(Changes(resources=()), "dev") == "dev is as the file says: nothing to change"
    assert summary(Changes(resources=())) == "nothing to add, nothing to change, nothing to destroy"


def test_a_long_list_of_reasons_is_cut() -> None:
    """Six, and that there are more."""
    changes = Changes(resources=(one("aws_vpc.x", "update", *"abcdefgh"),))
    assert "  ~ aws_vpc.x: a, b, c, d, e, f, ..." in described(changes, "dev")


def test_the_shape_of_json() -> None:
    """Programs read the same, with everything in it."""
    data = as_json(CHANGES, "dev")
    assert {key: data[key] for key in ("ok", "environment", "add", "change", "destroy")} == {
        "ok": True,
        "environment": "dev",
        "add": 2,
        "change": 1,
        "destroy": 2,
    }
    assert data["resources"][0] == {
        "address": "module.service_api.aws_ecs_service.this",
        "type": "aws_ecs_service",
        "action": "update",
        "why": ["desired_count 1 -> 2"],
    }
    assert [loss["address"] for loss in data["losses"]] == ["module.bucket_files.aws_s3_bucket.this"]
    assert (data["outputs"], data["drifted"]) == (["urls"], ["module.service_api.aws_ecs_service.this"])
