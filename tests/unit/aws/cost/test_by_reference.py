"""What a plan gives by reference or block by block, and only the apply fills in: billed all the same, or said."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, months, of

from crossfade.aws.cost.bill.bill import Bill
from crossfade.aws.resources.resource import Resource


def by_reference(address: str, path: str, to: str, **values: Any) -> Resource:
    return replace(made(address, {path: (to,)}, **values), later=frozenset({path}), unknown=frozenset({path}))


def unknown(found: Bill) -> list[str]:
    return [each.item for each in found.unknown]


@pytest.mark.parametrize(
    ("kind", "path", "to"),
    [
        ("aws_docdb_cluster", "global_cluster_identifier", "aws_docdb_global_cluster.g"),
        ("aws_rds_cluster", "global_cluster_identifier", "aws_rds_global_cluster.g"),
        ("aws_acm_certificate", "certificate_authority_arn", "aws_acmpca_certificate_authority.c"),
    ],
)
def test_what_is_billed_on_top_is_said_though_only_the_apply_tells_what_it_is(kind: str, path: str, to: str) -> None:
    """Global clusters, a certificate's authority that the same plan makes have no ids yet."""
    assert f"{kind}, {path}" in unknown(of(by_reference(f"{kind}.x", path, to)))


def test_what_may_be_free_is_said_with_a_doubt() -> None:
    """A retention that a variable of the apply decides may be that which costs nothing."""
    path = "performance_insights_retention_period"
    (found,) = (
        each
        for each in of(by_reference("aws_rds_cluster_instance.x", path, "terraform_data.d")).unknown
        if each.item.endswith(path)
    )
    assert found.note.startswith("only the apply will tell whether this is so: ")


@pytest.mark.parametrize(
    ("kind", "block", "item", "each"),
    [
        ("aws_networkfirewall_firewall", "subnet_mapping", "Network firewall endpoints", 730),
        ("aws_route53_resolver_endpoint", "ip_address", "Resolver endpoints", 730),
        ("aws_wafv2_web_acl", "rule", "WAF, rules", 1),
    ],
)
def test_blocks_are_counted_though_only_the_apply_fills_them_in(kind: str, block: str, item: str, each: int) -> None:
    """Three subnets of the same plan are three empty blocks in it. How many an unknown list makes is unknown."""
    three = made(f"{kind}.x", **{block: [{}, {}, {}]})
    assert line(of(three, book=VIRGINIA), item).quantity.expected == 3 * each
    listed = replace(made(f"{kind}.x"), unknown=frozenset({block}))
    (said,) = (found for found in of(listed, book=VIRGINIA).unknown if found.item == item)
    assert said.note == f"{block} is known only after the apply"


def test_an_address_of_ones_own_is_counted_where_it_is_made() -> None:
    """Redshift takes an elastic address that the same plan makes, in place of one of AWS's."""
    address = made("aws_eip.e")
    warehouse = by_reference("aws_redshift_cluster.r", "elastic_ip", "aws_eip.e", publicly_accessible=True)
    assert line(of(address, warehouse), "Public IPv4 addresses").quantity.expected == 730


ON_IT = "Host h, c5.large, on a dedicated host"
PERHAPS = "Host h, c5.large, perhaps on a dedicated host"


def test_a_host_on_a_dedicated_host_costs_nothing_by_itself() -> None:
    """What it is on is billed, of which only the apply tells the id. So is one of a template."""
    alone = by_reference("aws_instance.h", "host_id", "aws_ec2_host.d", instance_type="c5.large")
    assert months(of(alone, book=VIRGINIA), ON_IT) == ("0.00",) * 3
    template = by_reference("aws_launch_template.t", "placement.host_id", "aws_ec2_host.d", instance_type="c5.large")
    host = made("aws_instance.h", {"launch_template.id": (template.address,)}, launch_template=[{}])
    assert months(of(template, host, book=VIRGINIA), ON_IT) == ("0.00",) * 3


