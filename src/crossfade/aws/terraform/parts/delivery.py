"""How visitors reach it: names, certificates, and the site at the edge."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import whole
from crossfade.aws.resources.hostnames import (
    api_name,
    balancer_names,
    edge_names,
    given_to_edge,
    managed,
    one_certificate,
    site_names,
)
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, from_module
from crossfade.file.cloud.delivery import Domain, Site
from crossfade.file.model import App


def delivery(app: App) -> Iterator[Block]:
    domain, site = app.cloud.domain, app.cloud.site
    if domain:
        yield _dns(app, domain)
        yield from _certificates(app, domain)
        if domain.zone == "create":
            yield _output("name_servers", "Name servers to enter where the domain was bought.", "dns.name_servers")
    if site:
        yield _site(app, site)
        yield _output("site_bucket", "Bucket that the site is uploaded to.", "site.bucket")
        yield _output("site_distribution", "Distribution to invalidate after an upload.", "site.distribution_id")
    yield block("output", "urls", description="Where visitors find it.", value=_urls(app))


def _dns(app: App, domain: Domain) -> Block:
    move = domain.move
    return block(
        "module",
        "dns",
        source=f"{MODULES}/delivery/route53",
        zone_name=domain.name,
        create=domain.zone == "create",
        zone_id=domain.zone_id,
        aliases=_aliases(app),
        ttl=whole(domain.ttl),
        move={"name": domain.name, "address": move.old, "share": move.share} if move else None,
    )


def _aliases(app: App) -> dict[str, Any]:
    balancer = {"dns_name": from_module("alb", "dns_name"), "zone_id": from_module("alb", "zone_id")}
    edge = {"zone_id": from_module("site", "zone_id"), "ipv6": True}
    aliases: dict[str, Any] = dict.fromkeys(balancer_names(app), balancer)
    if app.cloud.site and app.cloud.site.api and (api := api_name(app)):
        aliases[api] = {"dns_name": from_module("site", "api_domain_name"), **edge}
    return aliases | {name: {"dns_name": from_module("site", "domain_name"), **edge} for name in site_names(app)}


def _certificates(app: App, domain: Domain) -> Iterator[Block]:
    """One for the load balancer in its region, and one for CloudFront where that takes it from."""
    if managed(app):
        edge = edge_names(app) if one_certificate(app) else []
        yield _certificate("certificate", list(dict.fromkeys([*balancer_names(app), *edge])), domain)
    if app.cloud.site and not one_certificate(app) and given_to_edge(app) is None:
        yield _certificate("site_certificate", edge_names(app), domain, elsewhere=True)


def _certificate(module: str, names: list[str], domain: Domain, *, elsewhere: bool = False) -> Block:
    return block(
        "module",
        module,
        source=f"{MODULES}/delivery/acm",
        providers={"aws": Expression("aws.global")} if elsewhere else None,
        domain_name=names[0],
        alternative_names=names[1:] or None,
        zone_id=from_module("dns", "zone_id"),
        ttl=whole(domain.ttl),
    )


def _site(app: App, site: Site) -> Block:
    api = api_name(app)
    return block(
        "module",
        "site",
        source=f"{MODULES}/delivery/cloudfront",
        name=NAME,
        aliases=site_names(app) or None,
        certificate_arn=_edge_certificate(app),
        single_page=site.app,
        html_seconds=whole(site.fresh.html),
        asset_seconds=whole(site.fresh.assets),
        image_seconds=whole(site.fresh.images),
        old_version_days=site.expire_old,
        price_class="PriceClass_All" if site.everywhere else "PriceClass_200",
        api={
            "dns_name": from_module("alb", "dns_name"),
            "https": app.cloud.https,
            "aliases": [api] if api else [],
        }
        if site.api
        else None,
    )


def _edge_certificate(app: App) -> Expression | str | None:
    if app.cloud.domain is None:
        return None
    given = given_to_edge(app)
    return given or from_module("certificate" if one_certificate(app) else "site_certificate", "arn")


def _urls(app: App) -> list[str | Expression]:
    names = list(dict.fromkeys([*site_names(app), *balancer_names(app)]))
    scheme = "https" if app.cloud.https else "http"
    if names:
        return [f"{scheme}://{name}" for name in names]
    site = ['"https://${module.site.domain_name}"'] if app.cloud.site else []
    return [Expression(text) for text in [*site, f'"{scheme}://${{module.alb.dns_name}}"']]


def _output(name: str, description: str, of: str) -> Block:
    return block("output", name, description=description, value=Expression(f"module.{of}"))
