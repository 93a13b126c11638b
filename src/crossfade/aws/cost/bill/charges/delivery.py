"""Charges of delivery: names and the CDN."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.sizes import GIB, gigabytes
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

FREE = 1024 * GIB  # a month, always: https://aws.amazon.com/cloudfront/pricing/
_BETWEEN_SERVERS = frozenset({"NS", "SOA", "DS"})
# Whose queries have a price of their own, which the catalogue names.
_DEARER = tuple(f"{each}_routing_policy" for each in ("cidr", "geolocation", "geoproximity", "latency"))


def delivery(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for zone in inventory.of("aws_route53_zone"):
        yield Charge(
            area="Delivery",
            item="Hosted zone",
            quantity=Amount.of(1),
            unit="zones",
            rate=once("route53.zone-month"),
            addresses=(zone.address,),
        )
    yield from _queries(inventory, usage)
    distributions = tuple(each.address for each in inventory.of("aws_cloudfront_distribution"))
    if distributions:
        sent, billed = gigabytes(usage.cdn), gigabytes(max(0, usage.cdn - FREE))
        yield Charge(
            area="Delivery",
            item="Sent by CloudFront",
            quantity=Amount.of(billed),
            unit="GB",
            rate=once("cloudfront.gb"),
            addresses=distributions,
            assumes=f"{plain(sent)} GB, of which the first 1,024 a month are always free",
            usage="cdn",
            keep=True,
        )
        yield from _own_addresses(inventory)
        key = "cloudfront.requests-10k"
        yield used("Delivery", "CloudFront, requests", key, "10,000 requests", distributions, usage)


def _own_addresses(inventory: Inventory) -> Iterator[Charge]:
    """Of distributions whose certificate is found by the address: https://aws.amazon.com/cloudfront/pricing/."""
    for distribution in inventory.of("aws_cloudfront_distribution"):
        if first(distribution.values, "viewer_certificate", "ssl_support_method") == "vip":
            yield Charge(
                area="Delivery",
                item="Dedicated IP addresses for TLS",
                quantity=Amount.of(1),
                unit="certificates",
                rate=once("cloudfront.dedicated-ip-month"),
                addresses=(distribution.address,),
            )


def _queries(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    """Queries of aliases to AWS's own things are free: https://aws.amazon.com/route53/pricing/."""
    billed = [record.address for record in inventory.of("aws_route53_record") if _is_asked_for(inventory, record)]
    if billed:
        yield Charge(
            area="Delivery",
            item="DNS queries",
            quantity=Amount.of(usage.dns).over(1_000_000),
            unit="1,000,000 queries",
            rate=once("route53.queries-1m"),
            addresses=tuple(billed),
            assumes=f"{usage.dns:,} queries of records that are not aliases",
            usage="dns",
        )


def _is_asked_for(inventory: Inventory, record: Resource) -> bool:
    """By visitors: not what only shows whose a name is, to a certificate or to other servers of names.

    The kind of a proof is known only after the apply, and where it comes from a plan does not always tell.
    """
    proves = any("aws_acm_certificate." in address for addresses in record.refers.values() for address in addresses)
    proves = proves or any(inventory.referring(record, "aws_acm_certificate_validation"))
    kind = record.values.get("type", "NS" if "type" in record.unknown else "")
    dearer = any(record.values.get(each) for each in _DEARER)
    return not (proves or dearer or record.values.get("alias") or kind in _BETWEEN_SERVERS)
