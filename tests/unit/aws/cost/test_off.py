"""What a setting takes off the bill, and what both sides of something pay."""

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, months, of

from crossfade.aws.cost.catalog.catalog import verdicts

OFF = [(kind, *pair) for kind, found in verdicts().items() for pair in found.off]


@pytest.mark.parametrize(("kind", "path", "value"), OFF)
def test_what_is_switched_off_is_on_no_bill(kind: str, path: str, value: str) -> None:
    """A type that its setting takes off the bill is no line then, and an unknown one otherwise."""

    def with_(said: str) -> list[str]:
        first, _, second = path.partition(".")
        return items(of(made(f"{kind}.this", **{first: [{second: said}] if second else said})))

    assert with_(value) == []
    assert with_("something else") == [kind]


@pytest.mark.parametrize(("runtime", "billed"), [("java21", False), ("python3.12", True), ("dotnet8", True)])
def test_snap_start_is_free_for_java(runtime: str, *, billed: bool) -> None:
    """SnapStart is billed for Python and .NET, and costs nothing for Java."""
    snap = [{"apply_on": "PublishedVersions"}]
    found = items(of(made("aws_lambda_function.api", runtime=runtime, snap_start=snap)))
    assert ("aws_lambda_function, snap_start.apply_on" in found) is billed


def test_both_transit_gateways_of_a_peering_pay() -> None:
    """A peering is an attachment of each of the two gateways, billed on both sides."""
    sides = ("aws_ec2_transit_gateway_peering_attachment.a", "aws_ec2_transit_gateway_peering_attachment_accepter.b")
    bill = of(*map(made, sides), book=VIRGINIA)
    assert months(bill, "Transit gateway attachments") == ("73.00",) * 3


def test_notifications_to_queues_and_functions_cost_nothing() -> None:
    """SNS charges nothing for what it hands to SQS and Lambda, in any region."""
    for protocol in ("sqs", "lambda"):
        bill = of(made("aws_sns_topic_subscription.this", protocol=protocol))
        assert months(bill, f"Notifications by {protocol}") == ("0.00",) * 3


def test_control_planes_cost_the_same_everywhere() -> None:
    """A cluster of EKS is 73.00 a month also where the book has little else."""
    assert months(of(made("aws_eks_cluster.this")), "EKS control plane") == ("73.00",) * 3


def test_shield_is_billed_for_what_is_sent() -> None:
    """Shield Advanced charges for what protected resources send, on top of the subscription."""
    assert line(of(made("aws_shield_subscription.this")), "Shield Advanced, data sent").unsaid
