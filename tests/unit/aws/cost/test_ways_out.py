"""What is sent to the internet is a line wherever something can send it."""

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, of

SENT = "Sent to the internet"
OPEN = made("aws_subnet.s", map_public_ip_on_launch=True)


@pytest.mark.parametrize(
    "kind", ["aws_nat_gateway", "aws_vpn_connection", "aws_apigatewayv2_api", "aws_lambda_function_url"]
)
def test_what_has_no_balancer_sends_as_well(kind: str) -> None:
    """A cluster behind a NAT, a tunnel to the office and an API without a balancer are billed by the GB."""
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
