"""What is sent to the internet is a line wherever something can send it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, of

from crossfade.aws.cost.prices.book import PriceBook, list_prices

SENT = "Sent to the internet"
OPEN = made("aws_subnet.s", map_public_ip_on_launch=True)


def books(region: str | None) -> PriceBook:
    return list_prices(region or "")


@pytest.mark.parametrize(
    "kind",
    [
        *("aws_nat_gateway", "aws_vpn_connection", "aws_apigatewayv2_api", "aws_lambda_function_url"),
        *("aws_s3_bucket_website_configuration", "aws_transfer_server"),
    ],
)
def test_what_has_no_balancer_sends_as_well(kind: str) -> None:
    """A cluster behind a NAT, a tunnel, an API, a site in a bucket and a file server are billed by the GB."""
    assert line(of(made(f"{kind}.x"), book=VIRGINIA), SENT).addresses == (f"{kind}.x",)


def test_groups_send_where_they_have_public_addresses() -> None:
    """Nodes in a public subnet do, others go through something else."""
    sizes = [{"min_size": 1, "desired_size": 1, "max_size": 1}]
    nodes = made("aws_eks_node_group.n", {"subnet_ids": (OPEN.address,)}, scaling_config=sizes)
    assert SENT in items(of(OPEN, nodes, book=VIRGINIA))
    assert SENT not in items(of(made(OPEN.address), nodes, book=VIRGINIA))


def test_where_a_balancer_answers_the_line_is_its_own() -> None:
    """What is sent is one amount for all, told once by `cloud.usage.egress`."""
    balancer, gateway = made("aws_lb.b"), made("aws_nat_gateway.n")
    assert line(of(balancer, gateway, book=VIRGINIA), SENT).addresses == ("aws_lb.b",)


def test_each_region_has_its_part_of_what_is_sent() -> None:
    """At its own price: a gigabyte from Seoul costs more than one from Virginia."""
    home, far = made("aws_lb.home"), made("aws_lb.far")
    far = replace(far, region="ap-northeast-2")
    found = of(home, replace(home, address="aws_lb.second"), far, book=VIRGINIA, books=books)
    sent = {each.region: each for each in found.lines if each.item.startswith(SENT)}
    assert {region: f"{each.quantity.expected:.2f}" for region, each in sent.items()} == {
        "us-east-1": "6.67",
        "ap-northeast-2": "3.33",
    }
    assert [each.price for each in sent.values()] == [Decimal("0.09"), Decimal("0.126")]
    assert sent["us-east-1"].assumes == "10 GB, shared by 2 regions"


def test_what_is_used_by_hand_is_told_of_each_region() -> None:
    """Logs that functions write in two regions have two prices."""
    homes = ("us-east-1", "eu-west-1")
    functions = [replace(made(f"aws_lambda_function.{home}"), region=home) for home in homes]
    lines = [each for each in of(*functions, book=VIRGINIA, books=books).lines if "coming in" in each.item]
    assert [(each.item, each.price) for each in lines] == [
        ("Logs, coming in", Decimal("0.50")),
        ("Logs, coming in, eu-west-1", Decimal("0.57")),
    ]
