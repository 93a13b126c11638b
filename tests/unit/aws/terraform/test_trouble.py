"""Terraform's errors, as one message with a way out."""

from pathlib import Path

import pytest

from crossfade.aws.terraform.stream import Diagnostic
from crossfade.aws.terraform.trouble import TerraformRun, error, wants_init
from crossfade.core.errors import CrossfadeError

RUN = TerraformRun("apply", "prod", Path("infrastructure/environments/prod"))
LOCKED = """Error message: operation error DynamoDB: PutItem, https response error StatusCode: 400, RequestID: 1,
ConditionalCheckFailedException: The conditional request failed
Lock Info:
  ID:        cbbdacb4-66e6-e7eb-cbb7-e96234b82f0f
  Path:      shop-terraform-state/shop/prod/terraform.tfstate
  Operation: OperationTypeApply
  Who:       mina@laptop
  Version:   1.11.4
  Created:   2026-11-21 13:59:36.867888311 +0000 UTC

Terraform acquires a state lock to protect the state from being written
by multiple users at the same time."""
INIT_FAILED = """
Initializing the backend...
╷
│ Error: Failed to get existing workspaces: S3 bucket "shop-terraform-state" does not exist.
│ 
│ The referenced S3 bucket must have been previously created. If the S3 bucket
│ was created within the last minute, please wait.
│ 
╵
"""  # noqa: W291  as terraform prints it


def told(summary: str, detail: str = "", **more: str) -> CrossfadeError:
    return error(RUN, [Diagnostic(summary=summary, detail=detail, **more)])


def test_a_lock_says_who_since_when_and_the_way_out() -> None:
    """Exit code 3: nothing is wrong, somebody else is at it."""
    found = told("Error acquiring the state lock", LOCKED)
    assert found.exit_code == 3
    assert found.cause == (
        "the state of prod has been locked by mina@laptop since 2026-11-21 13:59:36 UTC, for apply "
        "(lock cbbdacb4-66e6-e7eb-cbb7-e96234b82f0f)"
    )
    assert found.way_out.endswith(
        "terraform -chdir=infrastructure/environments/prod force-unlock cbbdacb4-66e6-e7eb-cbb7-e96234b82f0f"
    )


def test_a_lock_that_cannot_be_taken_for_another_reason() -> None:
    """Without a holder there is nobody to wait for: the table may be missing."""
    found = told("Error acquiring the state lock", "ResourceNotFoundException: no lock table")
    assert found.exit_code == 4
    assert "infra bootstrap" in found.way_out


def test_one_error_is_one_line_with_its_place() -> None:
    """The file as seen from here, the resource, and what AWS said, without line breaks."""
    found = told(
        "creating RDS DB Instance (shop-prod): InvalidParameterValue:\n  no such class",
        address="module.database.aws_db_instance.this",
        where="../../modules/database/rds/main.tf:12",
    )
    assert found.exit_code == 4
    assert found.cause == (
        "terraform apply of prod failed: infrastructure/modules/database/rds/main.tf:12, "
        "module.database.aws_db_instance.this: creating RDS DB Instance (shop-prod): InvalidParameterValue: "
        "no such class"
    )


def test_many_errors_are_one_message() -> None:
    """The first few, and how many more."""
    found = error(RUN, [Diagnostic(summary=f"Error {number}") for number in range(8)])
    assert found.cause.splitlines() == [
        "terraform apply of prod failed:",
        *(f"  Error {number}" for number in range(5)),
        "  and 3 more",
    ]


@pytest.mark.parametrize(
    ("said", "way_out"),
    [
        ("No valid credential sources found", "aws sso login"),
        ("api error ExpiredToken: The security token included in the request is expired", "aws sso login"),
        ('S3 bucket "shop-terraform-state" does not exist', "infra bootstrap"),
        ("Resource x has lifecycle.prevent_destroy set, but the plan calls for it to be destroyed", "prevent_destroy"),
        ("Cannot delete protected DB Instance, please disable deletion protection", "database: {protect: false}"),
        ("OperationNotPermitted: load balancer cannot be deleted because deletion protection is enabled", "protect:"),
        ("BucketNotEmpty: The bucket you tried to delete is not empty", "empty it"),
        ("Saved plan is stale", "make it again"),
        ("UnauthorizedOperation: You are not authorized to perform this operation", "permission"),
        ("Backend configuration changed", "-migrate-state"),
        ("Failed to query available provider packages", "mirror"),
        ("dial tcp: lookup ec2.us-east-1.amazonaws.com: no such host", "network"),
    ],
)
def test_known_errors_have_a_way_out(said: str, way_out: str) -> None:
    """Whether it stands in the summary or in the detail, broken into lines or not."""
    assert way_out in told(said).way_out
    assert way_out in told("Error", said).way_out


def test_init_speaks_to_people_only() -> None:
    """Its boxes are read as well."""
    found = error(RUN, [], INIT_FAILED.splitlines())
    assert found.cause.startswith(
        'terraform apply of prod failed: Failed to get existing workspaces: S3 bucket "shop-terraform-state" does not'
    )
    assert "infra bootstrap" in found.way_out


def test_several_boxes_are_several_errors() -> None:
    """Each with its own detail."""
    text = "│ Error: First\n│ \n│ because\n╵\n╷\n│ Error: Second\n│ \n│ why\n╵"
    assert error(RUN, [], text.splitlines()).cause.splitlines()[1:] == ["  First: because", "  Second: why"]


@pytest.mark.parametrize(("lines", "shown"), [([], "it said nothing"), (["panic: x", "goroutine 1"], "panic: x; gor")])
def test_what_is_no_error_of_terraform(lines: list[str], shown: str) -> None:
    """A crash, or a wrapper's own words: the last lines are all there is to tell."""
    assert shown in error(RUN, [], lines).cause


@pytest.mark.parametrize(
    ("summary", "wanted"),
    [
        ('Backend initialization required, please run "terraform init"', True),
        ('Backend initialization required, please run "tofu init"', True),
        ("Module not installed", False),
        ("Unsupported argument", False),
    ],
)
def test_whether_it_asks_for_init(summary: str, wanted: bool) -> None:
    """It is asked, and not guessed from files."""
    assert wants_init([Diagnostic(summary=summary)], []) is wanted
    assert wants_init([], [f"Error: {summary}"]) is wanted


def test_the_detail_may_ask_for_init() -> None:
    """As for a module or a provider that is not there."""
    detail = 'This module is not yet installed. Run "terraform init" to install all modules.'
    assert wants_init([Diagnostic(summary="Module not installed", detail=detail)], [])