def test_a_choice_between_a_dedicated_host_and_none_is_not_known() -> None:
    """`var.dedicated ? aws_ec2_host.d.id : null`, but where the same choice makes the host."""
    chosen = frozenset({"host_id"})
    host = by_reference("aws_instance.h", "host_id", "aws_ec2_host.d", instance_type="c5.large")
    assert PERHAPS in unknown(of(replace(host, mixed=chosen), book=VIRGINIA))
    counted = by_reference("aws_instance.h", "host_id", "aws_ec2_host.d[0]", instance_type="c5.large")
    assert ON_IT in items(of(replace(counted, mixed=chosen), book=VIRGINIA))
    switched_off = replace(host, refers={}, mixed=chosen)
    assert "Host h, c5.large" in items(of(switched_off, book=VIRGINIA))


def test_dedicated_hardware_with_windows_has_not_the_price_of_shared_hardware() -> None:
    """Each of both has a price of its own; of both together nobody here knows one."""
    host = made("aws_instance.h", instance_type="t3.medium", get_password_data=True, tenancy="dedicated")
    assert "Host h, t3.medium, Windows, dedicated" in unknown(of(host, book=VIRGINIA))


@pytest.mark.parametrize(
    ("kind", "values", "addresses"),
    [
        ("aws_instance", {}, 1),
        ("aws_instance", {"associate_public_ip_address": False}, 0),
        ("aws_instance", {"subnet_id": "subnet-1"}, 0),
        ("aws_instance", {"network_interface": [{"device_index": 0}]}, 0),
        ("aws_instance", {"primary_network_interface": [{}]}, 0),
        ("aws_instance", {"launch_template": [{"id": "lt-1"}]}, 0),
    ],
)
def test_a_host_of_which_nothing_says_where_is_in_a_default_subnet(kind: str, values: Any, addresses: int) -> None:
    """Which gives it a public address, and that is billed."""
    found = of(made(f"{kind}.h", instance_type="t3.micro", **values))
    assert items(found).count("Public IPv4 addresses") == addresses


def test_a_default_subnet_gives_addresses_unless_it_is_told_not_to() -> None:
    """Terraform may take one in without a word about it."""
    host = made("aws_instance.h", {"subnet_id": ("aws_default_subnet.s",)}, instance_type="t3.micro")
    assert "Public IPv4 addresses" in items(of(host, made("aws_default_subnet.s")))
    assert "Public IPv4 addresses" not in items(of(host, made("aws_default_subnet.s", map_public_ip_on_launch=False)))


def test_what_is_attached_to_a_transit_gateway_is_billed_like_a_network() -> None:
    """A tunnel by the hour of its attachment; a Direct Connect gateway so too, but for nothing at a VPN gateway."""
    tunnel = by_reference("aws_vpn_connection.x", "transit_gateway_id", "aws_ec2_transit_gateway.t")
    assert line(of(tunnel, book=VIRGINIA), "Transit gateway attachments").price == Decimal("0.05")
    key, gateway = "associated_gateway_id", "aws_dx_gateway_association.x"
    attached = by_reference(gateway, key, "aws_ec2_transit_gateway.t")
    assert months(of(attached, made("aws_ec2_transit_gateway.t"), book=VIRGINIA), "Transit gateway attachments") == (
        ("36.50",) * 3
    )
    free = by_reference(gateway, key, "aws_vpn_gateway.v")
    assert items(of(free, made("aws_vpn_gateway.v"), book=VIRGINIA)) == []
    assert items(of(made(gateway, associated_gateway_id="vgw-1"), book=VIRGINIA)) == []
    assert "Transit gateway attachments" in items(of(made(gateway, associated_gateway_id="tgw-1"), book=VIRGINIA))
    assert unknown(of(made(gateway, associated_gateway_id="1"))) == [f"aws_dx_gateway_association, {key}"]
