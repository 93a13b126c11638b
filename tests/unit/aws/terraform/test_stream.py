"""What Terraform says while it runs, told to people."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.terraform.stream import Diagnostic, TerraformStory


def line(kind: str, **more: Any) -> str:
    return json.dumps({"@level": "info", "@message": "...", "type": kind, **more})


def hook(address: str, action: str, seconds: int = 2) -> dict[str, Any]:
    return {"hook": {"resource": {"addr": address}, "action": action, "elapsed_seconds": seconds}}


def diagnostic(severity: str = "error", **more: Any) -> str:
    return line("diagnostic", diagnostic={"severity": severity, "summary": "Bad", "detail": "", **more})


@given(st.permutations(["aws_vpc.a", "aws_vpc.b", "aws_vpc.c", "aws_vpc.d"]))
def test_each_one_that_is_done_is_counted(order: list[str]) -> None:
    """In whatever order they finish, the last sentence says that all are done."""
    story = TerraformStory(total=4)
    for address in order:
        story.take(line("apply_start", **hook(address, "create")))
    said = [story.take(line("apply_complete", **hook(address, "create"))) for address in order]
    assert said == [f"{address} created ({n} of 4, 2 s)" for n, address in enumerate(order, 1)]
    assert story.now() == ""


def test_what_is_under_way() -> None:
    """The one that has taken longest, how many more, and how far it is."""
    story = TerraformStory(total=5)
    story.take(line("apply_start", **hook("aws_db_instance.this", "create")))
    assert story.now() == "creating aws_db_instance.this (0 of 5)"
    story.take(line("apply_start", **hook("aws_vpc.this", "delete")))
    story.take(line("apply_start", **hook("aws_lb.this", "update")))
    story.take(line("apply_complete", **hook("aws_vpc.this", "delete")))
    assert story.now() == "creating aws_db_instance.this and 1 more (1 of 5)"
    story.take(line("apply_complete", **hook("aws_db_instance.this", "create")))
    assert story.now() == "changing aws_lb.this (2 of 5)"


def test_one_that_fails_is_no_longer_under_way() -> None:
    """It is said at once, and why at the end."""
    story = TerraformStory(total=1)
    story.take(line("apply_start", **hook("aws_vpc.this", "create")))
    assert story.take(line("apply_errored", **hook("aws_vpc.this", "create", 7))) == "aws_vpc.this failed after 7 s"
    assert (story.now(), story.done) == ("", 0)


def test_data_sources_are_not_counted() -> None:
    """They are read while it applies, and are not in the plan's numbers."""
    story = TerraformStory(total=1)
    assert story.take(line("apply_complete", **hook("data.aws_ami.this", "read"))) is None
    assert story.done == 0


def test_a_plan_counts_what_it_reads() -> None:
    """It has nothing else to show while it looks at everything that is there."""
    story = TerraformStory()
    for number in range(3):
        story.take(line("refresh_complete", **hook(f"aws_subnet.s[{number}]", "")))
    assert story.now() == "3 resources read"


def test_errors_are_kept_with_their_place() -> None:
    """File and line as Terraform gives them, and the resource."""
    story = TerraformStory()
    at = {"filename": "../../modules/database/rds/main.tf", "start": {"line": 12, "column": 3}}
    assert story.take(diagnostic(detail="no", address="module.database.aws_db_instance.this", range=at)) is None
    assert story.errors == [
        Diagnostic(
            summary="Bad",
            detail="no",
            address="module.database.aws_db_instance.this",
            where="../../modules/database/rds/main.tf:12",
        )
    ]


def test_warnings_are_said_in_one_line() -> None:
    """They stop nothing, and the first sentence tells what it is about."""
    story = TerraformStory()
    assert story.take(diagnostic("warning", detail="Use the other.\nIt is better.")) == "warning: Bad: Use the other."
    assert story.errors == []


@pytest.mark.parametrize("text", ["Error: x", "{", "[1]", "null", '"text"', "12"])
def test_what_is_no_message_is_kept(text: str) -> None:
    """A complaint from before Terraform could speak JSON, or of something that wraps it."""
    story = TerraformStory()
    assert story.take(text) is None
    assert story.plain == [text]


@given(st.text())
def test_nothing_that_is_said_can_break_it(text: str) -> None:
    """Whatever a wrapper or a provider prints."""
    TerraformStory().take(text)


def test_messages_of_a_later_terraform_are_passed_over() -> None:
    """New types and keys may come at any time."""
    assert TerraformStory().take(line("apply_dreamt", dream={"of": "sheep"})) is None
